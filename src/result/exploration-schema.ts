/**
 * The schema of what `explore --json` writes, as `schema.ts` is that of results: the interface in
 * `exploration.ts` is the contract. Fields that a reader does not know are let through.
 */
import { z } from 'zod';
import { amount, count, identity, parseDocument, type Same } from './document.ts';
import type { Exploration } from './exploration.ts';
import type { Interleaving, InterleavingKind } from './interleaving.ts';

const KINDS = [
  ...['lock', 'unlock', 'trylock-failed', 'pmd-read', 'pte-read', 'pte-write', 'hook', 'unhook'],
  ...['defer', 'free', 'page', 'rcu', 'ipi', 'flush', 'remember', 'no-memory', 'other'],
] as InterleavingKind[];

const row = z.object({
  row: count,
  cpu: count,
  step: z.int(),
  kind: z.enum(KINDS),
  text: z.string(),
  violation: z.string().nullable(),
  staleFrom: z.object({ row: count, cpu: count }).nullable(),
  site: z.object({ function: z.string(), file: z.string(), line: count }).nullable(),
  actor: z.string(),
  operation: z.int(),
});

const state = z.object({
  row: count,
  step: z.int(),
  holds: z.array(z.object({ cpu: count, what: z.array(z.string()) })),
  tables: z.array(
    z.object({
      table: count,
      generation: count,
      level: count,
      state: z.string(),
      entries: z.array(z.tuple([count, z.string()])),
    }),
  ),
});

const interleaving = z.object({
  columns: z.array(z.object({ cpu: count, runs: z.string() })),
  rows: z.array(row),
  states: z.array(state).nullish(),
  waits: z.array(z.object({ cpu: count, holds: z.array(z.string()), waitsFor: z.string() })),
  verdict: z.object({ kind: z.string(), message: z.string() }).nullable(),
  raced: z.array(z.object({ cpu: count, row: count })).nullable(),
  closing: z.string(),
  steps: count,
});

const failure = z.object({
  plan: z.unknown(),
  edit: z.unknown(),
  schedule: z.string(),
  kind: z.string(),
  message: z.string(),
  end: z.string(),
  history: z.array(z.int()),
});

const violation = z.object({
  kind: z.string(),
  message: z.string(),
  cpus: z.array(count),
  signature: z.string(),
  found: z.object({ planSeed: z.int(), execution: count, steps: count }),
  shrunk: z.object({
    cpus: count,
    operations: count,
    steps: count,
    preemptions: count,
    isMinimal: z.boolean(),
    executions: count,
    seconds: amount,
  }),
  replay: z.string().nullable(),
  failure,
  interleaving,
});

export const explorationSchema = z.object({
  ...identity,
  kind: z.literal('exploration'),
  protocol: z.string(),
  strategy: z.object({ name: z.string(), depth: count.nullable(), bound: count.nullable() }),
  cpus: z.int().positive(),
  searchers: z.int().positive(),
  seconds: amount,
  executions: count,
  abandoned: count,
  steps: count,
  longest: count,
  traces: count,
  states: count,
  plans: count,
  isExhausted: z.boolean(),
  isInterrupted: z.boolean(),
  done: amount.nullable(),
  newShare: amount,
  outcomes: z.array(
    z.object({ outcome: z.string(), expected: z.string(), seen: z.string(), met: z.boolean() }),
  ),
  silence: z.string(),
  violations: z.array(violation),
});

/** Reads a saved exploration; `name` is what the person called it, for the error line. */
export function parseExploration(text: string, name: string): Exploration {
  return parseDocument(explorationSchema, text, name, 'exploration');
}

const interleavingEqualsType: Same<z.infer<typeof interleaving>, Interleaving> = true;
void interleavingEqualsType;
const schemaEqualsType: Same<z.infer<typeof explorationSchema>, Exploration> = true;
void schemaEqualsType;
