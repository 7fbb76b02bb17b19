/**
 * Log-linear buckets for durations kept in the arena: four buckets per power of two, so a value is
 * known to 25 %. Recording is one addition; percentiles are made from the buckets afterwards.
 */
import { HISTOGRAM_WORDS } from '#arena/layout/percpu';

/** Bucket of `value` (a non-negative integer; others count as 0). */
export function histogramSlot(value: number): number {
  if (value < 4) return value < 0 ? 0 : value;
  const exponent = 31 - Math.clz32(value);
  return Math.min((exponent - 1) * 4 + ((value >>> (exponent - 2)) & 3), HISTOGRAM_WORDS - 1);
}

/** The smallest value of bucket `slot`. */
export function histogramValue(slot: number): number {
  if (slot < 4) return slot;
  const exponent = Math.floor(slot / 4) + 1;
  return (4 + (slot % 4)) * 2 ** (exponent - 2);
}
