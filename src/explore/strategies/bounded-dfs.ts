/**
 * Iterative preemption bounding: Musuvathi and Qadeer, "Iterative Context Bounding for Systematic
 * Testing of Multithreaded Programs", PLDI 2007.
 *
 * All schedules without a preemption, then all with at most one, and so on up to a bound; each
 * round depth first, so that what is kept is one schedule. A preemption: the running CPU is
 * enabled, and another goes on. Choice points are enumerated too, and cost nothing. A round repeats
 * the schedules of the one before, which are few beside its own.
 *
 * A schedule in which a CPU spins without end is cut off at the machine's limit of steps, once for
 * each way to get there: where CPUs spin, keep the limit low.
 */
import { assert } from '#base/assert';
import { lowestOf, type Strategy, stay } from '../strategy.ts';

/**
 * A decision with more than one option: what was decided, what else is to be tried (of CPUs: a
 * mask; at choice points: how many), and of how many options, to notice another decision.
 */
const DECISION = { taken: 0, rest: 1, options: 2 } as const;
const DECISION_WORDS = 3;
/** Added to `options` at a choice point. */
const AT_CHOICE = 1 << 30;

export class BoundedDfsStrategy implements Strategy {
  /** Preemptions that this round allows. */
  bound = 0;
  /** The latest schedule, and how many of its decisions have been met again. */
  private decisions = new Int32Array(256 * DECISION_WORDS);
  private size = 0;
  private met = 0;
  private preemptions = 0;
  private readonly boundMax: number;
  private hasBegun = false;
  /** Whether this round left out a preemption. */
  private isBounded = false;

  constructor(boundMax: number) {
    this.boundMax = boundMax;
  }

  /** Whether, now that there is none left, all schedules at all have been tried. */
  get isExhaustive(): boolean {
    return this.hasBegun && this.size === 0 && !this.isBounded;
  }

  begin(): boolean {
    if (this.hasBegun && !this.advance()) {
      if (!this.isBounded || this.bound === this.boundMax) return false;
      this.bound++;
      this.isBounded = false;
    }
    this.hasBegun = true;
    this.met = 0;
    this.preemptions = 0;
    return true;
  }

  pick(enabled: number, running: number): number {
    const here = running >= 0 ? enabled & (1 << running) : 0;
    if (here === enabled) return running;
    if (here !== 0 && this.preemptions === this.bound) {
      this.isBounded = true;
      return running;
    }
    if ((enabled & (enabled - 1)) === 0) return lowestOf(enabled);
    const first = stay(enabled, running);
    const cpu = this.decide(first, enabled & ~(1 << first), enabled);
    if (here !== 0 && cpu !== running) this.preemptions++;
    return cpu;
  }

  choose(_cpu: number, alternatives: number): number {
    return alternatives === 1 ? 0 : this.decide(0, alternatives - 1, alternatives + AT_CHOICE);
  }

  /** What was decided here in the latest schedule; beyond its end: `first`, and `rest` remains. */
  private decide(first: number, rest: number, options: number): number {
    const to = this.met++ * DECISION_WORDS;
    if (this.met > this.size) {
      this.size = this.met;
      if (to === this.decisions.length) this.grow();
      this.decisions[to + DECISION.taken] = first;
      this.decisions[to + DECISION.rest] = rest;
      this.decisions[to + DECISION.options] = options;
    }
    assert(
      this.decisions[to + DECISION.options] === options,
      `decision ${this.met} of a schedule is the same when it is carried out again`,
    );
    return this.decisions[to + DECISION.taken]!;
  }

  /** Goes on to the next schedule: changes the last decision that leaves something to be tried. */
  private advance(): boolean {
    const { decisions } = this;
    for (; this.size > 0; this.size--) {
      const at = (this.size - 1) * DECISION_WORDS;
      const rest = decisions[at + DECISION.rest]!;
      if (rest === 0) continue;
      if (decisions[at + DECISION.options]! >= AT_CHOICE) {
        decisions[at + DECISION.taken] = decisions[at + DECISION.taken]! + 1;
        decisions[at + DECISION.rest] = rest - 1;
      } else {
        decisions[at + DECISION.taken] = lowestOf(rest);
        decisions[at + DECISION.rest] = rest & (rest - 1);
      }
      return true;
    }
    return false;
  }

  private grow(): void {
    const larger = new Int32Array(2 * this.decisions.length);
    larger.set(this.decisions);
    this.decisions = larger;
  }
}
