/** Numbers as people read them; the limits between units are where mistakes would be. */
import { describe, expect, test } from 'vitest';
import {
  formatCount,
  formatCounted,
  formatKiB,
  formatPercent,
  formatRate,
  formatRatio,
  formatSeconds,
  formatShort,
} from './format.ts';

describe('counts', () => {
  test.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [-1234567, '-1,234,567'],
    [0.5, '0.50'],
  ])('%d in full is %s', (value, text) => expect(formatCount(value)).toBe(text));

  test.each([
    [0, '0'],
    [999, '999'],
    [999.7, '1.00k'],
    [1000, '1.00k'],
    [12_345, '12.3k'],
    [999_999, '1.00M'],
    [1_234_567, '1.23M'],
    [-45_600, '-45.6k'],
    [2.5e9, '2.50G'],
  ])('%d in short is %s', (value, text) => expect(formatShort(value)).toBe(text));

  test('one thing is not many', () => {
    expect(formatCounted(1, 'violation')).toBe('1 violation');
    expect(formatCounted(1000, 'violation')).toBe('1,000 violations');
  });
});

test.each([
  [0, '0 KiB'],
  [756, '756 KiB'],
  [1023, '1023 KiB'],
  [1024, '1.00 MiB'],
  [102_600, '100 MiB'],
  [50 * 2 ** 20, '50.0 GiB'],
  [-8, '-8 KiB'],
])('%d KiB is %s', (kib, text) => expect(formatKiB(kib)).toBe(text));

test.each([
  [0, '0 s'],
  [52e-9, '52 ns'],
  [12.34e-6, '12.3 us'],
  [0.00999, '9.99 ms'],
  [0.9999, '1.00 s'],
  [12.3, '12.3 s'],
  [119.4, '119 s'],
  [125, '2 min 5 s'],
  [3600 * 3 + 600, '3 h 10 min'],
])('%d seconds are %s', (seconds, text) => expect(formatSeconds(seconds)).toBe(text));

test.each([
  [0, '0.00'],
  [0.874, '0.87'],
  [99.99, '99.99'],
  [99.996, '100'],
  [1234, '1.23k'],
])('the ratio %d is %s', (ratio, text) => expect(formatRatio(2 * ratio, 2)).toBe(text));

test('nothing is divided by zero', () => {
  expect(formatRate(5, 0)).toBe('-');
  expect(formatPercent(0, 0)).toBe('-');
  expect(formatRatio(7, 0)).toBe('-');
  expect(formatPercent(1, 10_000)).toBe('<0.1%');
  expect(formatPercent(1, 4)).toBe('25.0%');
});
