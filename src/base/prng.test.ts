/** Facts about the generator that every run's chance comes from. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Prng } from './prng.ts';
import { property } from './property.suite.ts';

const draw = (prng: Prng, count: number): number[] =>
  Array.from({ length: count }, () => prng.next());

property([fc.integer(), fc.integer()])('a seed and stream give one sequence', (seed, stream) => {
  expect(draw(new Prng(seed, stream), 50)).toEqual(draw(new Prng(seed, stream), 50));
});

property([fc.integer(), fc.integer(), fc.integer()])('streams of a seed differ', (seed, a, b) => {
  fc.pre(a !== b);
  expect(draw(new Prng(seed, a), 8)).not.toEqual(draw(new Prng(seed, b), 8));
});

property([fc.integer(), fc.integer()])('seeds differ in the same stream', (a, b) => {
  fc.pre(a !== b);
  expect(draw(new Prng(a, 3), 8)).not.toEqual(draw(new Prng(b, 3), 8));
});

property([fc.integer(), fc.integer({ min: 1, max: 2 ** 31 - 1 })])(
  'below(bound) is an integer in [0, bound)',
  (seed, bound) => {
    const prng = new Prng(seed);
    for (let i = 0; i < 50; i++) {
      const drawn = prng.below(bound);
      expect(Number.isInteger(drawn) && drawn >= 0 && drawn < bound).toBe(true);
    }
  },
);

property([fc.integer(), fc.integer({ min: 2, max: 30 })], { numRuns: 20 })(
  'below(bound) is roughly uniform',
  (seed, bound) => {
    const prng = new Prng(seed);
    const expected = 2000;
    const seen = new Array<number>(bound).fill(0);
    for (let i = 0; i < expected * bound; i++) seen[prng.below(bound)]!++;
    // Six standard deviations.
    for (const n of seen) expect(Math.abs(n - expected)).toBeLessThan(6 * Math.sqrt(expected));
  },
);

test('chance keeps to its odds, and to never and always', () => {
  const prng = new Prng(7);
  const hits = (perMillion: number): number =>
    Array.from({ length: 20_000 }, () => prng.chance(perMillion)).filter(Boolean).length;
  expect(hits(0)).toBe(0);
  expect(hits(1_000_000)).toBe(20_000);
  expect(Math.abs(hits(250_000) - 5000)).toBeLessThan(400);
});
