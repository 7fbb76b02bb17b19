/** Facts about the log-linear buckets. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HISTOGRAM_WORDS } from '#arena/layout/percpu';
import { property } from '#base/property.suite';
import { histogramSlot, histogramValue } from './histogram.ts';

const values = fc.oneof(fc.nat(2 ** 31 - 1), fc.nat(1000));

property([values, values])('slots are monotone', (a, b) => {
  fc.pre(a <= b);
  expect(histogramSlot(a)).toBeLessThanOrEqual(histogramSlot(b));
});

property([values])('a value is known to 25 %, from below', (value) => {
  const floor = histogramValue(histogramSlot(value));
  expect(floor).toBeLessThanOrEqual(value);
  expect(value - floor).toBeLessThanOrEqual(0.25 * floor);
});

property([values])('the next bucket begins above the value', (value) => {
  expect(histogramValue(histogramSlot(value) + 1)).toBeGreaterThan(value);
});

test('every slot is in its room, and is the slot of its smallest value', () => {
  expect(histogramSlot(2 ** 31 - 1)).toBeLessThan(HISTOGRAM_WORDS);
  expect(histogramSlot(-5)).toBe(0);
  const last = histogramSlot(2 ** 31 - 1);
  for (let slot = 0; slot <= last; slot++) expect(histogramSlot(histogramValue(slot))).toBe(slot);
});
