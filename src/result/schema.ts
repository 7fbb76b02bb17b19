/**
 * The schema of the result document: reads a saved `result.json` back, and is published as
 * `result.schema.json` beside this file for whoever reads results with other tools. The interface
 * in `result.ts` is the contract; the check at the end of this file keeps the two equal at compile
 * time. Fields that a reader does not know are let through: newer writers may add some.
 */
import { z } from 'zod';
import {
  amount,
  count,
  documentJsonSchema,
  identity,
  parseDocument,
  type Same,
} from './document.ts';
import { recordedProgram } from './recording.ts';
import type { Result } from './result.ts';
import { occupancy, timeline } from './sampled-schema.ts';

/** What the simulated kernel accounts: a broken version may bring it below zero. */
const accountedKiB = z.number();

const race = z.object({ kind: z.string(), noticedBy: z.string(), causedBy: z.string(), count });

const lockPlace = z.object({ site: count, function: z.string(), path: z.string(), line: count });

const lockMode = z.enum(['exclusive', 'shared']);

const lockTimes = z.object({
  samples: count,
  totalNs: amount,
  shortestNs: amount,
  longestNs: amount,
  histogram: z.array(z.tuple([amount, count])),
});

const lockFigures = z.object({
  mode: lockMode,
  acquisitions: count,
  contended: count,
  trylockFailed: count,
  bounces: count,
  contendedBounces: count,
  waits: lockTimes,
  holds: lockTimes,
});

const lockBlame = z.object({
  waiter: lockPlace.nullable(),
  mode: lockMode,
  holder: lockPlace.nullable(),
  waits: count,
  waitNs: amount,
});

const lock = z.object({
  class: z.string(),
  acquisitions: count,
  contended: count,
  trylockFailed: count,
  bounces: count.nullable(),
  waitNs: amount,
  holdNs: amount.nullable(),
  holdSamples: count.optional(),
  modes: z.array(lockFigures).optional(),
  sites: z.array(lockFigures.extend({ place: lockPlace.nullable() })).optional(),
  contendedBy: z.array(lockBlame).optional(),
});

const violation = z.object({
  kind: z.string(),
  message: z.string(),
  cpus: z.array(count),
  replay: z.string().nullable(),
});

const act = z.object({
  act: z.string(),
  count,
  region: count.nullable(),
  page: count,
  pages: count,
});

const lastActs = z.object({
  options: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  slots: z.array(count),
  columns: z.array(z.object({ cpu: count, isInFlight: z.boolean(), acts: z.array(act) })),
});

const expectation = z.object({
  figure: z.string(),
  phase: z.string().nullable(),
  min: z.number().nullable(),
  max: z.number().nullable(),
  found: z.number(),
  met: z.boolean(),
});

const phase = z.object({
  name: z.string(),
  seconds: amount,
  vmpteKiB: accountedKiB,
});

const latency = z.object({ p50: amount, p99: amount, max: amount, samples: count });

const run = z.object({
  protocol: z.string(),
  cpus: z.int().positive(),
  seconds: amount,
  cpuSeconds: amount,
  exit: z.enum(['pass', 'violation', 'deadline', 'interrupted']),
  vmpteKiB: z.object({
    start: accountedKiB,
    peak: accountedKiB,
    end: accountedKiB,
    series: z.array(z.tuple([amount, accountedKiB])),
  }),
  rssKiB: z.object({
    start: accountedKiB,
    peak: accountedKiB,
    end: accountedKiB,
    series: z.array(z.tuple([amount, accountedKiB])).nullish(),
  }),
  pages: z.object({ faulted: count, zapped: count, perSecond: amount }),
  faults: z.object({ read: count, write: count, segv: count, oom: count }),
  tables: z.object({
    allocated: count,
    reclaimed: count,
    freed: count,
    pteTablesEnd: count,
    reclaimable: count,
    zeroPageOnly: count,
  }),
  operations: z.record(z.string(), z.number()),
  protocolCounts: z.record(z.string(), z.number()),
  races: z.array(race),
  rcu: z.object({
    gracePeriods: count,
    backlogPeak: count,
    latencyUs: z.object({ p50: amount, p99: amount, max: amount }),
  }),
  locks: z.array(lock),
  lockAlgorithms: z.record(z.string(), z.string()).optional(),
  lockStat: z.object({ locksPerSample: count, clockNs: amount }).nullish(),
  latencyNs: z.object({ fault: latency, madvise: latency }),
  costs: z.object({ walks: count, atomics: count, lockAcquisitions: count, graceWaits: count }),
  tlbFlushes: count,
  phases: z.array(phase),
  dataChecks: z.object({ compared: count, unjudged: count }),
  violations: z.array(violation),
  lastActs: lastActs.nullish(),
  occupancy: occupancy.nullish(),
  timeline: timeline.nullish(),
  expectations: z.array(expectation),
  rounds: z.object({ n: z.int().positive(), perSecond: z.array(amount) }),
  note: z.string().nullable(),
});

export const resultSchema = z.object({
  ...identity,
  recording: recordedProgram.nullish(),
  runs: z.array(run),
  plan: z.unknown(),
});

/** Reads a saved result; `name` is what the person called it, for the error line. */
export function parseResult(text: string, name: string): Result {
  return parseDocument(resultSchema, text, name, 'result');
}

/** The published form, as JSON Schema of the draft that editors know. */
export function resultJsonSchema(): unknown {
  return documentJsonSchema(resultSchema, 'pttorture result');
}

const schemaEqualsType: Same<z.infer<typeof resultSchema>, Result> = true;
void schemaEqualsType;
