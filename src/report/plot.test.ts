/** The times below a plot give way before they make a line too long. */
import { expect, test } from 'vitest';
import { pageOf } from './page.ts';
import { plot } from './plot.ts';

const page = (width: number): Parameters<typeof plot>[0] => pageOf(width, (text) => text);
const axis = (width: number, fromMs: number, toMs: number): string =>
  plot(page(width), [
    [fromMs, 4],
    [toMs, 8],
  ]).at(-1)!;

test('both times stand where there is room for them', () => {
  expect(axis(60, 2000, 9000)).toMatch(/^ +2\.00 s +9\.00 s$/);
});

test('the last alone stands where there is not', () => {
  const line = axis(40, 3.6e10, 3.6e14);
  expect(line).toMatch(/^ +[\d,]+ h 0 min$/);
  expect(line.length).toBeLessThanOrEqual(40);
});
