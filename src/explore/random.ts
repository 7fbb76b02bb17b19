/**
 * Uniform random choice, with a preference for staying: at a passage another CPU goes on with a
 * chance of `switchPerMillion` only, so that runs of steps are long enough to get somewhere.
 */
import { Prng } from '#base/prng';
import type { Strategy } from './strategy.ts';

export class RandomStrategy implements Strategy {
  private readonly seed: number;
  private readonly switchPerMillion: number;
  private prng: Prng;

  constructor(seed: number, switchPerMillion: number) {
    this.seed = seed;
    this.switchPerMillion = switchPerMillion;
    this.prng = new Prng(seed);
  }

  begin(execution: number): void {
    this.prng = new Prng(this.seed, execution);
  }

  pick(enabled: readonly number[], running: number): number {
    const at = enabled.indexOf(running);
    if (at < 0) return enabled[this.prng.below(enabled.length)]!;
    if (!this.prng.chance(this.switchPerMillion)) return running;
    const other = this.prng.below(enabled.length - 1);
    return enabled[other < at ? other : other + 1]!;
  }
}
