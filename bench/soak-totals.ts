/**
 * What a soak goes through, and what it keeps of it: slice after slice of `churn` over a matrix of
 * machines, and totals that a later soak goes on with.
 */
import { z } from 'zod';
import { formatDuration } from '#base/units';
import { UserError } from '#base/user-error';
import type { Run } from '#result/result';
import type { Plan } from '#scenario/plan';

export const SCENARIO = 'churn';

/** The machine of one slice. */
export interface Cell {
  readonly protocol: string;
  readonly cpus: number;
  readonly splitLocks: boolean;
  readonly rcu: Plan['rcu'];
  readonly noise: number;
}

/** One after another they go through the matrix; neighbours differ in most of what can be set. */
export function cellOf(slice: number, protocols: readonly string[]): Cell {
  const cells = matrixOf(protocols);
  return cells[(slice * STRIDE) % cells.length];
}

export function matrixOf(protocols: readonly string[]): Cell[] {
  return [0, 20].flatMap((noise) =>
    (['qsbr', 'announced'] as const).flatMap((rcu) =>
      [true, false].flatMap((splitLocks) =>
        [2, 8].flatMap((cpus) =>
          protocols.map((protocol) => ({ protocol, cpus, splitLocks, rcu, noise })),
        ),
      ),
    ),
  );
}

/** What decides which races there can be: `pt-reclaim, split`. */
export function kindOf({ protocol, splitLocks }: Cell): string {
  return `${protocol}, ${splitLocks ? 'split' : 'non-split'}`;
}

/** A prime: it has no factor in common with 16 machines times the number of protocols. */
const STRIDE = 29;

/** The command that runs a slice again. */
export function commandOf(cell: Cell, seed: number, durationMs: number): string {
  const words = ['pttorture run', SCENARIO, '--protocol', cell.protocol, '--cpus', cell.cpus];
  words.push('--duration', formatDuration(durationMs), '--seed', seed, '--rcu', cell.rcu);
  words.push('--noise', cell.noise);
  if (!cell.splitLocks) words.push('--no-split-locks');
  return words.join(' ');
}

const count = z.number().int().min(0);
const counts = z.record(z.string(), count);
const sums = {
  slices: count,
  seconds: z.number().min(0),
  cpuSeconds: z.number().min(0),
  faults: count,
  zaps: count,
  tablesReclaimed: count,
  readsCompared: count,
  readsUnjudged: count,
  /** By kind. */
  races: counts,
  violations: counts,
  /** Slices by how they ended. */
  exits: counts,
};

const TOTALS = z.strictObject({
  soak: z.literal(1),
  total: z.strictObject(sums),
  /** By `kindOf`. */
  byKind: z.record(z.string(), z.strictObject(sums)),
  failures: z.array(
    z.strictObject({ command: z.string(), exit: z.string(), messages: z.array(z.string()) }),
  ),
});

/** The document that a soak keeps. */
export type Totals = z.infer<typeof TOTALS>;
export type Sums = Totals['total'];

/** Failures that are kept word by word; all are counted. */
const FAILURES_MAX = 100;

export function noTotals(): Totals {
  return { soak: 1, total: noSums(), byKind: {}, failures: [] };
}

/** Totals from the text of `path`; a file that is something else is left alone. */
export function parseTotals(path: string, text: string): Totals {
  try {
    return TOTALS.parse(JSON.parse(text));
  } catch {
    throw new UserError(`${path} does not hold totals of a soak; give another --json FILE`);
  }
}

/** Adds a slice that ended as `run` says, or with an error of our own. */
export function addSlice(totals: Totals, cell: Cell, command: string, run: Run | Error): void {
  const exit = run instanceof Error ? 'failed' : run.exit;
  const kind = kindOf(cell);
  totals.byKind[kind] ??= noSums();
  for (const sums of [totals.total, totals.byKind[kind]]) {
    sums.slices++;
    add(sums.exits, exit, 1);
    if (!(run instanceof Error)) addRun(sums, run);
  }
  if (exit === 'pass' || exit === 'interrupted' || totals.failures.length >= FAILURES_MAX) return;
  totals.failures.push({ command, exit, messages: messagesOf(run) });
}

function addRun(sums: Sums, run: Run): void {
  sums.seconds += run.seconds;
  sums.cpuSeconds += run.cpuSeconds;
  sums.faults += run.pages.faulted;
  sums.zaps += run.pages.zapped;
  sums.tablesReclaimed += run.tables.reclaimed;
  sums.readsCompared += run.dataChecks.compared;
  sums.readsUnjudged += run.dataChecks.unjudged;
  for (const race of run.races) add(sums.races, race.kind, race.count);
  for (const violation of run.violations) add(sums.violations, violation.kind, 1);
}

export function messagesOf(run: Run | Error): string[] {
  if (run instanceof Error) return [run.stack ?? run.message];
  const violations = run.violations.map(({ kind, message }) => `${kind}: ${message}`);
  return run.note === null ? violations : [...violations, run.note];
}

function noSums(): Sums {
  return {
    slices: 0,
    seconds: 0,
    cpuSeconds: 0,
    faults: 0,
    zaps: 0,
    tablesReclaimed: 0,
    readsCompared: 0,
    readsUnjudged: 0,
    races: {},
    violations: {},
    exits: {},
  };
}

function add(counts: Record<string, number>, name: string, more: number): void {
  counts[name] = (counts[name] ?? 0) + more;
}
