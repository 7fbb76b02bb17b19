/**
 * One plan on two peers: the same operations, the same checkpoints, and the first at which the two
 * do not read the same.
 */
import { isSameReading, type Reading } from '#result/reading';
import type { Compared, Moment } from '#result/validation';
import type { Op, Plan } from '#scenario/plan';
import { regionStarts } from '#scenario/regions';
import type { Batch, Checkpoint, Peer } from './peer.ts';
import { askTwice } from './twice-alike.ts';
import { Watch } from './watch.ts';

export interface Peers {
  readonly kernel: Peer;
  readonly simulator: Peer;
}

export interface Comparison {
  readonly plan: Plan;
  readonly name: string;
  readonly notes: string[];
  /** The plan's operations, linear, from the first on; gone through once. */
  readonly ops: Iterable<Op>;
  /** Operations between two checkpoints; there is one after the last operation, too. */
  readonly every: number;
  /** Whether checkpoints become rarer as a plan gets long. */
  readonly thins: boolean;
  /** How an operation is written in a history. */
  readonly show: (op: Op) => string;
  /** Resident memory that is not to be exceeded, in KiB. */
  readonly rssMaxKiB: number;
  /** Operations that are not to be exceeded; left out: any number. */
  readonly operationsMax?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A plan needs more memory than it may have, or has more operations. */
export class TooLarge extends Error {}

/** Checkpoints of a long plan are this part of the operations so far apart. */
const THINNING = 64;
/** Checkpoints that the history of a difference goes back. */
const HISTORY_CHECKPOINTS = 12;
/** How often the kernel is asked again (twice-alike.ts). */
const TRIES_MAX = 8;

export async function comparePlan(peers: Peers, comparison: Comparison): Promise<Compared> {
  const { plan, rssMaxKiB } = comparison;
  const batch = batchOf(comparison);
  const simulated = await peers.simulator.run(plan, batch);
  if (simulated.readings.some(({ rssKiB }) => rssKiB > rssMaxKiB)) throw new TooLarge();
  return askTwice(TRIES_MAX, async () => {
    const { readings, isStill } = await peers.kernel.run(plan, batch);
    return { compared: compareReadings(comparison, batch, readings, simulated.readings), isStill };
  });
}

/** All operations, and where it is read. */
function batchOf(comparison: Comparison): Batch {
  const { every, thins, signal, operationsMax = Number.POSITIVE_INFINITY } = comparison;
  const watch = new Watch(regionStarts(comparison.plan));
  const ops: Op[] = [];
  const checkpoints: Checkpoint[] = [];
  const due = (): number =>
    (checkpoints.at(-1)?.after ?? 0) +
    (thins ? Math.max(every, Math.floor(ops.length / THINNING)) : every);
  for (const op of comparison.ops) {
    ops.push(op);
    watch.note(op);
    if (ops.length > operationsMax) throw new TooLarge();
    if (ops.length >= due()) checkpoints.push({ after: ops.length, watched: watch.take() });
    if (signal?.aborted) break;
  }
  if (ops.length > 0 && checkpoints.at(-1)?.after !== ops.length)
    checkpoints.push({ after: ops.length, watched: watch.take() });
  return { ops, checkpoints };
}

/** Up to the first checkpoint at which they differ. */
function compareReadings(
  { name, notes, show }: Comparison,
  { ops, checkpoints }: Batch,
  live: readonly Reading[],
  simulated: readonly Reading[],
): Compared {
  const moments = checkpoints.map(
    ({ after, watched }, i): Moment => ({
      ...{ operation: after, text: show(ops[after - 1]!), watched: [...watched] },
      ...{ kernel: live[i]!, simulator: simulated[i]! },
    }),
  );
  const at = moments.findIndex(({ kernel, simulator }) => !isSameReading(kernel, simulator));
  const compared = at === -1 ? moments : moments.slice(0, at + 1);
  const { operation = 0, text = '', kernel, simulator } = compared.at(-1) ?? {};
  const history = compared.slice(-HISTORY_CHECKPOINTS);
  const figures = { operation, text, kernel: kernel!, simulator: simulator!, history };
  return {
    ...{ name, operations: operation, checkpoints: compared.length, threads: 1, notes },
    vmptePeakKiB: highest(compared.map((moment) => moment.kernel.vmpteKiB)),
    rssPeakKiB: highest(compared.map((moment) => moment.kernel.rssKiB)),
    difference: at === -1 ? null : { ...figures, isSettled: true },
  };
}

function highest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), 0);
}
