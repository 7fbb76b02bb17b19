/** Executions that differ only in the order of steps that do not meet are one trace. */
import { expect, test } from 'vitest';
import { GATE } from '#arena/gate';
import { History } from './history.ts';
import { TraceCensus } from './trace-census.ts';

type Step = [cpu: number, at: number, found: number, left: number];

function historyOf(steps: readonly Step[]): History {
  const history = new History(100);
  for (const [cpu, at, found, left] of steps) {
    history.add(cpu, GATE.load, at, found);
    history.leave(left);
  }
  history.decided = steps.length;
  return history;
}

function traces(...histories: Step[][]): number {
  const census = new TraceCensus();
  census.beginPlan(1, 10);
  for (const steps of histories) census.add(historyOf(steps));
  return census.size;
}

test('steps on different words may change places', () => {
  expect(
    traces(
      [
        [0, 1, 0, 1],
        [1, 2, 0, 1],
      ],
      [
        [1, 2, 0, 1],
        [0, 1, 0, 1],
      ],
    ),
  ).toBe(1);
});

test('steps that only read may change places', () => {
  expect(
    traces(
      [
        [0, 1, 5, 5],
        [1, 1, 5, 5],
      ],
      [
        [1, 1, 5, 5],
        [0, 1, 5, 5],
      ],
    ),
  ).toBe(1);
});

test('a read before a change is not one after it', () => {
  expect(
    traces(
      [
        [0, 1, 0, 0],
        [1, 1, 0, 1],
      ],
      [
        [1, 1, 0, 1],
        [0, 1, 1, 1],
      ],
    ),
  ).toBe(2);
});

test('another plan has other traces', () => {
  const census = new TraceCensus();
  for (const plan of [1, 2]) {
    census.beginPlan(plan, 10);
    census.add(historyOf([[0, 1, 0, 1]]));
  }
  expect(census.size).toBe(2);
  expect(census.fingerprints()).toHaveLength(2);
});

test('who changed a word matters, also where all leave the same', () => {
  const ends: Step[] = [
    [0, 1, 0, 7],
    [1, 1, 7, 0],
    [0, 1, 0, 7],
  ];
  const other: Step[] = [
    [1, 1, 0, 7],
    [0, 1, 7, 0],
    [0, 1, 0, 7],
  ];
  expect(traces(ends, other)).toBe(2);
});
