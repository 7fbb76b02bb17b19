/** Rounds are interleaved; medians and ratios are what they claim; a failure costs one variant. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isMet, measure, type Prepared, type Variant } from './harness.ts';
import { selfTimes } from './self-times.ts';
import { lineThrough, median, pairRatios, spreadOf } from './statistics.ts';

const sample = fc.double({ min: 1e-3, max: 1e9, noNaN: true });
const samples = fc.array(sample, { minLength: 1, maxLength: 20 });

test('half of the samples lie on each side of the median', () => {
  fc.assert(
    fc.property(samples, (values) => {
      const middle = median(values);
      const below = values.filter((value) => value < middle).length;
      const above = values.filter((value) => value > middle).length;
      return below <= values.length / 2 && above <= values.length / 2;
    }),
  );
});

test('the median does not depend on the order of the samples', () => {
  const shuffled = samples.chain((values) =>
    fc.tuple(
      fc.constant(values),
      fc.shuffledSubarray(values, { minLength: values.length, maxLength: values.length }),
    ),
  );
  fc.assert(fc.property(shuffled, ([values, other]) => median(values) === median(other)));
});

test('the median lies between the least and the greatest sample, which are samples', () => {
  fc.assert(
    fc.property(samples, (values) => {
      const { median: middle, min, max } = spreadOf(values);
      expect(values).toContain(min);
      expect(values).toContain(max);
      return min <= middle && middle <= max;
    }),
  );
});

test('a slowdown that hits both samples of a round leaves the ratio as it was', () => {
  const rounds = fc.array(fc.tuple(sample, fc.double({ min: 1, max: 10, noNaN: true })), {
    minLength: 1,
  });
  fc.assert(
    fc.property(rounds, fc.double({ min: 0.1, max: 10, noNaN: true }), (pairs, factor) => {
      const under = pairs.map(([value, slowdown]) => value * slowdown);
      const over = pairs.map(([value, slowdown]) => value * factor * slowdown);
      expect(median(pairRatios(over, under)) / factor).toBeCloseTo(1, 6);
    }),
  );
});

test('samples of different rounds are not paired', () => {
  expect(() => pairRatios([1, 2], [1])).toThrow('2 samples cannot be paired with 1');
  expect(() => median([])).toThrow('no median of no samples');
});

test('a line goes through both its points, and on', () => {
  expect([1, 2, 5].map((x) => lineThrough([1, 10], [2, 30], x))).toEqual([10, 30, 90]);
});

test('variants take turns', async () => {
  const turns: string[] = [];
  const variant = (name: string): Variant => ({ name, unit: 'ns', sample: () => turns.push(name) });
  await measure({ variants: ['a', 'b', 'c'].map(variant), figures: [], notes: [] }, 2);
  expect(turns.join('')).toBe('abcabc');
});

test('figures are medians of a variant, or of the ratio of two, held against a goal', async () => {
  const prepared: Prepared = {
    variants: [of('a', [10, 40, 10]), of('b', [5, 8, 2])],
    figures: [
      { name: 'a alone', of: 'a', goal: { bound: 'at most', limit: 9 } },
      { name: 'a to b', of: 'a', over: 'b', goal: { bound: 'at least', limit: 5 } },
    ],
    notes: [],
  };
  const { figures } = await measure(prepared, 3);
  expect(figures[0]).toMatchObject({ median: 10, min: 10, max: 40, unit: 'ns', met: false });
  expect(figures[1]).toMatchObject({ samples: [2, 5, 5], median: 5, unit: 'x', met: true });
  expect(isMet({ bound: 'at most', limit: 5 }, 5)).toBe(true);
});

test('a variant that fails is left out with a note, and so are figures that need it', async () => {
  const prepared: Prepared = {
    variants: [of('a', [1, 1]), of('b', [1])],
    figures: [
      { name: 'a', of: 'a' },
      { name: 'a to b', of: 'a', over: 'b' },
      { name: 'c', of: 'c' },
    ],
    notes: ['no compiler'],
  };
  const { variants, figures, notes } = await measure(prepared, 2);
  expect(variants.map(({ name }) => name)).toEqual(['a']);
  expect(figures.map(({ name }) => name)).toEqual(['a']);
  expect(notes).toEqual(['no compiler', 'b failed: no more samples']);
});

test('what a sample tells beside, and what was measured elsewhere, serve figures too', async () => {
  let beside = 0;
  const variant: Variant = {
    ...of('a', [2, 4]),
    beside: [{ name: 'evenness', unit: 'parts', read: () => ++beside / 4 }],
  };
  const { variants, figures, references } = await measure(
    {
      variants: [variant],
      figures: [
        { name: 'evenness', of: 'evenness' },
        { name: 'rate', of: 'theirs', over: 'a', goal: { bound: 'at least', limit: 9 } },
      ],
      references: [{ name: 'theirs', unit: 'ns', value: 8, source: 'them' }],
      notes: [],
    },
    2,
  );
  expect(variants.map(({ name, samples }) => [name, samples])).toEqual([
    ['a', [2, 4]],
    ['evenness', [0.25, 0.5]],
  ]);
  expect(figures[0]).toMatchObject({ unit: 'parts', median: 0.375 });
  expect(figures[1]).toMatchObject({ samples: [4, 2], met: false, profile: null });
  expect(references).toHaveLength(1);
});

test('a figure asks for a profile only where its goal is missed', async () => {
  const prepared: Prepared = {
    variants: [of('a', [3])],
    figures: [2, 4].map((limit) => {
      return { name: 'a', of: 'a', goal: { bound: 'at most', limit }, profile: 'a' };
    }),
    notes: [],
  };
  const { figures } = await measure(prepared, 1);
  expect(figures.map(({ profile }) => profile)).toEqual(['a', null]);
});

test('a function is one entry of a profile, on whatever path it was reached', () => {
  const frame = (functionName: string, lineNumber: number) => ({
    functionName,
    url: functionName === '' ? '' : 'node:fs',
    lineNumber,
  });
  const times = selfTimes({
    nodes: [
      { id: 1, callFrame: frame('fault', 9) },
      { id: 2, callFrame: frame('zap', 19) },
      { id: 3, callFrame: frame('fault', 9) },
      { id: 4, callFrame: frame('', -1) },
    ],
    samples: [1, 2, 3, 4],
    timeDeltas: [100, 150, 100, 1],
  });
  expect(times).toEqual([
    { name: 'fault', place: 'node:fs:10', us: 200 },
    { name: 'zap', place: 'node:fs:20', us: 150 },
    { name: '(anonymous)', place: '', us: 1 },
  ]);
});

/** A variant that gives these samples, then fails. */
function of(name: string, values: readonly number[]): Variant {
  const rest = [...values];
  return {
    name,
    unit: 'ns',
    sample() {
      const value = rest.shift();
      if (value === undefined) throw new Error('no more samples');
      return value;
    },
  };
}
