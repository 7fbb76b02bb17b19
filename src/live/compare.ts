/**
 * One plan on two peers: the same operations, the same checkpoints, and the first at which the two
 * do not read the same.
 *
 * The live kernel counts the page tables of a whole process, the runtime's among them. So what
 * differs is run again: it counts only if it comes out twice in the same way, and the process has
 * kept still meanwhile.
 */
import type { Reading } from '#result/reading';
import { isSameReading } from '#result/reading';
import type { Compared, Difference, Moment } from '#result/validation';
import type { Op, Plan } from '#scenario/plan';
import { regionStarts } from '#scenario/regions';
import type { Checkpoint, Peer } from './peer.ts';
import { Watch } from './watch.ts';

export interface Peers {
  readonly kernel: Peer;
  readonly simulator: Peer;
}

export interface Comparison {
  readonly plan: Plan;
  readonly name: string;
  readonly notes: string[];
  /** The plan's operations, linear, from the first on. */
  readonly ops: () => Iterable<Op>;
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

/** Operations that a peer is told at once. */
const BATCH_OPS = 256;
/** Checkpoints of a long plan are this part of the operations so far apart. */
const THINNING = 64;
/** Checkpoints that the history of a difference goes back. */
const HISTORY_CHECKPOINTS = 12;
/** How often a plan is run until a difference has come out twice, or none has. */
const TRIES_MAX = 6;

export async function comparePlan(peers: Peers, comparison: Comparison): Promise<Compared> {
  let before: Difference | null = null;
  for (let i = 0; ; i++) {
    const [compared, isStill] = await compareOnce(peers, comparison);
    const { difference } = compared;
    if (difference === null) return compared;
    if (isStill && isSameDifference(before, difference)) return compared;
    if (i === TRIES_MAX) return { ...compared, difference: { ...difference, isSettled: false } };
    before = isStill ? difference : null;
  }
}

function isSameDifference(a: Difference | null, b: Difference): boolean {
  return (
    a !== null &&
    a.operation === b.operation &&
    isSameReading(a.kernel, b.kernel) &&
    isSameReading(a.simulator, b.simulator)
  );
}

/** The comparison, and whether the peers can be believed. */
async function compareOnce(
  { kernel, simulator }: Peers,
  comparison: Comparison,
): Promise<[compared: Compared, isStill: boolean]> {
  const { plan } = comparison;
  let isStill = false;
  let compared: Compared;
  await Promise.all([kernel.begin(plan), simulator.begin(plan)]);
  try {
    compared = await new Course({ kernel, simulator }, comparison).run();
  } finally {
    const still = await Promise.all([kernel.end(), simulator.end()]);
    isStill = still.every((each) => each);
  }
  return [compared, isStill];
}

/** One pass over the operations. */
class Course {
  private readonly peers: Peers;
  private readonly comparison: Comparison;
  private readonly watch: Watch;
  private readonly history: Moment[] = [];
  private operations = 0;
  private checkedAt = 0;
  private checkpoints = 0;
  private vmptePeakKiB = 0;
  private rssPeakKiB = 0;

  constructor(peers: Peers, comparison: Comparison) {
    this.peers = peers;
    this.comparison = comparison;
    this.watch = new Watch(regionStarts(comparison.plan));
  }

  async run(): Promise<Compared> {
    const { signal, operationsMax = Number.POSITIVE_INFINITY } = this.comparison;
    let ops: Op[] = [];
    let checkpoints: Checkpoint[] = [];
    let difference: Difference | null = null;
    for (const op of this.comparison.ops()) {
      ops.push(op);
      this.watch.note(op);
      if (this.isDue(this.operations + ops.length))
        checkpoints.push({ after: ops.length, watched: this.watch.take() });
      if (this.operations + ops.length > operationsMax) throw new TooLarge();
      if (ops.length < BATCH_OPS) continue;
      difference = await this.batch(ops, checkpoints);
      ops = [];
      checkpoints = [];
      if (difference !== null || signal?.aborted) break;
    }
    if (difference === null && ops.length > 0 && !signal?.aborted) {
      if (checkpoints.at(-1)?.after !== ops.length)
        checkpoints.push({ after: ops.length, watched: this.watch.take() });
      difference = await this.batch(ops, checkpoints);
    }
    const { operations, vmptePeakKiB, rssPeakKiB } = this;
    const { name, notes } = this.comparison;
    const figures = { operations, checkpoints: this.checkpoints, vmptePeakKiB, rssPeakKiB };
    return { name, ...figures, threads: 1, notes, difference };
  }

  /** Whether there is a checkpoint after `count` operations. */
  private isDue(count: number): boolean {
    const { every, thins } = this.comparison;
    const apart = thins ? Math.max(every, Math.floor(count / THINNING)) : every;
    if (count - this.checkedAt < apart) return false;
    this.checkedAt = count;
    return true;
  }

  /** The first difference among the readings, or null. */
  private async batch(ops: Op[], checkpoints: Checkpoint[]): Promise<Difference | null> {
    const { kernel, simulator } = this.peers;
    const batch = { ops, checkpoints };
    const [real, simulated] = await Promise.all([kernel.run(batch), simulator.run(batch)]);
    const before = this.operations;
    this.operations += ops.length;
    for (const [i, { after, watched }] of checkpoints.entries()) {
      const [of, by] = [real[i]!, simulated[i]!];
      this.checkpoints++;
      this.note(of);
      const operation = before + after;
      const text = this.comparison.show(ops[after - 1]!);
      this.history.push({ operation, text, watched: [...watched], kernel: of, simulator: by });
      if (this.history.length > HISTORY_CHECKPOINTS) this.history.shift();
      if (isSameReading(of, by)) continue;
      this.operations = operation;
      const history = [...this.history];
      return { operation, text, kernel: of, simulator: by, history, isSettled: true };
    }
    return null;
  }

  private note({ vmpteKiB, rssKiB }: Reading): void {
    this.vmptePeakKiB = Math.max(this.vmptePeakKiB, vmpteKiB);
    this.rssPeakKiB = Math.max(this.rssPeakKiB, rssKiB);
    if (rssKiB > this.comparison.rssMaxKiB) throw new TooLarge();
  }
}
