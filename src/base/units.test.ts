/** Sizes and durations survive a round trip, and mistakes are told how to write them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, formatSize, parseDuration, parseSize } from '#base/units';

test('units mean what they say', () => {
  expect(parseSize('50GiB')).toBe(50 * 2 ** 30);
  expect(parseSize('2MiB')).toBe(2 ** 21);
  expect(parseSize('4KiB')).toBe(4096);
  expect(parseSize('1.5KiB')).toBe(1536);
  expect(parseSize('55TiB')).toBe(55 * 2 ** 40);
  expect(parseDuration('10s')).toBe(10_000);
  expect(parseDuration('250ms')).toBe(250);
  expect(parseDuration('2m')).toBe(120_000);
  expect(parseDuration('1h')).toBe(3_600_000);
  expect(parseDuration('0ms')).toBe(0);
});

test('the largest unit that leaves a whole number is written', () => {
  expect(formatSize(50 * 2 ** 30)).toBe('50GiB');
  expect(formatSize(1536)).toBe('1536B');
  expect(formatSize(0)).toBe('0B');
  expect(formatDuration(90_000)).toBe('90s');
  expect(formatDuration(120_000)).toBe('2m');
  expect(formatDuration(0)).toBe('0ms');
});

test('sizes and durations survive a round trip', () => {
  const whole = fc.oneof(fc.maxSafeNat(), fc.nat(4096));
  fc.assert(fc.property(whole, (bytes) => parseSize(formatSize(bytes)) === bytes));
  fc.assert(fc.property(whole, (ms) => parseDuration(formatDuration(ms)) === ms));
});

test('a mistake is told how to write it', () => {
  expect(() => parseSize('50')).toThrow('size "50" has no unit; write e.g. 50GiB');
  expect(() => parseDuration('10')).toThrow('duration "10" has no unit; write e.g. 10s');
  expect(() => parseSize('50GB')).toThrow(
    'size "50GB" is not a number with a unit (B, KiB, MiB, GiB, TiB); write e.g. 50GiB',
  );
  expect(() => parseDuration('-1s')).toThrow(
    'duration "-1s" is not a number with a unit (ms, s, m, h); write e.g. 10s',
  );
  expect(() => parseSize('0.1KiB')).toThrow(
    'size "0.1KiB" is not a whole number of bytes below 2^53',
  );
});

test('any text is either read or refused with one line', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        return Number.isSafeInteger(parseSize(text));
      } catch (error) {
        return (error as Error).name === 'UserError';
      }
    }),
  );
});
