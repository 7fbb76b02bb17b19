/** Facts about when a difference counts: where the live kernel says the same twice, kept still. */
import { expect, test } from 'vitest';
import type { Reading } from '#result/reading';
import type { Compared, Difference } from '#result/validation';
import { mapOf } from '#scenario/map-op.suite';
import type { Op } from '#scenario/plan';
import { planOf } from '#tasks/machine.suite';
import { comparePlan } from './compare.ts';
import { compareThreads } from './compare-threads.ts';
import type { Readings } from './peer.ts';

const plan = planOf({ regions: [{ name: 'heap', pages: 8, flags: [], gapPages: 0 }] });
const OPS = [mapOf(0), mapOf(0)];

function reading(vmpteKiB: number): Reading {
  return { vmpteKiB, rssKiB: 0, refused: 0, present: [] };
}

/** The simulator reads 0 KiB, and 4 KiB at the second checkpoint. */
function compared(run: () => Promise<Readings>): Promise<Compared> {
  const simulator = { run: async () => ({ readings: [reading(0), reading(4)], isStill: true }) };
  const course = { plan, ops: OPS, every: 1, thins: false, rssMaxKiB: 1000 };
  const words = { name: 'x', notes: [], show: ({ op }: Op) => op };
  return comparePlan({ kernel: { run }, simulator }, { ...course, ...words });
}

/** VmPTE at both checkpoints, as the live kernel says it time after time; `!`: it was not still. */
const COURSES: [string[], unknown][] = [
  [['0 4'], null],
  [['0 8', '0 4'], null],
  [['0 8', '0 8'], { operation: 2, kernel: { vmpteKiB: 8 }, isSettled: true }],
  [['0 8!', '0 8', '0 8'], { operation: 2, kernel: { vmpteKiB: 8 }, isSettled: true }],
  [['0 8', '0 12', '0 8!', '0 12'], { kernel: { vmpteKiB: 12 }, isSettled: true }],
  [Array.from({ length: 9 }, () => '0 8!'), { kernel: { vmpteKiB: 8 }, isSettled: false }],
];

test.each(COURSES)('%j comes to %o', async (course, expected) => {
  const said = (i: number): Readings => ({
    readings: course[i]!.split(' ').map((word) => reading(Number.parseInt(word, 10))),
    isStill: !course[i]!.endsWith('!'),
  });
  let runs = 0;
  const { difference } = await compared(async () => said(runs++));
  expectDifference(difference, expected);
  expect(runs).toBe(course.length);

  let races = 0;
  const race = async (): Promise<Readings> => {
    const { readings, isStill } = said(races++);
    return { readings: readings.slice(1), isStill };
  };
  const simulate = async (): Promise<Reading> => reading(4);
  const raced = await compareThreads(
    { race },
    { plan, notes: [], setup: OPS, columns: [], simulate },
  );
  expectDifference(raced.difference, expected);
});

function expectDifference(difference: Difference | null, expected: unknown): void {
  if (expected === null) expect(difference).toBe(null);
  else expect(difference).toMatchObject(expected as object);
}

test('a difference at the first checkpoint is the one that is said', async () => {
  const { difference, checkpoints } = await compared(async () => ({
    ...{ readings: [reading(8), reading(8)], isStill: true },
  }));
  expect([difference?.operation, checkpoints]).toEqual([1, 1]);
});
