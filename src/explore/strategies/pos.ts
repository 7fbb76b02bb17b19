/**
 * Partial-order sampling: Yuan, Yang, Gu, "Partial Order Aware Concurrency Sampling", CAV 2018.
 *
 * The next step of each CPU has a random priority, and the highest goes. After a step those draw
 * anew whose next step is another one (the CPU itself, and who has just been enabled) or races with
 * it (the same word, one of them writes). Hence the order of steps that have nothing to do with
 * each other is drawn once, and no more chance is spent on it; each race is drawn for itself.
 *
 * What a CPU is about to do counts as a write unless it can only read: a compare-exchange that is
 * going to fail is a write.
 */
import { GATE } from '#arena/gate';
import { Prng } from '#base/prng';
import { lowestOf, type Standing, type Strategy } from '../strategy.ts';
import { drawChoice } from './random.ts';

/** Kinds of passages that only read, as a mask. */
const READS = (1 << GATE.load) | (1 << GATE.read) | (1 << GATE.wait);

export class PosStrategy implements Strategy {
  private readonly seed: number;
  private prng: Prng;
  private standing: Standing | null = null;
  private priorities = new Int32Array(0);
  /** As of the latest step: who was enabled, and what was done. */
  private enabled = 0;
  private op = 0;
  private at = 0;

  constructor(seed: number) {
    this.seed = seed;
    this.prng = new Prng(seed);
  }

  begin(execution: number, cpus: number, standing: Standing): boolean {
    this.prng = new Prng(this.seed, execution);
    this.standing = standing;
    this.enabled = 0;
    if (this.priorities.length !== cpus) this.priorities = new Int32Array(cpus);
    return true;
  }

  pick(enabled: number, running: number): number {
    const { priorities, prng } = this;
    const fresh = enabled & ~this.enabled;
    let highest = -1;
    for (let rest = enabled; rest !== 0; rest &= rest - 1) {
      const cpu = lowestOf(rest);
      if (cpu === running || (fresh & (1 << cpu)) !== 0 || this.races(cpu))
        priorities[cpu] = prng.next();
      if (highest < 0 || priorities[cpu]! > priorities[highest]!) highest = cpu;
    }
    this.enabled = enabled;
    this.op = this.standing!.op[highest]!;
    this.at = this.standing!.at[highest]!;
    return highest;
  }

  choose(_cpu: number, alternatives: number): number {
    return drawChoice(this.prng, alternatives);
  }

  /** Whether what `cpu` is about to do races with the latest step. */
  private races(cpu: number): boolean {
    const { op, at } = this.standing!;
    if (at[cpu] !== this.at) return false;
    return ((READS >> op[cpu]!) & (READS >> this.op) & 1) === 0;
  }
}
