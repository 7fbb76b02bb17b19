/** What sightings come to as rates. */
import { expect, test } from 'vitest';
import { rateOf, rateText } from './sighting-rates.ts';

test.each([
  [{ seen: 5, operations: 1000 }, '5.00k'],
  [{ seen: 3, operations: 2_000_000 }, '1.5'],
  [{ seen: 1, operations: 40_000_000 }, '0.025'],
  [{ seen: 0, operations: 20_000_000 }, '< 0.050'],
  [{ seen: 0, operations: 0 }, '< 1.00M'],
])('%o is told as %s', (rate, text) => {
  expect(rateText(rateOf(rate))).toBe(text);
});
