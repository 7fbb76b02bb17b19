/** What is kept of the last operations of CPUs: as much as it takes to do them again. */

import { expect, test } from 'vitest';
import { CONTROL, PHASE } from '#arena/layout/control';
import { arenaMap } from '#arena/map';
import { poke } from '#arena/word';
import { mapOf } from '#scenario/map-op.suite';
import type { Advice, Op, Region, Walker } from '#scenario/plan';
import { cpuMain } from '#tasks/cpu-main';
import { GEOMETRY, planOf, TestMachine } from '#tasks/machine.suite';
import { ADVICE_ACT, WALKER_ACT } from '#trace/act';
import { FACT, noteFact } from '#trace/fact';
import { EVENT, recordEvent } from '#trace/ring';
import { lastActs } from './last-acts.ts';

const REGIONS: Region[] = [
  { name: 'heap', pages: 64, flags: [], gapPages: 0 },
  { name: 'stack', pages: 32, flags: [], gapPages: 8 },
];
const AT = { region: 1, share: 'all', extent: { page: 9, pages: 3 } } as const;
const MMAPS: Op[] = [0, 1].map((region) => mapOf(region));

function live(column: Op[]): TestMachine {
  const plan = { cpus: 1, regions: REGIONS, setup: [], columns: [column] };
  const machine = new TestMachine(plan, { cpus: 1 }, false);
  expect(cpuMain(machine.cpu(0), machine.machine)).toBe('done');
  return machine;
}

function kept({ words }: TestMachine): ReturnType<typeof lastActs> {
  return lastActs(planOf({}), words, arenaMap({ ...GEOMETRY, cpus: 1 }));
}

const DONE: readonly (readonly [op: Op, act: string, count: number])[] = [
  [{ op: 'touch', access: 'write', pages: 'every', ...AT }, 'touch write', 0],
  [{ op: 'touch', access: 'read', pages: 'one-per-slot', ...AT }, 'touch read', 63],
  [{ op: 'touch', access: 'read', pages: 7, ...AT }, 'touch read', 7],
  [{ op: 'dontneed', ...AT }, 'dontneed', 0],
  [{ op: 'purge', ...AT }, 'purge', 0],
  [{ op: 'punch', percent: 50, ...AT }, 'punch', 0],
  [{ op: 'reclaim', ...AT }, 'reclaim', 0],
  [{ op: 'madvise', advice: 'populate-read', ...AT }, 'madvise populate-read', 0],
  [{ op: 'walk', walker: 'gup-fast', ...AT }, 'walk gup-fast', 0],
  [{ op: 'munmap', ...AT }, 'munmap', 0],
];

test.each(DONE)('%j', (op, act, count) => {
  const { columns } = kept(live([...MMAPS, op]));
  const acts = columns[0]!.acts.slice(-2);
  expect(acts).toEqual([
    { act: 'mmap', count: 0, region: 1, page: 0, pages: 32 },
    { act, count, region: 1, page: 9, pages: 3 },
  ]);
  expect(columns[0]).toMatchObject({ cpu: 0, isInFlight: false });
});

test('sleep is kept by its time, and is of no region', () => {
  const { columns } = kept(live([...MMAPS, { op: 'sleep', ms: 2 }]));
  const act = { act: 'sleep', count: 0, region: null, page: 0, pages: 2 };
  expect(columns[0]!.acts.at(-1)).toEqual(act);
});

test('every advice and every walker has a number of its own', () => {
  const numbers = [...Object.values(ADVICE_ACT), ...Object.values(WALKER_ACT)];
  expect(new Set(numbers).size).toBe(numbers.length);
  const names: readonly (Advice | Walker)[] = ['no-pt-scan', 'smaps'];
  expect(names).toEqual([Object.keys(ADVICE_ACT).at(-1), Object.keys(WALKER_ACT)[0]]);
});

test('an operation is in flight where the main phase was not left', () => {
  const machine = live([...MMAPS, { op: 'dontneed', ...AT }]);
  recordEvent(machine.cpu(0), EVENT.free, 3, 0);
  expect(kept(machine).columns[0]!.isInFlight).toBe(false);
  poke(CONTROL.phase, PHASE.main);
  expect(kept(machine).columns[0]!.isInFlight).toBe(true);
});

test('a fact tells its slot, or its table where that was hooked last', () => {
  const machine = live(MMAPS);
  recordEvent(machine.cpu(0), EVENT.hook, 7, 20);
  recordEvent(machine.cpu(0), EVENT.unhook, 7, 21);
  expect(kept(machine).slots).toEqual([]);
  noteFact(machine.cpu(0), FACT.lostEntry, 7, 3, 0, 0, 0);
  noteFact(machine.cpu(0), FACT.lostData, 22, 0, 0, 0, 0);
  expect(kept(machine).slots).toEqual([21]);
});

test('the first fact stops a run that is to keep what led to it', () => {
  const machine = live(MMAPS);
  noteFact(machine.cpu(0), FACT.lostData, 22, 0, 0, 0, 0);
  expect(machine.words[CONTROL.stop]).toBe(0);
  poke(CONTROL.stopAtFact, 1);
  noteFact(machine.cpu(0), FACT.lostData, 22, 0, 0, 0, 0);
  expect(machine.words[CONTROL.stop]).toBe(1);
});
