/**
 * What is peculiar to the counts under the ptl: what is counted, what goes under pressure and what
 * stays, and how CPUs share the work.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { MARKER, mkNonPresent, mkPte, PTE_KIND, type Pte, type Ptep } from '#arch/pte';
import { bodyAt, ptdescAt } from '#arena/arena';
import { CONTROL } from '#arena/layout/control';
import { VMA_FLAG } from '#arena/layout/mm';
import { ZERO_PFN } from '#arena/layout/page';
import { PTDESC } from '#arena/layout/ptdesc';
import { peek } from '#arena/word';
import { ptepReplace, setPteAt } from '#mm/pgtable';
import { anonVmaLockRead } from '#mm/rmap';
import type { Plan } from '#scenario/plan';
import { TestMachine } from '#tasks/machine.suite';
import { countsOf, mappedOf, zerosOf } from './table-counts.ts';

let machine: TestMachine;

/** A machine whose slots 8 to 15 are mapped. */
function boot(options: Plan['options'] = {}, plan: Partial<Plan> = {}): void {
  machine = new TestMachine({ protocol: 'locked-counts', options, ...plan });
  machine.mmap(0, 64, 128);
}

/** Gives each slot of [first, last] an empty table. */
function emptyTables(first: number, last: number): void {
  for (let slot = first; slot <= last; slot++) machine.load(0, slot * 8);
  machine.dontneed(0, first * 8, (last + 1) * 8);
}

function fillWithZeroPage(slot: number): void {
  for (let page = slot * 8; page < (slot + 1) * 8; page++) machine.load(0, page);
}

const slots = (): number[] => [...machine.tree().ptes.keys()];
const tableOf = (slot: number): number => machine.tree().ptes.get(slot)!;
const counts = (slot: number): [mapped: number, zeros: number] => {
  const word = countsOf(machine.cpu(0), tableOf(slot));
  return [mappedOf(word), zerosOf(word)];
};

beforeEach(() => boot());

describe('the count', () => {
  test('follows faults and zaps', () => {
    for (const page of [64, 65, 66]) machine.load(0, page);
    machine.store(1, 67, 5);
    expect(counts(8)).toEqual([4, 3]);
    machine.store(1, 64, 5);
    expect(counts(8)).toEqual([4, 2]);
    machine.dontneed(0, 65, 68);
    expect(counts(8)).toEqual([1, 0]);
  });

  test('takes no marker for the zero page, though their payloads are equal', () => {
    machine.load(0, 64);
    expect(MARKER.uffdWp).toBe(ZERO_PFN);
    setPteAt(machine.cpu(0), tableOf(8), 3, mkNonPresent(PTE_KIND.marker, MARKER.uffdWp));
    expect(counts(8)).toEqual([2, 1]);
  });

  test.each([
    ['all', [1, 1]],
    ['as-posted', [1, 0]],
  ])('with transitions %s, of a zero page in the place of another', (transitions, expected) => {
    boot({ transitions });
    machine.store(0, 64, 5);
    const ptep = bodyAt(peek(ptdescAt(tableOf(8)) + PTDESC.body)) as Ptep;
    ptepReplace(machine.cpu(0), tableOf(8), ptep, peek(ptep) as Pte, mkPte(ZERO_PFN, false, false));
    expect(counts(8)).toEqual(expected);
  });

  test('begins anew with the table', () => {
    boot({ transitions: 'as-posted' });
    emptyTables(8, 8);
    const table = tableOf(8);
    machine.pressure(0);
    machine.settle();
    machine.words[machine.map.tableWords + table] = 99;
    for (let slot = 8; slot < 16; slot++) machine.load(0, slot * 8);
    expect(Array.from({ length: 8 }, (_, i) => counts(8 + i))).toEqual(Array(8).fill([1, 1]));
  });
});

describe('under pressure', () => {
  test('empty tables go, those with data stay', () => {
    emptyTables(8, 12);
    machine.store(0, 82, 5);
    expect([machine.pressure(1), slots(), machine.nrPtes()]).toEqual([4, [10], 1]);
    expect(machine.counter('tablesReclaimed')).toBe(4);
    expect(machine.pressure(1)).toBe(0);
  });

  test('so do tables that map nothing but the zero page, and rss is what it was', () => {
    fillWithZeroPage(8);
    for (let page = 72; page < 79; page++) machine.load(0, page);
    expect([machine.pressure(1), slots()]).toEqual([1, [9]]);
    expect([machine.load(0, 66), machine.counter('rss'), machine.facts()]).toEqual([0, 0, []]);
  });

  test('unless they are told to stay', () => {
    boot({ zeroTables: 'off' });
    fillWithZeroPage(8);
    expect([machine.pressure(1), slots()]).toEqual([0, [8]]);
  });

  const { uffdMissing, uffdWp, hugetlb } = VMA_FLAG;
  test.each([
    ['on', uffdMissing, [8]],
    ['on', uffdWp, [8]],
    ['everywhere', uffdMissing, []],
  ])('with zeroTables %s and VMA flags %i', (zeroTables, flags, left) => {
    boot({ zeroTables });
    machine.mmap(0, 64, 72, flags);
    fillWithZeroPage(8);
    machine.pressure(1);
    expect(slots()).toEqual(left);
  });

  test('hugetlb VMAs are passed over', () => {
    machine.mmap(0, 64, 80, hugetlb);
    emptyTables(8, 9);
    expect(machine.pressure(1)).toBe(0);
  });

  test.each([
    ['within-vma', 1, [8, 10]],
    ['any', 3, []],
  ])('with slots %s, tables that VMAs share', (slotsOption, reclaimed, left) => {
    boot({ slots: slotsOption });
    machine.munmap(0, 64, 68);
    machine.mmap(0, 84, 88, VMA_FLAG.hugepage);
    for (const page of [70, 72, 80]) machine.load(0, page);
    machine.dontneed(0, 64, 128);
    expect([machine.pressure(1), slots(), machine.facts()]).toEqual([reclaimed, left, []]);
  });

  test('there is nothing to do in an empty address space', () => {
    machine.munmap(0, 64, 128);
    expect(machine.pressure(1)).toBe(0);
  });

  test.each([
    [{}, 1],
    [{ batch: 3 }, 3],
    [{ variant: 'as-posted' }, 8],
  ])(
    'with %j the mmap lock is held for writing so many times for eight tables',
    (options, holds) => {
      boot(options);
      emptyTables(8, 15);
      const before = machine.words[machine.mm.lockSeq]!;
      machine.pressure(1);
      expect([slots(), machine.words[machine.mm.lockSeq]! - before]).toEqual([[], holds]);
    },
  );

  test.each([
    [{}, 0],
    [{ rcuFree: 'off' }, 1],
  ])('with %j tables are free when it returns', (options, freed) => {
    boot(options);
    emptyTables(8, 8);
    machine.pressure(1);
    expect(machine.counter('tablesFreed')).toBe(freed);
  });
});

describe('a race', () => {
  const pressed = (options: Plan['options']): void => {
    boot(options);
    emptyTables(8, 8);
  };

  test('with a fault that came first is found under the ptl', () => {
    pressed({ vmaLock: 'off' });
    const ptl = ptdescAt(tableOf(8)) + PTDESC.ptl;
    machine.beforeLock(1, ptl, () => machine.store(2, 66, 7));
    expect([machine.pressure(1), machine.load(0, 66)]).toEqual([0, 7]);
    expect(machine.races()).toEqual({ 'refilled: pressure <- fault': 1 });
  });

  test('with an rmap walk waits until that is over', () => {
    pressed({});
    anonVmaLockRead(machine.cpu(2), machine.mm);
    expect(() => machine.pressure(1)).toThrow(/CPU 1 would wait for ever/);
    pressed({ rmapLocks: 'off' });
    anonVmaLockRead(machine.cpu(2), machine.mm);
    expect(machine.pressure(1)).toBe(1);
  });

  test('with an munmap finds the VMA gone', () => {
    pressed({});
    machine.meanwhile(1, 'compareExchange', machine.mm.mmapLock, () =>
      machine.meanwhile(1, 'compareExchange', machine.mm.mmapLock, () => {
        machine.meanwhile(1, 'compareExchange', machine.mm.mmapLock, () =>
          machine.munmap(2, 64, 128),
        );
      }),
    );
    expect([machine.pressure(1), machine.nrPtes(), machine.facts()]).toEqual([0, 0, []]);
    expect(machine.unplayed()).toEqual([]);
  });

  test('between two under pressure divides the work', () => {
    machine.mmap(0, 64, 256);
    emptyTables(8, 31);
    let others = 0;
    machine.meanwhile(1, 'compareExchange', CONTROL.pressureSlot, () =>
      machine.meanwhile(1, 'compareExchange', machine.mm.mmapLock, () => {
        // The first has claimed the slots from 8 to 15.
        expect(machine.words[CONTROL.pressureSlot]).toBe(16);
        machine.munmap(0, 64, 65);
        others = machine.pressure(2);
      }),
    );
    // The second goes on from there, and then around: to it, the claim of the first is past.
    expect([machine.pressure(1), others, slots()]).toEqual([0, 23, [8]]);
    expect(machine.facts()).toEqual([]);
  });
});
