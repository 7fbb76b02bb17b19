/** What a saved validation must look like to be read back. */
import { z } from 'zod';
import { amount, count, identity, type Same } from './document.ts';
import type { Validation } from './validation.ts';

const reading = z.object({
  // A machine that has halted reads -1.
  vmpteKiB: z.number(),
  rssKiB: z.number(),
  refused: z.int(),
  present: z.array(z.string()),
});

const moment = z.object({
  operation: count,
  text: z.string(),
  watched: z.array(z.object({ page: count, pages: count })),
  kernel: reading,
  simulator: reading,
});

const difference = z.object({
  operation: count,
  text: z.string(),
  kernel: reading,
  simulator: reading,
  history: z.array(moment),
  isSettled: z.boolean(),
});

const compared = z.object({
  name: z.string(),
  operations: count,
  checkpoints: count,
  vmptePeakKiB: z.number(),
  rssPeakKiB: z.number(),
  threads: count,
  notes: z.array(z.string()),
  difference: difference.nullable(),
});

const random = z.object({
  plans: count,
  operations: count,
  checkpoints: count,
  shrunk: z
    .object({
      ops: z.array(z.string()),
      scenario: z.string(),
      foundOperations: count,
      trials: count,
      difference,
    })
    .nullable(),
});

const { pttorture, schema, command, machine, seed, broken } = identity;

export const validationSchema = z.object({
  ...{ pttorture, schema, command, machine, seed, broken },
  kind: z.literal('validation'),
  date: z.string(),
  kernel: z.object({ release: z.string(), reclaims: z.boolean(), source: z.string() }),
  protocol: z.string(),
  seconds: amount,
  plans: z.array(compared),
  random: random.nullable(),
  leftOut: z.array(z.object({ name: z.string(), why: z.string() })),
  isInterrupted: z.boolean(),
});

const equalsType: Same<z.infer<typeof validationSchema>, Validation> = true;
void equalsType;
