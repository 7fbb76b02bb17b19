/** Histograms of durations: small ones to set into a table, and their figures in words. */
import type { LockTimes } from '#result/lock-statistics';
import { formatCount, formatNs } from '../format.ts';
import { type Html, html } from './markup.ts';

const WIDTH = 260;
const HEIGHT = 28;
/** Buckets are up to 25 % wide: four to a doubling. */
const BUCKETS_PER_DOUBLING = 4;
const BAR = 1 / BUCKETS_PER_DOUBLING;

/** Where an axis of durations begins and ends, as powers of two of nanoseconds. */
export interface Axis {
  readonly from: number;
  readonly to: number;
}

/** One axis for all of them, so that they compare; null: nothing was timed. */
export function axisOf(all: readonly LockTimes[]): Axis | null {
  const times = all.flatMap(({ histogram }) => histogram.map(([ns]) => Math.log2(Math.max(1, ns))));
  if (times.length === 0) return null;
  return { from: Math.floor(Math.min(...times)), to: Math.ceil(Math.max(...times) + BAR) };
}

/** `16 ns to 1.02 us`. */
export function axisText({ from, to }: Axis): string {
  return `${formatNs(2 ** from)} to ${formatNs(2 ** to)}`;
}

/** Heights are relative to the highest bar; below it the figures. */
export function histogram(times: LockTimes, axis: Axis | null): Html {
  const { histogram: buckets, samples, longestNs } = times;
  if (axis === null || buckets.length === 0) return html`-`;
  const most = Math.max(...buckets.map(([, count]) => count));
  const scale = WIDTH / (axis.to - axis.from);
  const width = tenth(Math.max(1, BAR * scale - 0.5));
  const bars = buckets.map(([ns, count]) => {
    const x = tenth((Math.log2(Math.max(1, ns)) - axis.from) * scale);
    const height = tenth(Math.max(1, (HEIGHT * count) / most));
    return `M${x} ${HEIGHT}v-${height}h${width}V${HEIGHT}z`;
  });
  const [p50, p99] = [0.5, 0.99].map((share) => formatNs(quantile(times, share)));
  return html`<svg class="histogram" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}"
 height="${HEIGHT}" aria-hidden="true"><path d="${bars.join('')}"/></svg>
<span class="note">p50 ${p50}, p99 ${p99}, max ${formatNs(longestNs)};
${formatCount(samples)} timed</span>`;
}

/** The end of the bucket up to which `share` of what was timed lies, or the longest. */
function quantile({ histogram: buckets, longestNs }: LockTimes, share: number): number {
  const all = buckets.reduce((sum, [, count]) => sum + count, 0);
  let seen = 0;
  for (const [ns, count] of buckets) {
    seen += count;
    if (seen >= share * all) return Math.min(longestNs, ns * 2 ** BAR);
  }
  return longestNs;
}

function tenth(value: number): string {
  return String(Math.round(value * 10) / 10);
}
