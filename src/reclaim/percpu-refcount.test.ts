/** What is peculiar to the percpu reference count: modes, the test for zero, and its races. */
import { beforeEach, describe, expect, test } from 'vitest';
import { FLUSH_RECORD, PERCPU } from '#arena/layout/percpu';
import { REF, REF_ATOMIC, REF_MODE } from '#arena/layout/percpu-ref';
import { peek } from '#arena/word';
import { configureChoices } from '#mm/choices';
import { pmdLockptr, pmdOffset } from '#mm/pgtable';
import { boundProtocol, HOOK, hasHook } from '#mm/reclaim-protocol';
import type { Plan } from '#scenario/plan';
import { percpuRefGet, percpuRefPut, percpuRefValue } from '#sync/percpu-ref';
import { TestMachine } from '#tasks/machine.suite';

let machine: TestMachine;

function boot(options: Plan['options'] = {}): void {
  machine = new TestMachine({ protocol: 'percpu-refcount', options });
  machine.mmap(0, 64, 128);
}

const slots = (): number[] => [...machine.tree().ptes.keys()];
const tableOf = (slot: number): number => machine.tree().ptes.get(slot)!;
const modeOf = (slot: number): number =>
  peek(machine.map.tableWords + tableOf(slot) * REF.sizeWords + REF.mode);
const pmdpOf = (slot: number) => pmdOffset(machine.cpu(0), machine.mm, slot);
const pmlOf = (slot: number): number => pmdLockptr(machine.mm, pmdpOf(slot));

beforeEach(() => boot());

test('each entry is a reference, and nothing atomic is done for it', () => {
  for (const page of [64, 65]) machine.store(0, page, 1);
  machine.load(1, 66);
  expect([percpuRefValue(tableOf(8)), modeOf(8)]).toEqual([3, REF_MODE.percpu]);
  expect(machine.counter('refAtomics')).toBe(0);
});

test('a table without memory for its counter is none', () => {
  configureChoices(0, 1_000_000);
  expect(boundProtocol().tableConstruct(machine.cpu(0), 5)).toBe(false);
});

test('a count that is not zero at the end is a fact', () => {
  machine.store(0, 64, 1);
  percpuRefGet(machine.cpu(2), tableOf(8));
  machine.munmap(0, 64, 128);
  machine.settle();
  expect(machine.facts()).toEqual(['referencesLeft']);
});

describe('after a DONTNEED of part of a table', () => {
  beforeEach(() => {
    machine.store(0, 65, 1);
    machine.store(1, 66, 1);
  });

  test('a table with entries stays, in atomic mode', () => {
    machine.dontneed(2, 66, 67);
    expect([percpuRefValue(tableOf(8)), modeOf(8) & REF_ATOMIC]).toEqual([1, REF_ATOMIC]);
    expect(machine.counters()).toMatchObject({ reclaimKept: 1, refSwitches: 1 });
  });

  test('it goes back to percpu mode where that is asked for', () => {
    boot({ switchBack: 'on' });
    machine.store(0, 65, 1);
    machine.store(1, 66, 1);
    machine.dontneed(2, 66, 67);
    expect([percpuRefValue(tableOf(8)), modeOf(8)]).toEqual([1, REF_MODE.percpuAgain]);
  });

  test('an empty table goes', () => {
    machine.dontneed(2, 65, 67);
    expect([slots(), machine.nrPtes(), machine.counter('tablesReclaimed')]).toEqual([[], 0, 1]);
  });
});

test('in atomic mode the last reference takes the table along', () => {
  machine.store(0, 65, 1);
  machine.store(1, 66, 1);
  machine.dontneed(2, 66, 67);
  percpuRefGet(machine.cpu(2), tableOf(8));
  machine.munmap(0, 65, 66);
  expect(slots()).toEqual([8]);
  boundProtocol().tablePut(machine.cpu(2), machine.mm, pmdpOf(8), 8, tableOf(8));
  expect([slots(), machine.nrPtes(), machine.counter('tablesReclaimed')]).toEqual([[], 0, 1]);
});

describe('an empty table in atomic mode, of which nobody was told,', () => {
  beforeEach(() => {
    boot({ lastPut: 'silent' });
    machine.store(0, 65, 1);
    machine.store(1, 66, 1);
    machine.dontneed(2, 66, 67);
    machine.munmap(0, 65, 66);
    expect([slots(), percpuRefValue(tableOf(8))]).toEqual([[8], 0]);
  });

  test('is freed by the next lookup', () => {
    const before = tableOf(8);
    expect(machine.load(2, 67)).toBe(0);
    expect([tableOf(8) !== before, machine.nrPtes()]).toEqual([true, 1]);
    expect(machine.races()).toMatchObject({ 'trygetFailed: fault <- fault': 1 });
  });

  test.each([
    ['fixed', 8],
    ['as-posted', 9],
  ])('is freed by an rmap walk that dropped a page, and flushed: %s', (variant, slot) => {
    boot({ variant, switchBack: 'off', lastPut: 'silent' });
    machine.store(0, 65, 1);
    machine.store(1, 66, 1);
    machine.dontneed(2, 66, 67);
    machine.munmap(0, 65, 66);
    const cpu = machine.cpu(1);
    boundProtocol().rmapDone(cpu, machine.mm, pmdpOf(8), 8, false, true);
    expect(slots()).toEqual([8]);
    boundProtocol().rmapDone(cpu, machine.mm, pmdpOf(8), 8, true, false);
    expect([slots(), machine.nrPtes()]).toEqual([[], 0]);
    const flush = cpu.block + PERCPU.flush;
    expect(peek(flush + FLUSH_RECORD.startSlot)).toBe(slot);
    expect(peek(flush + FLUSH_RECORD.freedTables)).toBe(1);
  });
});

test('MADV_FREE frees an empty table, and leaves one with lazyfree pages in atomic mode', () => {
  boot({ switchBack: 'on', lastPut: 'silent' });
  machine.store(0, 65, 1);
  const lazyfreeDone = (marked: boolean): void =>
    boundProtocol().lazyfreeDone(machine.cpu(1), machine.mm, pmdpOf(8), 8, marked);
  expect([hasHook(HOOK.lazyfreeDone), hasHook(HOOK.rmapDone)]).toEqual([true, true]);
  lazyfreeDone(true);
  expect(modeOf(8) & REF_ATOMIC).toBe(REF_ATOMIC);
  lazyfreeDone(false);
  expect(modeOf(8)).toBe(REF_MODE.percpuAgain);
  machine.munmap(0, 65, 66);
  expect(slots()).toEqual([8]);
  lazyfreeDone(false);
  expect(slots()).toEqual([]);
});

// S-15: between the test for zero and the pml another table takes the place of the empty one.
describe('a table that has been replaced', () => {
  const race = (): void => {
    machine.store(0, 65, 1);
    machine.beforeLock(1, pmlOf(8), () => machine.store(2, 66, 7));
    machine.dontneed(1, 64, 72);
  };

  test('is kept', () => {
    race();
    expect([slots(), machine.load(0, 66), machine.facts()]).toEqual([[8], 7, []]);
    expect(machine.races()).toMatchObject({ 'refilled: madvise <- fault': 1 });
  });

  test.each([[{ variant: 'as-posted' }], [{ recheck: 'off' }]])('is freed with %o', (options) => {
    boot(options);
    race();
    expect([slots(), machine.facts()]).toEqual([[], ['nonemptyUnhooked']]);
  });
});

// S-16: the switch back takes the table that it remembers, not the one that is there.
test.each([
  [{ switchBack: 'on' }, 1],
  [{ variant: 'as-posted' }, 2],
])('with %o the new table has %i references', (options, expected) => {
  boot(options);
  machine.store(0, 65, 1);
  const table = tableOf(8);
  // A visitor keeps the old table until the zap has found that it is not free to go.
  percpuRefGet(machine.cpu(2), table);
  const pmdp = pmdpOf(8);
  for (let looks = 0; looks < 3; looks++) machine.meanwhile(1, 'read', pmdp, () => {});
  machine.meanwhile(1, 'read', pmdp, () => {
    percpuRefPut(machine.cpu(2), table);
    machine.store(2, 66, 7);
  });
  machine.dontneed(1, 64, 72);
  expect([machine.unplayed(), percpuRefValue(tableOf(8))]).toEqual([[], expected]);
});
