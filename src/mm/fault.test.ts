/** Facts about faults, and about the race each of them can find. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type Pte, ptePfn, ptePresent, pteWrite } from '#arch/pte';
import { pageAt, ptdescAt } from '#arena/arena';
import { CONTROL } from '#arena/layout/control';
import { PAGE, PAGE_STATE, PAGE_STATE_MASK, ZERO_PFN } from '#arena/layout/page';
import { PTDESC } from '#arena/layout/ptdesc';
import { peek } from '#arena/word';
import { TestMachine } from '#tasks/machine.suite';
import { pmdLockptr, pmdOffset, pmdpGet, pteLockptr } from './pgtable.ts';
import { allocTable, freeTable } from './table-alloc.ts';
import { ACCESS } from './user-access.ts';

const PAGE_NUMBER = 65;
let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine();
  machine.mmap(0, 64, 128);
});

const pte = (page = PAGE_NUMBER): Pte => machine.pte(page) as Pte;

/** Place of the pmd entry, and of the locks above and below it. */
function placesOf(page: number): { pmdp: number; pml: number; ptl: number } {
  const pmdp = pmdOffset(machine.cpu(0), machine.mm, machine.slotOf(page));
  return {
    pmdp,
    pml: pmdLockptr(machine.mm, pmdp),
    ptl: pteLockptr(machine.mm, pmdpGet(machine.cpu(0), pmdp)),
  };
}

describe('a fault', () => {
  test('on a read finds the zero page', () => {
    expect(machine.load(0, PAGE_NUMBER)).toBe(0);
    expect([ptePfn(pte()), ptePresent(pte()), pteWrite(pte())]).toEqual([ZERO_PFN, true, false]);
    expect([machine.counter('rss'), machine.inUse('pages')]).toEqual([0, 0]);
  });

  test('on a write gets a page of its own, with the value in it', () => {
    expect(machine.store(0, PAGE_NUMBER, 77)).toBe(ACCESS.stored);
    expect([ptePresent(pte()), pteWrite(pte())]).toEqual([true, true]);
    const at = pageAt(ptePfn(pte()));
    expect(peek(at + PAGE.content)).toBe(77);
    expect(peek(at + PAGE.state) & PAGE_STATE_MASK).toBe(PAGE_STATE.mapped);
    expect(machine.load(1, PAGE_NUMBER)).toBe(77);
    expect([machine.counter('rss'), machine.inUse('pages')]).toEqual([1, 1]);
  });

  test('on a write after a read replaces the zero page', () => {
    machine.load(0, PAGE_NUMBER);
    machine.store(1, PAGE_NUMBER, 5);
    expect(ptePfn(pte())).not.toBe(ZERO_PFN);
    expect([machine.load(0, PAGE_NUMBER), machine.load(0, PAGE_NUMBER + 1)]).toEqual([5, 0]);
    expect(machine.counters()).toMatchObject({ faultsRead: 2, faultsWrite: 1, rss: 1 });
    expect(peek(pageAt(ZERO_PFN) + PAGE.content)).toBe(0);
  });

  test('does not happen where the entry allows the access', () => {
    machine.store(0, PAGE_NUMBER, 5);
    machine.store(0, PAGE_NUMBER, 6);
    expect(machine.load(0, PAGE_NUMBER)).toBe(6);
    expect(machine.counter('faultsWrite')).toBe(1);
  });

  test('outside of every VMA is a segmentation fault', () => {
    expect([machine.store(0, 200, 1), machine.load(0, 63)]).toEqual([-1, -1]);
    expect([machine.counter('segv'), machine.nrPtes()]).toEqual([2, 0]);
  });

  test('allocates the tables that are missing, and counts them', () => {
    machine.store(0, PAGE_NUMBER, 5);
    expect([machine.nrPtes(), machine.nrPmds(), machine.nrPuds()]).toEqual([1, 1, 1]);
    machine.store(0, PAGE_NUMBER + 8, 5);
    expect([machine.nrPtes(), machine.nrPmds(), machine.nrPuds()]).toEqual([2, 1, 1]);
  });
});

describe('without memory', () => {
  test('a fault fails, and takes nothing with it', () => {
    machine = new TestMachine({}, { pages: 4, batch: 1 });
    machine.mmap(0, 64, 128);
    expect([64, 65, 66].map((page) => machine.store(0, page, page))).toEqual([0, 0, ACCESS.oom]);
    expect([machine.counter('oom'), machine.counter('rss')]).toEqual([1, 2]);
    machine.dontneed(0, 64, 65);
    expect(machine.store(0, 66, 5)).toBe(ACCESS.stored);
  });

  test('of tables a fault waits for what RCU holds back', () => {
    machine = new TestMachine({ protocol: 'pt-reclaim' }, { tables: 5, batch: 1 });
    machine.mmap(0, 64, 128);
    machine.store(0, 64, 1);
    expect(machine.store(0, 72, 1)).toBe(ACCESS.oom);
    machine.dontneed(0, 64, 72);
    expect(machine.inUse('tables')).toBe(4);
    expect(machine.store(0, 72, 1)).toBe(ACCESS.stored);
  });

  test('of bodies an on-demand table is left without an entry', () => {
    machine = new TestMachine({ backing: 'on-demand' }, { bodies: 6, batch: 1 });
    machine.mmap(0, 64, 128);
    // pgd 1, pud 1, pmd 2: one is left.
    expect([machine.store(0, 64, 1), machine.store(0, 72, 1)]).toEqual([0, ACCESS.oom]);
    expect([machine.nrPtes(), machine.inUse('pages'), machine.counter('rss')]).toEqual([2, 1, 1]);
  });

  // A PMD table has two bodies, and memory may come back between the two.
  test('a table that cannot be allocated whole is not allocated in part', () => {
    machine = new TestMachine({}, { bodies: 7, batch: 1 });
    machine.mmap(0, 64, 192);
    machine.store(0, 64, 1);
    // Nothing is left but what another CPU holds, and frees at the second try.
    const spare = Array.from({ length: 1 }, () => allocTable(machine.cpu(1), 0));
    machine.beforeLock(0, CONTROL.bodyLock, () => {
      machine.beforeLock(0, CONTROL.bodyLock, () => {
        for (const table of spare) freeTable(machine.cpu(1), table);
        machine.dontneed(1, 64, 72);
        freeTable(machine.cpu(1), machine.tree().ptes.get(8)!);
      });
    });
    expect(machine.store(0, 128, 1)).toBe(ACCESS.oom);
    expect(machine.unplayed()).toEqual([]);
    // pgd, pud and the first PMD table.
    expect(machine.inUse('bodies')).toBe(4);
  });
});

describe('a fault that races', () => {
  test('for an empty slot discards its table when another was first', () => {
    machine.store(0, 100, 1);
    const { pmdp, pml } = placesOf(PAGE_NUMBER);
    machine.beforeLock(1, pml, () => machine.store(2, PAGE_NUMBER + 1, 8));
    expect(machine.store(1, PAGE_NUMBER, 7)).toBe(0);
    expect(machine.races()).toEqual({ 'tableLost: fault <- fault': 1 });
    expect([machine.load(0, PAGE_NUMBER), machine.load(0, PAGE_NUMBER + 1)]).toEqual([7, 8]);
    expect([machine.nrPtes(), peek(pmdp) !== 0]).toEqual([2, true]);
    // pgd, pud, pmd and two PTE tables.
    expect(machine.inUse('tables')).toBe(5);
  });

  test('for one page gives its own back', () => {
    machine.store(0, PAGE_NUMBER + 1, 1);
    const { ptl } = placesOf(PAGE_NUMBER);
    machine.beforeLock(1, ptl, () => machine.store(2, PAGE_NUMBER, 8));
    expect(machine.store(1, PAGE_NUMBER, 7)).toBe(0);
    expect(machine.races()).toEqual({ 'pteChanged: fault <- fault': 1 });
    expect(machine.load(0, PAGE_NUMBER)).toBe(7);
    expect([machine.counter('rss'), machine.inUse('pages')]).toEqual([2, 2]);
  });

  test('with a reclaim re-reads the pmd under the ptl and starts over', () => {
    machine = new TestMachine({ protocol: 'pt-reclaim' });
    machine.mmap(0, 64, 128);
    machine.store(0, PAGE_NUMBER + 1, 1);
    const { ptl } = placesOf(PAGE_NUMBER);
    machine.beforeLock(1, ptl, () => machine.dontneed(2, 64, 72));
    expect(machine.store(1, PAGE_NUMBER, 7)).toBe(0);
    expect(machine.races()).toMatchObject({
      'pmdChanged: fault <- madvise': 1,
      'pmdGone: fault <- madvise': 1,
    });
    expect([machine.load(0, PAGE_NUMBER), machine.load(0, PAGE_NUMBER + 1)]).toEqual([7, 0]);
    expect(machine.facts()).toEqual([]);
  });

  test('inside a table that is unhooked is a stale walk, and harmless', () => {
    machine = new TestMachine({ protocol: 'pt-reclaim' });
    machine.mmap(0, 64, 128);
    machine.store(0, PAGE_NUMBER, 1);
    const table = machine.tree().ptes.get(8)!;
    const ptep = peek(ptdescAt(table) + PTDESC.body) * 8 + machine.map.bodies + 1;
    machine.meanwhile(1, 'read', ptep, () => machine.dontneed(2, 64, 72));
    expect(machine.load(1, PAGE_NUMBER)).toBe(0);
    expect(machine.races()).toEqual({ 'staleWalk: access <- madvise': 1 });
    expect(peek(CONTROL.halt)).toBe(0);
  });
});
