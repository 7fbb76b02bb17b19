/** Facts about lanes: slices nest on each, none is lost, and there are no more than it takes. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { property } from '#base/property.suite';
import { lanesOf } from './lanes.ts';
import type { Slice } from './slices.ts';

const slice = (beganNs: number, endedNs: number): Slice => ({
  ...{ name: `${beganNs}-${endedNs}`, category: 'lock', beganNs, endedNs, details: {} },
});
const namesOf = (...slices: Slice[]): string[][] =>
  lanesOf(slices).map((lane) => lane.map(({ name }) => name));

test('what nests or follows shares a lane', () => {
  expect(namesOf(slice(2, 3), slice(3, 5), slice(1, 6), slice(6, 9))).toEqual([
    ['1-6', '2-3', '3-5', '6-9'],
  ]);
});

test.each([
  ['first', [slice(0, 10), slice(0, 5)]],
  ['last', [slice(0, 5), slice(0, 10)]],
])('of two that begin together the longer is the outer one, though listed %s', (_name, both) => {
  expect(namesOf(...both)).toEqual([['0-10', '0-5']]);
});

test('what overlaps does not', () => {
  expect(namesOf(slice(0, 5), slice(3, 8), slice(4, 9), slice(8, 9))).toEqual([
    ['0-5', '8-9'],
    ['3-8'],
    ['4-9'],
  ]);
});

const some = fc.array(
  fc.tuple(fc.nat(30), fc.nat(30)).map(([began, lasted]) => slice(began, began + lasted)),
);
property([some])('every slice is on one lane, in order, inside whatever it begins in', (slices) => {
  const lanes = lanesOf(slices);
  expect(new Set(lanes.flat())).toEqual(new Set(slices));
  expect(lanes.flat()).toHaveLength(slices.length);
  for (const lane of lanes)
    for (const [i, inner] of lane.entries())
      for (const outer of lane.slice(0, i)) {
        expect(outer.beganNs).toBeLessThanOrEqual(inner.beganNs);
        if (inner.beganNs < outer.endedNs) expect(inner.endedNs).toBeLessThanOrEqual(outer.endedNs);
      }
});
