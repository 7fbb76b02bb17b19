/** Bounded search tries all schedules within its bound, each once a round, and no other. */
import { expect, test } from 'vitest';
import { GATE } from '#arena/gate';
import type { Strategy } from '../strategy.ts';
import { BoundedDfsStrategy } from './bounded-dfs.ts';
import { alone, load, orders, store, Toy } from './toy.suite.ts';

/** Steps of two CPUs that have nothing to do with each other. */
const SHAPES = [
  [1, 1],
  [2, 3],
  [4, 4],
  [1, 6],
] as const;

test.each(SHAPES)('%i and %i steps: as many schedules as the formula says', (a, b) => {
  const toy = () => new Toy([alone(0, a), alone(1, b)]);
  const words = interleavings(a, b);
  for (let bound = 0; bound <= a + b; bound++) {
    const found = orders(toy(), new BoundedDfsStrategy(bound), Infinity);
    // Each round repeats the rounds before it.
    const rounds = Math.min(bound, maxPreemptions(a, b)) + 1;
    const sizes = Array.from({ length: rounds }, (_, c) => scheduleCount(a, b, c));
    expect(found.length).toBe(sizes.reduce((sum, size) => sum + size));
    const latest = found.slice(-sizes.at(-1)!);
    const expected = words.filter((word) => preemptions(word, a, b) <= bound);
    expect(latest.sort()).toEqual(expected.sort());
  }
});

test('three CPUs in all orders', () => {
  const toy = new Toy([alone(0, 2), alone(1, 1), alone(2, 2)]);
  const strategy = new BoundedDfsStrategy(9);
  const found = orders(toy, strategy, Infinity);
  // 5! / (2! 1! 2!).
  expect(new Set(found).size).toBe(30);
  expect(strategy.bound).toBe(2);
});

test('finds what needs one preemption with one, and not without', () => {
  // CPU 0 looks and then stores; in between CPU 1 has stored.
  const toy = new Toy([[load(0), store(0, 1)], [store(0, 2)]]);
  expect(orders(toy, new BoundedDfsStrategy(0), Infinity)).not.toContain('010');
  expect(orders(toy, new BoundedDfsStrategy(1), Infinity)).toContain('010');
});

test('tries every choice, which is no preemption', () => {
  const column = [
    { ...store(0, 1), choices: 3 },
    { ...load(0), choices: 2 },
  ];
  const found = orders(new Toy([column]), new BoundedDfsStrategy(0), Infinity);
  expect(found.sort()).toEqual(['00.0.0', '00.0.1', '00.1.0', '00.1.1', '00.2.0', '00.2.1']);
});

test('says whether the bound left anything out', () => {
  const toy = () => new Toy([alone(0, 2), alone(1, 2)]);
  const strategies = [0, 1, 2, 3].map((bound) => new BoundedDfsStrategy(bound));
  for (const strategy of strategies) orders(toy(), strategy, Infinity);
  expect(strategies.map(({ isExhaustive }) => isExhaustive)).toEqual([false, false, true, true]);
});

test('the end of a wait is no preemption', () => {
  // CPU 0 waits for CPU 1, and comes back to its lock after it.
  const lock = { op: GATE.acquire, at: 0, value: 1 };
  const critical = [lock, store(1, 1), store(0, 0)];
  const found = orders(new Toy([critical, critical]), new BoundedDfsStrategy(0), Infinity);
  expect(found.sort()).toEqual(['000111', '111000']);
});

test('notices a subject that does not repeat itself', () => {
  let executions = 0;
  const fickle: Strategy = new BoundedDfsStrategy(2);
  const [few, many] = [new Toy([alone(0, 2), alone(1, 2)]), new Toy(Array(3).fill(alone(0, 2)))];
  const next = () => (executions++ === 0 ? few : many).execute(fickle, executions);
  expect(next()).toBe('done');
  expect(next).toThrow('is the same when it is carried out again');
});

/**
 * Schedules of a and b steps with at most c preemptions. A schedule of m runs of steps that
 * alternate has m - 2 preemptions: behind the last run of each CPU that CPU has ended, so that of
 * the m - 1 switches one is none. The CPU that begins has half the runs, rounded up; there are
 * C(a - 1, r - 1) ways to cut a steps into r runs.
 */
function scheduleCount(a: number, b: number, c: number): number {
  let count = 0;
  for (let runs = 2; runs <= c + 2; runs++) {
    const [first, second] = [Math.ceil(runs / 2) - 1, Math.floor(runs / 2) - 1];
    count += binomial(a - 1, first) * binomial(b - 1, second);
    count += binomial(b - 1, first) * binomial(a - 1, second);
  }
  return count;
}

function maxPreemptions(a: number, b: number): number {
  return Math.max(...interleavings(a, b).map((word) => preemptions(word, a, b)));
}

function binomial(n: number, k: number): number {
  return k === 0 ? 1 : k > n ? 0 : (binomial(n - 1, k - 1) * n) / k;
}

/** All orders, by brute force. */
function interleavings(a: number, b: number): string[] {
  if (a === 0) return ['1'.repeat(b)];
  if (b === 0) return ['0'.repeat(a)];
  return [
    ...interleavings(a - 1, b).map((rest) => `0${rest}`),
    ...interleavings(a, b - 1).map((rest) => `1${rest}`),
  ];
}

/** Counted from the definition: another goes on although the CPU has steps left. */
function preemptions(word: string, a: number, b: number): number {
  const left = [a, b];
  let count = 0;
  for (const [i, step] of [...word].entries()) {
    left[Number(step)]!--;
    if (i + 1 < word.length && word[i + 1] !== step && left[Number(step)]! > 0) count++;
  }
  return count;
}
