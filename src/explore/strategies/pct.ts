/**
 * Probabilistic concurrency testing: Burckhardt, Kothari, Musuvathi, Nagarakatti, "A Randomized
 * Scheduler with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010.
 *
 * A bug has depth d if d orderings between steps suffice to show it. CPUs have priorities in random
 * order, all above d - 1, and the highest goes. At d - 1 steps, drawn from the k of an execution,
 * the CPU that has taken the step gets a priority below: 1, 2, ... in the order of drawing, which
 * is not that of the steps. With n CPUs one execution finds a bug of depth d with a chance of at
 * least 1 / (n k^(d-1)): `pctBound`.
 *
 * Only steps count for k after which the CPU has not ended and another is enabled: as long as no
 * other is, a change of priority shows only at the next step that counts. This makes k several
 * times smaller where one CPU has much to do alone.
 *
 * k is not known beforehand. It is the largest of the executions of this series so far, a guess in
 * the first; hence the series of a seed repeats itself, not one execution of it taken out.
 *
 * Priorities starve: a CPU that tries again and again keeps away the one that it waits for. So it
 * goes below all others, 1. when it spins (`Spinning`); 2. every
 * `TURN_STEPS` steps once the execution is overdue: twice as long as the longest before. Executions
 * in which nobody spins and that are no longer have no part of this, and the paper's bound holds as
 * it stands. In others it may not. Executions that are overdue, or were cut off, teach nothing, or
 * else a livelock would teach ever larger numbers.
 */
import { Prng } from '#base/prng';
import type { History } from '../history.ts';
import { lowestOf, NO_PASSAGE, type Standing, type Strategy } from '../strategy.ts';
import { pctBound } from './bounds.ts';
import { drawChoice } from './random.ts';
import { Spinning } from './spinning.ts';

/** k until an execution has been seen. */
const STEPS_FIRST = 100;
const TURN_STEPS = 64;
/** An execution is not overdue before; the first, which has none before it, much later. */
const OVERDUE_STEPS_MIN = 1000;
const OVERDUE_STEPS_FIRST = 10_000;

export class PctStrategy implements Strategy {
  readonly depth: number;
  /** k, so far. */
  steps = STEPS_FIRST;
  private readonly seed: number;
  /** Of the steps that count, those after which a priority changes. */
  private readonly points: Int32Array;
  private hasLearned = false;
  private overdue = OVERDUE_STEPS_FIRST;
  private prng: Prng;
  private standing: Standing | null = null;
  private readonly spinning = new Spinning();
  private priorities = new Int32Array(0);
  /** Below all priorities in use. */
  private lowest = 0;
  private taken = 0;
  /** How many of them count for k. */
  private counted = 0;

  constructor(seed: number, depth: number) {
    this.seed = seed;
    this.depth = depth;
    this.points = new Int32Array(depth - 1);
    this.prng = new Prng(seed);
  }

  begin(execution: number, cpus: number, standing: Standing): boolean {
    const prng = new Prng(this.seed, execution);
    this.prng = prng;
    this.standing = standing;
    this.taken = 0;
    this.counted = 0;
    this.lowest = 0;
    this.spinning.begin(standing);
    if (this.priorities.length !== cpus) this.priorities = new Int32Array(cpus);
    const { priorities, points } = this;
    for (let cpu = 0; cpu < cpus; cpu++) {
      const other = prng.below(cpu + 1);
      priorities[cpu] = priorities[other]!;
      priorities[other] = this.depth + cpu;
    }
    for (let i = 0; i < points.length; i++) points[i] = 1 + prng.below(this.steps);
    return true;
  }

  pick(enabled: number, running: number): number {
    if (running >= 0) this.afterStep(enabled, running);
    const { priorities } = this;
    let highest = lowestOf(enabled);
    for (let rest = enabled & (enabled - 1); rest !== 0; rest &= rest - 1) {
      const cpu = lowestOf(rest);
      if (priorities[cpu]! > priorities[highest]!) highest = cpu;
    }
    this.spinning.before(highest);
    return highest;
  }

  choose(_cpu: number, alternatives: number): number {
    return drawChoice(this.prng, alternatives);
  }

  end(history: History): void {
    const { hasLearned, overdue } = this;
    const { decided, isFull } = history;
    if (isFull || decided === 0 || (hasLearned && decided > overdue)) return;
    this.steps = Math.max(this.counted, hasLearned ? this.steps : 1);
    this.overdue = Math.max(2 * decided, hasLearned ? overdue : OVERDUE_STEPS_MIN);
    this.hasLearned = true;
  }

  /** Of a bug of this depth or less, with the longest execution so far for k. */
  findingChance(): number {
    return pctBound(this.priorities.length, this.steps, this.depth);
  }

  private afterStep(enabled: number, cpu: number): void {
    const { points, priorities } = this;
    const isOtherEnabled = (enabled & ~(1 << cpu)) !== 0;
    if (isOtherEnabled && this.standing!.op[cpu] !== NO_PASSAGE) {
      const counted = ++this.counted;
      for (let i = 0; i < points.length; i++) if (points[i] === counted) priorities[cpu] = i + 1;
    }
    const isTurnOver = ++this.taken > this.overdue && this.taken % TURN_STEPS === 0;
    if (this.spinning.after() || isTurnOver) priorities[cpu] = --this.lowest;
  }
}
