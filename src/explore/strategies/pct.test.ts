/** PCT keeps its promise, starves nobody who is waited for, and repeats itself. */
import { expect, test } from 'vitest';
import { GATE } from '#arena/gate';
import { chanceToFind, pctBound } from './bounds.ts';
import { PctStrategy } from './pct.ts';
import { alone, frequency, load, orders, retry, store, Toy, type ToyStep } from './toy.suite.ts';

const EXECUTIONS = 20_000;
/** Three CPUs, each on a word of its own: 4, 3 and 5 steps. */
const APART = [alone(0, 4), alone(1, 3), alone(2, 5)];
/** Of which two end a CPU, and one at least is taken by the last of them alone. */
const STEPS = 9;

/** What CPUs 0 and 1 do in the order that matters, whatever CPU 2 does in between. */
const WRONG: readonly (readonly [depth: number, among01: string])[] = [
  // All of the one before the first step of the other.
  [1, '1110000'],
  // One exact preemption.
  [2, '0011100'],
  // Two, the second of which must go below the first.
  [3, '0110001'],
  [3, '1001100'],
];

test.each(WRONG)('finds a bug of depth %i at least as often as promised', (depth, bad) => {
  const strategy = new PctStrategy(1, depth);
  const found = orders(new Toy(APART), strategy, EXECUTIONS);
  expect(strategy.steps).toBeLessThanOrEqual(STEPS);
  const among01 = found.map((order) => order.replaceAll('2', ''));
  const often = frequency(among01, new RegExp(`^${bad}$`));
  expect(often).toBeGreaterThan(pctBound(3, strategy.steps, depth));
  // With less depth it needs luck that PCT does not have.
  const flat = depth === 1 ? [] : orders(new Toy(APART), new PctStrategy(1, depth - 1), 1000);
  expect(flat.filter((order) => order.replaceAll('2', '') === bad)).toEqual([]);
});

test('learns how long an execution is, but not from one that was cut off', () => {
  const strategy = new PctStrategy(1, 1);
  const learned = (steps: number, stepsMax = 1000) => {
    orders(new Toy([alone(0, steps), alone(1, steps)], stepsMax), strategy, 3);
    return strategy.steps;
  };
  // The CPU that goes first takes all its steps beside the other; the last one ends it.
  expect(learned(10)).toBe(9);
  expect(learned(30, 20)).toBe(9);
  expect(learned(30)).toBe(29);
  expect(learned(10)).toBe(29);
});

test('a CPU goes down although it waits, and only another is enabled', () => {
  // CPU 0 comes to wait for the lock that CPU 1 holds; lowered there, it gets it late.
  const lock = { op: GATE.acquire, at: 0, value: 1 };
  const toy = new Toy([
    [...alone(0, 1), lock],
    [lock, store(0, 0), ...alone(1, 2)],
  ]);
  const found = orders(toy, new PctStrategy(1, 3), 5000);
  expect(found.some((order) => /^101110$/.test(order))).toBe(true);
});

test('priorities change up to the last step', () => {
  // Behind CPU 2, and at one exact step.
  const strategy = new PctStrategy(1, 2);
  const often = frequency(orders(new Toy(APART), strategy, EXECUTIONS), /^222220001110$/);
  expect(often * 6 * strategy.steps).toBeGreaterThan(0.8);
  expect(often * 6 * strategy.steps).toBeLessThan(1.2);
});

/** Ways to try again until another CPU has stored to word 0. */
const SPINS: readonly (readonly [string, readonly ToyStep[]])[] = [
  ['looks at one word', [retry(0, 0)]],
  ['looks at several', [load(1), load(2), retry(0, 2)]],
  ['has done something before', [...alone(0, 3), load(1), load(2), retry(0, 1)]],
  ['takes a lock and returns it', [store(1, 1), store(1, 0), retry(0, 2)]],
];

test.each(SPINS)('a CPU that %s in vain lets others go on', (_, spin) => {
  expect(longest(new Toy([spin, [...alone(1, 3), store(0, 1)]]))).toBeGreaterThan(15);
});

test('CPUs that wait for each other in a row all go on', () => {
  const columns = [[retry(0, 0)], [retry(1, 0), store(0, 1)], [retry(2, 0), store(1, 1)]];
  expect(longest(new Toy([...columns, [store(2, 1)]]))).toBeGreaterThan(45);
});

test('CPUs that go round with ever new values get their turns once they are overdue', () => {
  const counts: ToyStep = { op: GATE.add, at: 1, value: 'one more' };
  const toy = new Toy([[counts, retry(0, 1)], [store(0, 1)]], 50_000);
  // Under some of these seeds the first execution, which teaches the length, is a short one.
  const lengths = [1, 2, 3, 4].map((seed) => longest(toy, seed));
  expect(Math.min(...lengths)).toBeGreaterThan(1000);
  expect(Math.min(...lengths)).toBeLessThan(1100);
  expect(Math.max(...lengths)).toBeLessThan(20_200);
});

/** The length of the longest of some executions, all of which come to their ends. */
function longest(toy: Toy, seed = 1): number {
  const strategy = new PctStrategy(seed, 1);
  let longest = 0;
  for (let execution = 0; execution < 50; execution++) {
    expect(toy.execute(strategy, execution)).toBe('done');
    longest = Math.max(longest, toy.history.steps);
  }
  return longest;
}

const times = (count: number, ...steps: ToyStep[]) => Array(count).fill(steps).flat();

/** CPUs that come to one passage often without spinning. */
const BUSY: readonly (readonly [string, readonly ToyStep[]])[] = [
  ['goes through many words', Array.from({ length: 40 }, (_, at) => load(at))],
  ['changes something in between', times(20, load(0), { ...load(1), value: 'one more' })],
  ['looks again as often as others before it', times(15, load(0))],
];

test.each(BUSY)('a CPU that %s is not taken for one that spins', (_, busy) => {
  const found = orders(new Toy([busy, busy, busy]), new PctStrategy(1, 1), 40);
  const rows = [...'012'].map((cpu) => cpu.repeat(busy.length));
  const inRows = [0, 1, 2].flatMap((a) =>
    [1, 2].map((b) => rows[a]! + rows[(a + b) % 3] + rows[(a + 2 * b) % 3]),
  );
  expect(new Set(found)).toEqual(new Set(inRows));
});

test('silence is worth what the bound says', () => {
  expect(pctBound(2, 100, 3)).toBeCloseTo(1 / 20_000, 12);
  expect(chanceToFind(0.5, 2)).toBeCloseTo(0.75, 12);
  expect(chanceToFind(pctBound(2, 100, 3), 100_000)).toBeCloseTo(1 - Math.exp(-5), 3);
  expect(chanceToFind(1, 1)).toBe(1);
  expect(chanceToFind(1, 0)).toBe(0);
  expect(chanceToFind(1e-18, 1)).toBeCloseTo(1e-18, 24);
});
