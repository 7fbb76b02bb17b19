/**
 * Random choice: at a passage another CPU goes on with a chance of `switchPerMillion`, any of the
 * others alike.
 *
 * It is small because operations are long: to be between two steps of one CPU, another must get
 * through tens of its own. Executions to the first violation of our named edits, medians of 10
 * seeds: with a uniform choice (50 % of two CPUs) `no-pmd-recheck` takes over 5000, with 20 % 71,
 * with 10 % 43, with 5 % 33, with 2 % 29; `scan-drops-ptl`, which wants many short meetings, 86,
 * 40, 47, 87 and 163. Over all edits 5 and 10 % are alike, and better than the others.
 */
import { Prng } from '#base/prng';
import { lowestOf, memberOf, type Strategy, sizeOf } from '../strategy.ts';

const SWITCH_PER_MILLION = 100_000;
/** How often a choice point may be anything but what is usual. */
const CHOICES_PER_MILLION = 250_000;

export class RandomStrategy implements Strategy {
  private readonly seed: number;
  private readonly switchPerMillion: number;
  private prng: Prng;

  constructor(seed: number, switchPerMillion = SWITCH_PER_MILLION) {
    this.seed = seed;
    this.switchPerMillion = switchPerMillion;
    this.prng = new Prng(seed);
  }

  begin(execution: number): boolean {
    this.prng = new Prng(this.seed, execution);
    return true;
  }

  pick(enabled: number, running: number): number {
    if ((enabled & (enabled - 1)) === 0) return lowestOf(enabled);
    const here = running >= 0 ? enabled & (1 << running) : 0;
    if (here === 0) return memberOf(enabled, this.prng.below(sizeOf(enabled)));
    if (!this.prng.chance(this.switchPerMillion)) return running;
    const others = enabled & ~here;
    return memberOf(others, this.prng.below(sizeOf(others)));
  }

  choose(_cpu: number, alternatives: number): number {
    return drawChoice(this.prng, alternatives);
  }
}

/** What happens at a choice point where chance decides: most often what is usual. */
export function drawChoice(prng: Prng, alternatives: number): number {
  return prng.chance(CHOICES_PER_MILLION) ? prng.below(alternatives) : 0;
}
