/** Facts about the walkers: what each leaves behind, and how it takes it that a table goes away. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Pmdp } from '#arch/pmd';
import { MARKER, mkNonPresent, PTE_KIND, type Pte, pteKind, ptePfn, pteWrite } from '#arch/pte';
import { tlbFlushLocal } from '#arch/tlb';
import { bodyAt, pageAt, ptdescAt } from '#arena/arena';
import { CONTROL, PHASE } from '#arena/layout/control';
import { MM, VMA_FLAG } from '#arena/layout/mm';
import { PAGE, PAGE_LOCKED, ZERO_PFN } from '#arena/layout/page';
import { PTDESC } from '#arena/layout/ptdesc';
import { peek, poke } from '#arena/word';
import { TestMachine } from '#tasks/machine.suite';
import { pmdOffset, pmdpGet, pteLockptr } from '../pgtable.ts';
import { configureWalkers } from './reactions.ts';
import { WALKER, walkRange } from './walk.ts';

const PAGES = [64, 65, 71, 80];
let machine: TestMachine;
beforeEach(() => begin());

/** A machine with a VMA over eight slots, and four pages written in the first and third. */
function begin(protocol = 'none', flags = 0): void {
  machine = new TestMachine({ protocol });
  machine.mmap(0, 64, 128, flags);
  for (const page of PAGES) machine.store(0, page, page);
}

const pte = (page: number): Pte => machine.pte(page) as Pte;
const kinds = (): number[] => PAGES.map((page) => pteKind(pte(page)));
const contents = (cpu = 0): number[] => PAGES.map((page) => machine.load(cpu, page));

function walk(walker: keyof typeof WALKER, start = 64, end = 128, cpu = 1): number {
  const { mm } = machine;
  const [from, to] = [machine.slotOf(start), machine.slotOf(end)];
  const [first, last] = [machine.indexOf(start), machine.indexOf(end)];
  return walkRange(machine.cpu(cpu), mm, WALKER[walker], from, first, to, last);
}

function pmdpOf(page: number): Pmdp {
  return pmdOffset(machine.cpu(0), machine.mm, machine.slotOf(page));
}

function ptlOf(page: number): number {
  return pteLockptr(machine.mm, pmdpGet(machine.cpu(0), pmdpOf(page)));
}

function placeOf(page: number): number {
  const table = machine.tree().ptes.get(machine.slotOf(page))!;
  return bodyAt(peek(ptdescAt(table) + PTDESC.body)) + machine.indexOf(page);
}

/** No CPU remembers anything. */
function flushAll(): void {
  for (const cpu of machine.cpus) tlbFlushLocal(cpu);
}

/** Everything is unmapped, and balances. */
function exitClean(pages = 0): void {
  machine.exit();
  expect(machine.facts()).toEqual([]);
  expect([machine.inUse('pages'), machine.inUse('tables')]).toEqual([pages, 0]);
  expect([machine.counter('rss'), machine.nrPtes()]).toEqual([0, 0]);
}

describe('a walker that only looks', () => {
  test.each(['smaps', 'pagemap', 'mincore'] as const)('finds what is mapped: %s', (walker) => {
    expect(walk(walker)).toBe(4);
    expect(walk(walker, 65, 80)).toBe(2);
    expect(machine.counters()).toMatchObject({ walkerPages: 6, walkerTables: 3 });
    exitClean();
  });

  // What it looks for has gone with its table when it comes to the lock.
  test.each([
    ['smaps', true, { walkerSkips: 1, walkerRetries: 0 }],
    ['smaps', false, { walkerSkips: 0, walkerRetries: 1 }],
    ['mincore', true, { walkerSkips: 0, walkerRetries: 1 }],
  ] as const)('meets a table that goes away: %s as posted %s', (walker, posted, expected) => {
    begin('pt-reclaim');
    configureWalkers(posted);
    machine.beforeLock(1, ptlOf(64), () => machine.dontneed(2, 64, 72));
    expect(walk(walker)).toBe(1);
    const { walkerSkips, walkerRetries } = {
      walkerSkips: 0,
      walkerRetries: 0,
      ...machine.counters(),
    };
    expect({ walkerSkips, walkerRetries }).toEqual(expected);
    expect(machine.races()).toMatchObject({ 'pmdGone: walker <- madvise': 1 });
    exitClean();
  });

  test('finds a table that took the place of the one it met, if it looks again', () => {
    for (const [posted, found] of [
      [true, 1],
      [false, 2],
    ] as const) {
      begin('pt-reclaim');
      configureWalkers(posted);
      // It goes before the lookup, and another comes after it.
      machine.meanwhile(1, 'read', pmdpOf(64), () => {
        machine.meanwhile(1, 'read', pmdpOf(64), () => {
          machine.meanwhile(1, 'read', pmdpOf(64), () => {
            machine.dontneed(2, 64, 72);
            machine.meanwhile(1, 'read', pmdpOf(64), () => machine.store(2, 64, 5));
          });
        });
      });
      expect(walk('smaps')).toBe(found);
      expect(machine.unplayed().length).toBe(posted ? 1 : 0);
    }
  });
});

describe('mprotect', () => {
  test('leaves the range writable, with its dirty bits', () => {
    const before = PAGES.map(pte);
    expect(walk('mprotect', 64, 72)).toBe(3);
    expect(PAGES.map(pte)).toEqual(before);
    exitClean();
  });

  test('makes who stores meanwhile look again', () => {
    machine.store(2, 64, 7);
    // Between the two halves the pmd entry is read for the second time in the restore.
    let seen = -1;
    machine.meanwhile(1, 'read', pmdpOf(80), () => {
      seen = pte(64);
      expect(pteWrite(pte(64))).toBe(false);
    });
    walk('mprotect');
    expect(ptePfn(seen as Pte)).toBe(ptePfn(pte(64)));
    expect(machine.counter('tlbFlushes')).toBe(2);
    expect([machine.store(2, 64, 8), machine.load(0, 64)]).toEqual([0, 8]);
  });
});

describe('NUMA hinting', () => {
  test('hides pages, and a fault shows them again', () => {
    expect(walk('numa')).toBe(4);
    expect(kinds()).toEqual(PAGES.map(() => PTE_KIND.protNone));
    expect([contents(2), kinds()]).toEqual([PAGES, [0, 0, 0, 0]]);
    expect(PAGES.map((page) => pteWrite(pte(page)))).toEqual([true, true, true, true]);
    exitClean();
  });

  test('leaves the zero page alone, and a hidden page can be zapped', () => {
    machine.load(0, 90);
    expect(walk('numa')).toBe(4);
    expect(ptePfn(pte(90))).toBe(ZERO_PFN);
    machine.dontneed(0, 64, 72);
    expect([machine.inUse('pages'), machine.counter('rss')]).toEqual([1, 1]);
    exitClean();
  });
});

describe('migration', () => {
  const pfns = (): number[] => PAGES.map((page) => ptePfn(pte(page)));

  test('puts other pages with the same content in the place of those there', () => {
    const before = pfns();
    const flags = PAGES.map((page) => pte(page) & 0xf);
    expect(walk('migrate')).toBe(4);
    for (const [i, pfn] of pfns().entries()) expect(before[i]).not.toBe(pfn);
    expect(PAGES.map((page) => pte(page) & 0xf)).toEqual(flags);
    expect([contents(0), contents(2)]).toEqual([PAGES, PAGES]);
    expect([machine.inUse('pages'), machine.counter('rss')]).toEqual([4, 4]);
    exitClean();
  });

  test('without memory leaves the page where it is', () => {
    machine = new TestMachine({}, { pages: 3, batch: 1 });
    machine.mmap(0, 64, 128);
    machine.store(0, 64, 9);
    const before = pte(64);
    expect(walk('migrate')).toBe(0);
    expect([pte(64), machine.load(1, 64)]).toEqual([before, 9]);
    expect(peek(pageAt(ptePfn(before)) + PAGE.state) & PAGE_LOCKED).toBe(0);
    exitClean();
  });

  /** Plays `act` at the flush of page 64, whose migration entry stands then. */
  function whileMigrating(act: () => void): void {
    machine.meanwhile(1, 'compareExchange', machine.map.mm + MM.tlbGen, () => {
      expect(pteKind(pte(64))).toBe(PTE_KIND.migration);
      act();
    });
  }

  test('of a page that is zapped meanwhile frees both', () => {
    whileMigrating(() => machine.dontneed(2, 64, 72));
    expect(walk('migrate')).toBe(1);
    expect([machine.inUse('pages'), machine.counter('rss')]).toEqual([1, 1]);
    expect(machine.races()).toMatchObject({ 'pteChanged: walker <- fault': 1 });
    exitClean();
  });

  test('of a page that is zapped meanwhile, without memory, frees the one', () => {
    machine = new TestMachine({}, { pages: 3, batch: 1 });
    machine.mmap(0, 64, 128);
    machine.store(0, 64, 9);
    whileMigrating(() => machine.dontneed(2, 64, 72));
    expect(walk('migrate')).toBe(0);
    expect([machine.inUse('pages'), machine.counter('rss')]).toEqual([0, 0]);
    exitClean();
  });

  test('of a page whose table goes meanwhile frees both', () => {
    begin('pt-reclaim');
    whileMigrating(() => machine.dontneed(2, 64, 72));
    expect(walk('migrate', 64, 65)).toBe(0);
    expect([machine.inUse('pages'), machine.counter('rss')]).toEqual([1, 1]);
    exitClean();
  });

  test('is waited for by a fault', () => {
    const orig = pte(64);
    const state = pageAt(ptePfn(orig)) + PAGE.state;
    poke(state, peek(state) | PAGE_LOCKED);
    poke(placeOf(64), mkNonPresent(PTE_KIND.migration, ptePfn(orig)));
    flushAll();
    machine.meanwhile(2, 'wait', state, () => {
      poke(placeOf(64), orig);
      poke(state, peek(state) ^ PAGE_LOCKED);
    });
    expect([machine.load(2, 64), machine.counter('migrationWaits')]).toEqual([64, 1]);
    exitClean();
  });
});

describe('userfaultfd', () => {
  test('fills what is missing, and nothing else', () => {
    expect(walk('uffd-copy', 64, 88)).toBe(20);
    expect(walk('uffd-zeropage', 64, 96)).toBe(8);
    expect([contents(), machine.load(0, 66), machine.nrPtes()]).toEqual([PAGES, 0, 4]);
    expect([machine.inUse('pages'), machine.counter('rss')]).toEqual([24, 24]);
    expect(ptePfn(pte(90))).toBe(ZERO_PFN);
    exitClean();
  });

  test('fills into the table that stands there when the one it met has gone', () => {
    begin('pt-reclaim');
    machine.beforeLock(1, ptlOf(64), () => machine.dontneed(2, 64, 72));
    expect(walk('uffd-copy', 64, 66)).toBe(2);
    expect(machine.counter('walkerRetries')).toBe(1);
    expect([machine.load(0, 64), machine.nrPtes()]).toEqual([0, 2]);
    exitClean();
  });

  test('write-protects until the next store', () => {
    expect(walk('uffd-wp')).toBe(4);
    expect(PAGES.map((page) => pteWrite(pte(page)))).toEqual([false, false, false, false]);
    expect([machine.store(0, 64, 5), machine.load(2, 64), pteWrite(pte(64))]).toEqual([0, 5, true]);
    exitClean();
  });

  test('marks what is missing in shared memory until the next access', () => {
    begin('none', VMA_FLAG.uffdWp | VMA_FLAG.shared);
    expect(walk('uffd-wp', 64, 96)).toBe(32);
    expect(pte(66)).toBe(mkNonPresent(PTE_KIND.marker, MARKER.uffdWp));
    expect([machine.load(0, 66), machine.store(0, 67, 3), machine.load(1, 67)]).toEqual([0, 0, 3]);
    // What was protected is so even when the page has gone.
    machine.dontneed(0, 64, 96);
    expect([pte(64), pte(66)]).toEqual([mkNonPresent(PTE_KIND.marker, MARKER.uffdWp), 0]);
    exitClean();
  });
});

describe('a fault on memory that a userfaultfd looks after', () => {
  const fills = (): number => machine.map.mm + MM.userfaultFills;
  beforeEach(() => {
    begin('none', VMA_FLAG.uffdMissing);
    poke(CONTROL.phase, PHASE.main);
  });

  test('waits for a fill, without the lock of the VMA', () => {
    machine.meanwhile(2, 'wait', fills(), () => {
      machine.mmap(0, 112, 128);
      expect(walk('uffd-zeropage', 66, 67)).toBe(1);
    });
    expect(machine.store(2, 66, 6)).toBe(0);
    expect([machine.load(0, 66), machine.counter('userfaultWaits')]).toEqual([6, 1]);
    expect(peek(machine.map.mm + MM.userfaultWaiters)).toBe(0);
    exitClean();
  });

  test('does not miss a fill between its look and its sleep', () => {
    machine.meanwhile(2, 'add', machine.map.mm + MM.userfaultWaiters, () =>
      walk('uffd-copy', 66, 67),
    );
    expect([machine.store(2, 66, 6), machine.load(0, 66)]).toEqual([0, 6]);
    exitClean();
  });

  test('waits again when something else was filled', () => {
    machine.meanwhile(2, 'wait', fills(), () => {
      machine.meanwhile(2, 'wait', fills(), () => walk('uffd-copy', 66, 67));
      walk('uffd-copy', 67, 68);
    });
    expect([machine.load(2, 66), machine.counter('userfaultWaits')]).toEqual([0, 2]);
  });

  test('without a monitor is a fault like any other', () => {
    poke(CONTROL.arrived, 1);
    expect([machine.store(2, 66, 6), machine.load(0, 66)]).toEqual([0, 6]);
    poke(CONTROL.arrived, 0);
    poke(CONTROL.stop, 1);
    expect([machine.store(2, 67, 6), machine.load(0, 67)]).toEqual([0, 6]);
    poke(CONTROL.stop, 0);
    // All others wait as well.
    poke(machine.map.mm + MM.userfaultWaiters, 2);
    expect([machine.store(2, 68, 6), machine.load(0, 68)]).toEqual([0, 6]);
    expect(machine.counter('userfaultWaits')).toBe(0);
    exitClean();
  });
});

describe('fork', () => {
  test('write-protects what the parent may write, until it stores again', () => {
    machine.load(0, 90);
    expect([walk('fork'), machine.counter('tlbFlushes')]).toEqual([5, 2]);
    expect(PAGES.map((page) => pteWrite(pte(page)))).toEqual([false, false, false, false]);
    const before = ptePfn(pte(64));
    expect([machine.store(0, 64, 5), ptePfn(pte(64)), contents()[0]]).toEqual([0, before, 5]);
    exitClean();
  });

  test('leaves no table of the child', () => {
    const tables = machine.inUse('tables');
    walk('fork');
    expect([machine.inUse('tables'), machine.nrPtes()]).toEqual([tables, 2]);
  });

  test('with on-demand bodies, or without memory, is the same to the parent', () => {
    machine = new TestMachine({ backing: 'on-demand' }, { bodies: 7, batch: 1 });
    machine.mmap(0, 64, 128);
    machine.store(0, 64, 1);
    expect([walk('fork'), walk('fork')]).toEqual([1, 1]);
    machine = new TestMachine({}, { tables: 5, batch: 1 });
    machine.mmap(0, 64, 128);
    machine.store(0, 64, 1);
    expect([walk('fork'), machine.load(1, 64)]).toEqual([0, 1]);
    exitClean();
  });
});

test('a walk keeps to the VMAs of its range', () => {
  machine.munmap(0, 72, 80);
  expect([walk('smaps', 0, 512), walk('uffd-copy', 60, 70)]).toEqual([4, 4]);
  exitClean();
});
