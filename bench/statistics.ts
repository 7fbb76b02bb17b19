/**
 * Medians and ratios. A ratio is formed within each round, from two samples taken one after the
 * other, and the median is taken of the ratios: a machine that slows down for a while slows both.
 */

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Of at least one sample. */
export function spreadOf(samples: readonly number[]): Spread {
  return { median: median(samples), min: Math.min(...samples), max: Math.max(...samples) };
}

/** The middle sample, or the mean of the two in the middle. */
export function median(samples: readonly number[]): number {
  if (samples.length === 0) throw new RangeError('no median of no samples');
  const sorted = [...samples].sort((a, b) => a - b);
  const upper = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[upper];
  const lower = sorted[upper - 1];
  return lower + (sorted[upper] - lower) / 2;
}

/** `over[i] / under[i]` of each round. */
export function pairRatios(over: readonly number[], under: readonly number[]): number[] {
  if (over.length !== under.length) {
    throw new RangeError(`${over.length} samples cannot be paired with ${under.length}`);
  }
  return over.map((sample, round) => sample / under[round]);
}

type Point = readonly [x: number, y: number];

/** Where the line through both points is at `x`. */
export function lineThrough([x1, y1]: Point, [x2, y2]: Point, x: number): number {
  return y1 + ((y2 - y1) / (x2 - x1)) * (x - x1);
}
