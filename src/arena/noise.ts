/**
 * The noisy gate: delays at random before racing accesses, to widen windows. Mostly short, rarely
 * long enough that another CPU runs through a whole operation, as rcutorture mixes its delays.
 */
import { Prng } from '#base/prng';
import type { CpuRef, Gate } from './gate.ts';
import { PERCPU } from './layout/percpu.ts';
import { boundWords } from './word.ts';

/** Of a million passages at noise 100: how many spin, and how many sleep. */
const SPIN_PER_MILLION = 50_000;
const SLEEP_PER_MILLION = 400;
const SPINS_MAX = 400;
const SLEEP_MS_MAX = 2;

export class NoisyGate implements Gate {
  private readonly prng: Prng;
  private readonly spin: number;
  private readonly sleep: number;

  /** `level` from 1 to 100. */
  constructor(seed: number, stream: number, level: number) {
    this.prng = new Prng(seed, stream);
    this.spin = (SPIN_PER_MILLION * level) / 100;
    this.sleep = (SLEEP_PER_MILLION * level) / 100;
  }

  pass(cpu: CpuRef): boolean {
    const drawn = this.prng.below(1_000_000);
    if (drawn >= this.spin) return false;
    const alarm = cpu.block + PERCPU.alarm;
    const words = boundWords();
    if (drawn < this.sleep) {
      Atomics.wait(words, alarm, 0, this.prng.below(SLEEP_MS_MAX * 1000) / 1000);
      return false;
    }
    const rounds = this.prng.below(SPINS_MAX);
    for (let i = 0; i < rounds; i++) Atomics.load(words, alarm);
    return false;
  }
}
