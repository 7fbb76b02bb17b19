/** Durations that the CPUs have counted in histograms: all CPUs together, as percentiles. */
import { LATENCY_RECORD, LATENCY_WORDS } from '#arena/layout/percpu';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import type { LatencySummary } from '#result/result';
import { durationIn } from '#trace/duration';
import { histogramValue } from '#trace/histogram';

/** Sum over all CPUs of the histogram of `size` buckets at `offset` of their blocks. */
export function histogramOf(
  words: Words,
  map: ArenaMap,
  offset: number,
  size: number,
): Float64Array {
  const buckets = new Float64Array(size);
  for (let id = 0; id < map.geometry.cpus; id++)
    for (let i = 0; i < size; i++)
      buckets[i]! += words[map.percpu + id * map.percpuWords + offset + i]! >>> 0;
  return buckets;
}

/** The smallest value of the bucket that `part` of all values do not exceed; 0 without values. */
export function quantile(buckets: Float64Array, part: number): number {
  const total = sum(buckets);
  let seen = 0;
  for (const [slot, n] of buckets.entries()) {
    seen += n;
    if (n > 0 && seen >= part * total) return histogramValue(slot);
  }
  return 0;
}

/** The durations of the `LATENCY_RECORD` at `offset` of all CPUs' blocks. */
export function latencySummary(words: Words, map: ArenaMap, offset: number): LatencySummary {
  const buckets = histogramOf(words, map, offset + LATENCY_RECORD.buckets, LATENCY_WORDS);
  let max = 0;
  for (let id = 0; id < map.geometry.cpus; id++) {
    const at = map.percpu + id * map.percpuWords + offset;
    max = Math.max(max, durationIn(words, at + LATENCY_RECORD.longest));
  }
  return { p50: quantile(buckets, 0.5), p99: quantile(buckets, 0.99), max, samples: sum(buckets) };
}

function sum(buckets: Float64Array): number {
  return buckets.reduce((total, n) => total + n, 0);
}
