/**
 * What is peculiar to the scanner: its filters, budget, offset and delay, and the races that it
 * finds.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { setClock } from '#arena/clock';
import { CONTROL } from '#arena/layout/control';
import { VMA_FLAG } from '#arena/layout/mm';
import { peek, poke } from '#arena/word';
import { mmapWriteLock } from '#mm/mm';
import { pmdLockptr, pmdOffset } from '#mm/pgtable';
import { boundProtocol, HOOK, hasHook } from '#mm/reclaim-protocol';
import type { Plan } from '#scenario/plan';
import { TestMachine } from '#tasks/machine.suite';

let machine: TestMachine;

function boot(plan: Partial<Plan> = {}): void {
  machine = new TestMachine({ protocol: 'async-scanner', ...plan });
}

/** Gives each slot of [first, last] an empty table. */
function emptyTables(first: number, last: number): void {
  for (let slot = first; slot <= last; slot++) machine.load(0, slot * 8);
  machine.dontneed(0, first * 8, (last + 1) * 8);
}

const slots = (): number[] => [...machine.tree().ptes.keys()];
const offset = (): number => peek(CONTROL.scanOffset);

beforeEach(() => boot());
afterEach(() => setClock(null));

describe('a pass', () => {
  test('frees empty tables, and keeps those with any entry', () => {
    machine.mmap(0, 64, 128);
    emptyTables(8, 12);
    machine.load(0, 73);
    machine.store(0, 82, 5);
    expect(machine.scan(1)).toBe(3);
    expect([slots(), machine.nrPtes()]).toEqual([[9, 10], 2]);
    expect(machine.counters()).toMatchObject({ tablesReclaimed: 3, scanTables: 5, scanPasses: 1 });
  });

  test('frees where locks are not split', () => {
    boot({ splitLocks: false });
    machine.mmap(0, 64, 128);
    emptyTables(8, 9);
    expect([machine.scan(1), machine.nrPtes(), machine.facts()]).toEqual([2, 0, []]);
  });

  const { hugetlb, hugepage, uffdWp } = VMA_FLAG;
  test.each(Object.entries({ hugetlb, hugepage, uffdWp }))('passes %s VMAs over', (_name, flag) => {
    machine.mmap(0, 64, 80);
    machine.mmap(0, 80, 96, flag);
    machine.mmap(0, 96, 112);
    emptyTables(8, 13);
    expect([machine.scan(1), slots()]).toEqual([4, [10, 11]]);
  });

  test('passes over slots that no single VMA contains', () => {
    machine.mmap(0, 68, 84);
    machine.mmap(0, 84, 92, VMA_FLAG.hugepage);
    machine.mmap(0, 92, 100);
    for (const page of [68, 72, 80, 88, 96]) machine.load(0, page);
    machine.dontneed(0, 68, 100);
    expect([machine.scan(1), slots()]).toEqual([1, [8, 10, 11, 12]]);
  });

  test('gives up while a writer has the mmap lock', () => {
    machine.mmap(0, 64, 128);
    emptyTables(8, 8);
    mmapWriteLock(machine.cpu(2), machine.mm);
    expect([machine.scan(1), machine.counter('scanPasses'), slots()]).toEqual([-1, 0, [8]]);
  });
});

describe('the budget', () => {
  test('bounds a pass, and the next goes on where it ended', () => {
    machine.mmap(0, 64, 128);
    emptyTables(8, 15);
    expect([machine.scan(1, 3), offset(), slots()]).toEqual([3, 11, [11, 12, 13, 14, 15]]);
    expect([machine.scan(1, 3), offset(), slots()]).toEqual([3, 14, [14, 15]]);
  });

  test('counts slots without a table too', () => {
    machine.mmap(0, 64, 128);
    emptyTables(12, 12);
    expect([machine.scan(1, 4), offset()]).toEqual([0, 12]);
    expect(machine.scan(1, 1)).toBe(1);
  });

  test('is not spent on holes and filtered VMAs', () => {
    machine.mmap(0, 64, 96, VMA_FLAG.hugetlb);
    machine.mmap(0, 200, 216);
    emptyTables(25, 26);
    expect([machine.scan(1, 2), slots()]).toEqual([2, []]);
  });

  test('that is left at the last VMA brings the offset back to the beginning', () => {
    machine.mmap(0, 64, 128);
    emptyTables(8, 15);
    machine.scan(1, 6);
    expect([machine.scan(1, 6), offset(), slots()]).toEqual([2, 0, []]);
    emptyTables(9, 9);
    expect(machine.scan(1, 6)).toBe(1);
  });

  // The kernel wraps when it looks for the first VMA of a pass (PROTOCOLS: "wrap to 0 when no
  // VMA").
  test('that ended just at the last VMA does not cost the next pass', () => {
    machine.mmap(0, 64, 128);
    machine.scan(1, 8);
    emptyTables(8, 9);
    expect(machine.scan(1, 8)).toBe(2);
  });
});

describe('as task work', () => {
  const userReturn = (cpu: number): void =>
    boundProtocol().userReturn(machine.cpu(cpu), machine.mm);
  let now: number;

  beforeEach(() => {
    now = 1000;
    setClock(() => now);
    boot({ options: { delayMs: 100, sizePages: 64, where: 'task-work' } });
    machine.mmap(0, 64, 128);
    // The first return has settled the time of the next.
    userReturn(0);
    now += 100;
    userReturn(0);
    emptyTables(8, 15);
  });

  test('does not scan at the first return, which settles the time of the next', () => {
    boot({ options: { delayMs: 100, sizePages: 64, where: 'task-work' } });
    userReturn(0);
    expect(machine.counter('scanPasses')).toBe(0);
  });

  test('scans once per delay, whoever returns', () => {
    const before = machine.counter('scanPasses');
    for (const step of [1, 50, 48]) {
      now += step;
      for (const id of [0, 1, 2]) userReturn(id);
    }
    expect(machine.counter('scanPasses')).toBe(before);
    now += 1;
    for (const id of [0, 1, 2]) userReturn(id);
    expect([machine.counter('scanPasses'), slots()]).toEqual([before + 1, []]);
  });

  test('covers the size that its options say', () => {
    poke(CONTROL.scanOffset, 0);
    poke(CONTROL.scanSlots, 3);
    now += 100;
    userReturn(1);
    expect(slots()).toEqual([11, 12, 13, 14, 15]);
  });

  test('follows a delay that is changed while it runs', () => {
    poke(CONTROL.scanDelay, 10);
    now += 100;
    userReturn(0);
    const before = machine.counter('scanPasses');
    now += 10;
    userReturn(0);
    expect(machine.counter('scanPasses')).toBe(before + 1);
  });

  test('loses to whoever moves the time first', () => {
    const before = machine.counter('scanPasses');
    now += 100;
    machine.meanwhile(1, 'compareExchange', CONTROL.scanNext, () => userReturn(2));
    userReturn(1);
    expect(machine.counter('scanPasses')).toBe(before + 1);
  });

  test('keeps time across the wrap of the clock', () => {
    now = 2 ** 31 - 50;
    userReturn(0);
    const before = machine.counter('scanPasses');
    now += 99;
    userReturn(0);
    expect(machine.counter('scanPasses')).toBe(before);
    now += 1;
    userReturn(0);
    expect(machine.counter('scanPasses')).toBe(before + 1);
  });
});

test('of a kernel thread, tasks do not scan', () => {
  boot({ options: { delayMs: 100, sizePages: 64, where: 'kthread' } });
  expect([hasHook(HOOK.scan), hasHook(HOOK.userReturn)]).toEqual([true, false]);
});

describe('what the scanner may do', () => {
  const options = { delayMs: 100, sizePages: 64, where: 'kthread' };
  const { ptScan, noPtScan } = VMA_FLAG;

  test('is nothing while the process is switched off', () => {
    boot({ options: { ...options, process: 'off' } });
    machine.mmap(0, 64, 128);
    emptyTables(8, 9);
    expect([machine.scan(1), machine.counter('scanPasses')]).toEqual([0, 0]);
    poke(CONTROL.scanSwitch, 1);
    expect(machine.scan(1)).toBe(2);
  });

  test.each([
    ['all', []],
    ['in', [8, 10]],
    ['out', [10]],
  ])('with opt %s depends on the consent of the VMA', (opt, left) => {
    boot({ options: { ...options, opt } });
    machine.mmap(0, 64, 72);
    machine.mmap(0, 72, 80, ptScan);
    machine.mmap(0, 80, 88, noPtScan);
    emptyTables(8, 10);
    machine.scan(1);
    expect(slots()).toEqual(left);
  });

  test('guided by counts is to look at empty tables only', () => {
    boot({ options: { ...options, guided: 'counts' } });
    machine.mmap(0, 64, 128);
    emptyTables(8, 9);
    machine.store(0, 81, 5);
    machine.load(0, 90);
    expect([machine.scan(1), slots(), machine.counter('scanTables')]).toEqual([2, [10, 11], 2]);
    // Told to look at all entries instead, while it runs.
    poke(CONTROL.scanGuided, 0);
    expect([machine.scan(1), machine.counter('scanTables')]).toEqual([0, 4]);
  });
});

describe('a race', () => {
  let pml: number;
  beforeEach(() => {
    machine.mmap(0, 64, 128);
    emptyTables(8, 8);
    pml = pmdLockptr(machine.mm, pmdOffset(machine.cpu(0), machine.mm, 8));
  });

  test('with a fault is found under the locks: the table is kept', () => {
    machine.beforeLock(1, pml, () => machine.store(2, 66, 7));
    expect(machine.scan(1)).toBe(0);
    expect(machine.races()).toEqual({ 'refilled: scanner <- fault': 1 });
    expect([machine.load(0, 66), slots()]).toEqual([7, [8]]);
  });

  test('with another scanner is found by the recheck of the pmd', () => {
    machine.beforeLock(1, pml, () => expect(machine.scan(2)).toBe(1));
    expect([machine.scan(1), machine.nrPtes(), machine.facts()]).toEqual([0, 0, []]);
    expect(machine.races()).toEqual({
      'pmdChanged: scanner <- scanner': 1,
      'staleWalk: scanner <- scanner': 1,
    });
  });

  test('with another scanner and a fault keeps the table that took its place', () => {
    machine.beforeLock(1, pml, () => {
      machine.scan(2);
      machine.store(2, 66, 7);
    });
    expect([machine.scan(1), machine.nrPtes(), machine.load(0, 66)]).toEqual([0, 1, 7]);
    expect(machine.races()).toMatchObject({ 'pmdChanged: scanner <- scanner': 1 });
    expect(machine.facts()).toEqual([]);
  });
});
