/** Facts about GUP: what it references stays what it is until it lets go. */
import { beforeEach, describe, expect, test } from 'vitest';
import { leaveMm } from '#arch/interrupts';
import { type Pte, ptePfn } from '#arch/pte';
import { bodyAt, pageAt, ptdescAt } from '#arena/arena';
import { PAGE, PAGE_STATE, PAGE_STATE_MASK } from '#arena/layout/page';
import { PTDESC } from '#arena/layout/ptdesc';
import { peek } from '#arena/word';
import { TestMachine } from '#tasks/machine.suite';
import { holdPage, putHeldPages } from './gup.ts';
import { GUP, getUserPages } from './gup-fast.ts';
import { getFolio, pageLife, putFolio } from './page-ref.ts';
import { configurePagePins } from './page-state.ts';
import { pmdOffset } from './pgtable.ts';
import { WALKER, walkRange } from './walkers/walk.ts';

let machine: TestMachine;
beforeEach(() => begin());

function begin(protocol = 'none'): void {
  machine = new TestMachine({ protocol }, { batch: 1 });
  configurePagePins(true);
  machine.mmap(0, 64, 128);
  machine.store(0, 64, 1);
  machine.store(0, 65, 2);
}

const pfnOf = (page: number): number => ptePfn(machine.pte(page) as Pte);
const stateOf = (page: number): number => pageAt(pfnOf(page)) + PAGE.state;
const pmdpOf = (page: number) => pmdOffset(machine.cpu(1), machine.mm, machine.slotOf(page));

function gup(start: number, end: number, fast: boolean, slow = true): number {
  const [from, to] = [machine.slotOf(start), machine.slotOf(end)];
  const [first, last] = [machine.indexOf(start), machine.indexOf(end)];
  const ways = (fast ? GUP.fast : 0) | (slow ? GUP.slow : 0);
  return getUserPages(machine.cpu(1), machine.mm, from, first, to, last, ways);
}

function placeOf(page: number): number {
  const table = machine.tree().ptes.get(machine.slotOf(page))!;
  return bodyAt(peek(ptdescAt(table) + PTDESC.body)) + machine.indexOf(page);
}

function exitClean(): void {
  machine.exit();
  expect(machine.facts()).toEqual([]);
  expect([machine.inUse('pages'), machine.inUse('tables'), machine.counter('rss')]).toEqual([
    0, 0, 0,
  ]);
}

describe('GUP', () => {
  test('finds what is mapped to be written, the fast way without a lock', () => {
    expect([gup(64, 66, true), gup(64, 66, false)]).toEqual([2, 2]);
    expect(machine.counters()).toMatchObject({ gupFastPages: 2, gupSlowPages: 2, faultsWrite: 2 });
    exitClean();
  });

  test('faults in what is not, and passes over what no VMA maps', () => {
    machine.load(0, 66);
    expect(gup(60, 84, true)).toBe(20);
    expect(machine.counters()).toMatchObject({ gupFastPages: 2, gupSlowPages: 18, rss: 20 });
    exitClean();
  });

  test('by the fast way alone passes over what would have to be faulted in', () => {
    machine.load(0, 66);
    expect(gup(64, 84, true, false)).toBe(2);
    expect(machine.counters()).toMatchObject({ gupFastPages: 2, rss: 2 });
    expect(machine.counter('gupSlowPages')).toBe(0);
    const only = WALKER['gup-fast-only'];
    expect(walkRange(machine.cpu(1), machine.mm, only, 8, 0, 9, 0)).toBe(2);
    exitClean();
  });

  test('returns every reference', () => {
    const before = peek(stateOf(64));
    gup(64, 66, true);
    gup(64, 66, false);
    expect(peek(stateOf(64))).toBe(before);
  });

  test('without memory gives up', () => {
    machine = new TestMachine({}, { pages: 3, batch: 1 });
    machine.mmap(0, 64, 128);
    machine.store(0, 64, 1);
    expect(gup(64, 66, true)).toBe(1);
    exitClean();
  });
});

test('a page zapped while it is referenced is free when the reference has gone', () => {
  const pfn = pfnOf(64);
  const life = pageLife(pfn);
  getFolio(machine.cpu(1), pfn);
  machine.dontneed(2, 64, 65);
  expect(peek(pageAt(pfn) + PAGE.state) & PAGE_STATE_MASK).toBe(PAGE_STATE.free);
  for (let page = 100; page < 110; page++) machine.store(2, page, page);
  expect([pageLife(pfn), machine.inUse('pages')]).toEqual([life, 12]);
  putFolio(machine.cpu(1), pfn);
  expect(machine.inUse('pages')).toBe(11);
  exitClean();
});

test('a reference that did not keep its page is noticed', () => {
  const pfn = pfnOf(64);
  getFolio(machine.cpu(1), pfn);
  holdPage(machine.cpu(1), pfn, pageLife(pfn) - 1);
  putHeldPages(machine.cpu(1));
  expect(machine.facts()).toEqual(['pageReused']);
});

describe('GUP-fast', () => {
  test('gives back a page that was zapped before it had the reference', () => {
    const at = stateOf(64);
    // A CPU that is not asked for flushes: as where flushes need no interrupt.
    leaveMm(machine.cpu(1));
    machine.meanwhile(1, 'compareExchange', at, () => machine.dontneed(2, 64, 65));
    expect(gup(64, 65, true)).toBe(1);
    expect(machine.counters()).toMatchObject({ gupSlowPages: 1 });
    exitClean();
  });

  test('gives back a page that is another one by then', () => {
    const pfn = pfnOf(64);
    leaveMm(machine.cpu(1));
    machine.meanwhile(1, 'load', pageAt(pfn) + PAGE.state, () => {
      machine.dontneed(2, 64, 65);
      machine.store(2, 100, 7);
      expect(pfnOf(100)).toBe(pfn);
    });
    expect(gup(64, 65, true)).toBe(1);
    expect([pfnOf(64) === pfn, machine.load(0, 100)]).toEqual([false, 7]);
    expect(machine.races()).toMatchObject({ 'pteChanged: access <- fault': 1 });
    exitClean();
  });

  test('looks at the entry again after it has the reference', () => {
    machine.meanwhile(1, 'compareExchange', stateOf(64), () => {
      machine.meanwhile(1, 'read', placeOf(64), () => {
        const place = placeOf(64);
        machine.words[place]! ^= 2;
      });
    });
    expect(gup(64, 65, true)).toBe(1);
    expect(machine.counters()).toMatchObject({ gupSlowPages: 1 });
    exitClean();
  });

  test('looks at the pmd entry again after it has the reference', () => {
    const pmdp = pmdpOf(64);
    const [value, at] = [peek(pmdp), stateOf(64)];
    machine.meanwhile(1, 'compareExchange', at, () => {
      machine.words[pmdp] = 0;
      machine.meanwhile(1, 'read', pmdp, () => {
        machine.meanwhile(1, 'read', pmdp, () => {
          machine.words[pmdp] = value;
        });
      });
    });
    expect(gup(64, 65, true)).toBe(1);
    expect(machine.races()).toMatchObject({ 'pmdChanged: access <- fault': 1 });
  });

  test('holds off a flush until its interrupts are on again', () => {
    machine.meanwhile(1, 'compareExchange', stateOf(64), () => {
      expect(() => machine.dontneed(2, 64, 65)).toThrow(/would wait for ever/);
    });
    expect(gup(64, 65, true)).toBe(1);
    expect(machine.cpu(1).irqsOff).toBe(0);
  });

  test('goes the slow way where the page or its table is missing or read-only', () => {
    machine.load(0, 66);
    expect([gup(66, 67, true), gup(90, 91, true)]).toEqual([1, 1]);
    expect(machine.counters()).toMatchObject({ gupSlowPages: 2, rss: 4 });
    exitClean();
  });
});

test('migration leaves a page alone that is referenced', () => {
  const before = machine.pte(64);
  getFolio(machine.cpu(2), pfnOf(64));
  expect(walkRange(machine.cpu(1), machine.mm, WALKER.migrate, 8, 0, 9, 0)).toBe(1);
  expect([machine.pte(64), machine.load(0, 64)]).toEqual([before, 1]);
  putFolio(machine.cpu(2), pfnOf(64));
  exitClean();
});
