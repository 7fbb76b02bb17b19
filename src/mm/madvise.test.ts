/** Facts about madvise: what each kind of advice does, under which lock, and who comes between. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Cpu } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import {
  MARKER,
  mkNonPresent,
  PTE_KIND,
  type Pte,
  pteDirty,
  pteKind,
  pteNone,
  ptePfn,
  ptePresent,
  pteWrite,
  pteZeroPage,
} from '#arch/pte';
import { pageAt } from '#arena/arena';
import { MM, VMA_FLAG } from '#arena/layout/mm';
import { PAGE, PAGE_LAZYFREE } from '#arena/layout/page';
import { peek } from '#arena/word';
import { NoReclaim } from '#reclaim/none';
import { TestMachine } from '#tasks/machine.suite';
import { MADV, madvise } from './madvise.ts';
import type { Mm } from './mm.ts';
import { configurePagePins } from './page-state.ts';
import { pmdOffset, pmdpGet, pteLockptr } from './pgtable.ts';
import { bindProtocol, HOOK } from './reclaim-protocol.ts';
import { shrinkRange } from './shrink.ts';
import { ACCESS } from './user-access.ts';
import { configureWalkers } from './walkers/reactions.ts';

const GUARD = mkNonPresent(PTE_KIND.marker, MARKER.guard);

let machine: TestMachine;
beforeEach(() => boot());

function boot(...options: ConstructorParameters<typeof TestMachine>): void {
  machine = new TestMachine(...options);
  configurePagePins(true);
  machine.mmap(0, 64, 128);
}

const rangeOf = (start: number, end: number): [number, number, number, number] => [
  machine.slotOf(start),
  machine.indexOf(start),
  machine.slotOf(end),
  machine.indexOf(end),
];
const advise = (cpu: number, advice: keyof typeof MADV, start: number, end: number): boolean =>
  madvise(machine.cpu(cpu), machine.mm, MADV[advice], ...rangeOf(start, end));
const shrink = (cpu: number, start: number, end: number): number =>
  shrinkRange(machine.cpu(cpu), machine.mm, ...rangeOf(start, end));
const pte = (page: number): Pte => machine.pte(page) as Pte;
const pmdpOf = (page: number): Pmdp => pmdOffset(machine.cpu(2), machine.mm, machine.slotOf(page));
const ptlOf = (page: number): number =>
  pteLockptr(machine.mm, pmdpGet(machine.cpu(2), pmdpOf(page)));
const vmaLocks = (): number => machine.counter('vmaLocks');

describe('the lock', () => {
  test.each(['dontneed', 'free', 'guard-install', 'guard-remove'] as const)(
    'of %s is the VMA lock where one VMA contains the range',
    (advice) => {
      machine.store(0, 65, 7);
      const mmapLock = machine.map.mm + MM.mmapLock;
      machine.meanwhile(1, 'load', mmapLock, () => {});
      advise(1, advice, 64, 72);
      expect(machine.unplayed()).toHaveLength(1);
      machine.munmap(0, 80, 88);
      const before = vmaLocks();
      expect(advise(1, advice, 64, 100)).toBe(true);
      // The first VMA was tried, and does not contain it.
      expect([machine.unplayed(), vmaLocks() - before]).toEqual([[], 1]);
    },
  );

  test.each(['pageout', 'cold', 'willneed', 'populate-read', 'pt-scan'] as const)(
    'of %s is the mmap lock',
    (advice) => {
      const before = vmaLocks();
      machine.meanwhile(1, 'load', machine.map.mm + MM.mmapLock, () => {});
      expect(advise(1, advice, 64, 72)).toBe(true);
      expect([machine.unplayed(), vmaLocks() - before]).toEqual([[], 0]);
    },
  );
});

describe('free', () => {
  test('drops swapped pages at once, and leaves the zero page', () => {
    machine.store(0, 65, 7);
    shrink(0, 64, 72);
    machine.load(0, 66);
    advise(1, 'free', 64, 72);
    expect([pteNone(pte(65)), pteZeroPage(pte(66))]).toEqual([true, true]);
    expect([machine.inUse('pages'), machine.counter('swapUsed')]).toEqual([0, 0]);
    expect(machine.counter('lazyfreeMarked')).toBe(0);
  });

  test('flushes, so that the next store leaves its trace', () => {
    machine.store(0, 65, 7);
    advise(1, 'free', 64, 72);
    expect(pteDirty(pte(65))).toBe(false);
    machine.store(0, 65, 8);
    expect(pteDirty(pte(65))).toBe(true);
    expect(peek(pageAt(ptePfn(pte(65))) + PAGE.state) & PAGE_LAZYFREE).toBe(PAGE_LAZYFREE);
    advise(1, 'free', 64, 72);
    expect(pteDirty(pte(65))).toBe(false);
  });
});

describe('pageout, cold and willneed', () => {
  test('page out, and bring back', () => {
    for (const page of [64, 71, 72, 127]) machine.store(0, page, page);
    advise(1, 'pageout', 65, 73);
    expect([64, 71, 72, 127].map((page) => pteKind(pte(page)))).toEqual([0, 2, 2, 0]);
    advise(1, 'willneed', 72, 128);
    expect([71, 72].map((page) => pteKind(pte(page)))).toEqual([2, 0]);
    expect(machine.counter('swapUsed')).toBe(1);
  });

  test('forget translations', () => {
    machine.store(0, 65, 7);
    const before = machine.counter('tlbFlushes');
    advise(1, 'cold', 66, 128);
    expect(machine.counter('tlbFlushes')).toBe(before);
    advise(1, 'cold', 64, 128);
    expect([machine.counter('tlbFlushes'), machine.load(0, 65)]).toEqual([before + 1, 7]);
  });

  test.each([
    ['goes on with the next table', false, [2, 0]],
    ['as posted breaks off', true, [2, 2]],
  ])('willneed %s where one is not to be had', (_, posted, kinds) => {
    boot({ protocol: 'pt-reclaim' });
    for (const page of [65, 73, 80]) machine.store(0, page, page);
    shrink(0, 64, 128);
    configureWalkers(posted);
    machine.beforeLock(1, ptlOf(73), () => machine.dontneed(2, 72, 80));
    machine.beforeLock(1, ptlOf(65), () => machine.load(2, 65));
    advise(1, 'willneed', 72, 128);
    configureWalkers(false);
    expect([65, 80].map((page) => pteKind(pte(page)))).toEqual(kinds);
    expect(machine.races()).toMatchObject({ 'pmdGone: madvise <- madvise': 1 });
  });
});

describe('populate', () => {
  test('fills what is missing with one hold of each ptl', () => {
    machine.store(0, 66, 7);
    expect(advise(1, 'populate-write', 65, 90)).toBe(true);
    for (let page = 65; page < 90; page++) {
      expect([ptePresent(pte(page)), pteWrite(pte(page))]).toEqual([true, true]);
      expect(machine.load(0, page)).toBe(page === 66 ? 7 : 0);
    }
    expect([pteNone(pte(64)), pteNone(pte(90))]).toEqual([true, true]);
    expect(machine.counters()).toMatchObject({ rss: 25, faultsWrite: 25, vmaLocks: 1 });
  });

  test('for reading maps the zero page, and for writing then takes it away', () => {
    expect(advise(1, 'populate-read', 64, 128)).toBe(true);
    expect(machine.counters()).toMatchObject({ faultsRead: 64 });
    expect(pteZeroPage(pte(127))).toBe(true);
    expect(advise(1, 'populate-write', 64, 80)).toBe(true);
    expect([pteZeroPage(pte(79)), pteZeroPage(pte(80))]).toEqual([false, true]);
    expect(machine.counter('rss')).toBe(16);
  });

  test('brings back what is swapped out', () => {
    machine.store(0, 65, 7);
    shrink(0, 64, 72);
    expect(advise(1, 'populate-read', 64, 72)).toBe(true);
    expect([ptePresent(pte(65)), machine.load(0, 65)]).toEqual([true, 7]);
  });

  test('stops at what no VMA maps', () => {
    machine.munmap(0, 70, 80);
    expect(advise(1, 'populate-write', 64, 130)).toBe(false);
    expect(machine.counter('rss')).toBe(6);
    expect(advise(1, 'populate-write', 60, 70)).toBe(false);
    expect(advise(1, 'populate-write', 80, 90)).toBe(true);
    expect(machine.counter('rss')).toBe(16);
  });

  test('stops at a guard', () => {
    advise(0, 'guard-install', 70, 71);
    expect(advise(1, 'populate-write', 64, 80)).toBe(false);
    expect(machine.counter('rss')).toBe(6);
  });

  test('stops without memory, and takes nothing with it', () => {
    boot({}, { pages: 6, batch: 1 });
    expect(advise(1, 'populate-write', 64, 80)).toBe(false);
    expect([machine.counter('rss'), machine.inUse('pages')]).toEqual([4, 4]);
  });

  test('stops without tables or bodies', () => {
    boot({}, { tables: 5, batch: 1 });
    expect(advise(1, 'populate-write', 64, 80)).toBe(false);
    expect(machine.counter('rss')).toBe(8);
    boot({ backing: 'on-demand' }, { bodies: 6, batch: 1 });
    expect(advise(1, 'populate-write', 64, 80)).toBe(false);
    expect([machine.counter('rss'), machine.inUse('pages')]).toEqual([8, 8]);
  });

  test('tries again when the table goes away under it', () => {
    boot({ protocol: 'pt-reclaim' });
    machine.store(0, 64, 1);
    machine.beforeLock(1, ptlOf(64), () => machine.dontneed(2, 64, 72));
    expect(advise(1, 'populate-write', 64, 72)).toBe(true);
    expect([machine.counter('rss'), machine.nrPtes()]).toEqual([8, 1]);
    expect(machine.races()).toMatchObject({
      'pmdChanged: fault <- madvise': 1,
      'pmdGone: fault <- madvise': 1,
    });
  });
});

describe('a guard', () => {
  test('takes the place of what was there, and makes accesses fail', () => {
    machine.store(0, 65, 7);
    machine.load(0, 66);
    machine.store(0, 67, 7);
    shrink(0, 67, 68);
    expect(advise(1, 'guard-install', 64, 72)).toBe(true);
    for (let page = 64; page < 72; page++) expect(pte(page)).toBe(GUARD);
    expect([machine.load(0, 65), machine.store(2, 64, 1)]).toEqual([-1, ACCESS.sigsegv]);
    expect([machine.inUse('pages'), machine.counter('rss')]).toEqual([0, 0]);
    expect(machine.counter('swapUsed')).toBe(0);
  });

  test('outlives dontneed, which keeps its table, and goes with munmap', () => {
    boot({ protocol: 'pt-reclaim' });
    advise(1, 'guard-install', 66, 67);
    machine.dontneed(0, 64, 72);
    expect([pte(66), machine.nrPtes()]).toEqual([GUARD, 1]);
    machine.munmap(0, 64, 128);
    expect(machine.nrPtes()).toBe(0);
  });

  test('goes when it is removed, and other entries stay', () => {
    machine.store(0, 64, 7);
    advise(1, 'guard-install', 65, 80);
    expect(advise(1, 'guard-remove', 64, 79)).toBe(true);
    expect([machine.load(0, 64), machine.load(0, 65), machine.load(0, 79)]).toEqual([7, 0, -1]);
  });

  test('is tried again when a fault was faster', () => {
    machine.store(0, 72, 1);
    machine.store(0, 65, 1);
    machine.beforeLock(1, ptlOf(65), () => {
      machine.beforeLock(1, ptlOf(65), () => {
        machine.beforeLock(1, ptlOf(65), () => machine.store(2, 66, 1));
      });
    });
    expect(advise(1, 'guard-install', 64, 72)).toBe(true);
    expect([machine.unplayed(), machine.counter('rss')]).toEqual([[], 1]);
    expect([pte(65), pte(66)]).toEqual([GUARD, GUARD]);
  });

  test('is not there without memory for tables', () => {
    boot({}, { tables: 5, batch: 1 });
    expect(advise(1, 'guard-install', 64, 128)).toBe(false);
    expect(machine.nrPtes()).toBe(1);
  });

  test('waits for its table when it goes away', () => {
    boot({ protocol: 'pt-reclaim' });
    machine.load(0, 64);
    machine.dontneed(0, 64, 65);
    machine.beforeLock(1, ptlOf(64), () => machine.dontneed(2, 64, 72));
    expect(advise(1, 'guard-install', 64, 72)).toBe(true);
    expect([pte(64), machine.nrPtes()]).toEqual([GUARD, 1]);
    expect(machine.races()).toMatchObject({ 'pmdGone: madvise <- madvise': 1 });
  });
});

describe('the flags for scanners', () => {
  const { ptScan, noPtScan, hugetlb } = VMA_FLAG;

  test('split VMAs, and merge them again', () => {
    advise(0, 'pt-scan', 70, 80);
    expect(machine.vmas()).toEqual([
      [64, 70, 0],
      [70, 80, ptScan],
      [80, 128, 0],
    ]);
    advise(0, 'pt-scan', 64, 75);
    expect(machine.vmas()).toEqual([
      [64, 80, ptScan],
      [80, 128, 0],
    ]);
    advise(0, 'no-pt-scan', 64, 128);
    expect(machine.vmas()).toEqual([[64, 128, noPtScan]]);
  });

  test('leave other flags, other VMAs, and holes', () => {
    machine.munmap(0, 80, 88);
    machine.mmap(0, 128, 136, hugetlb);
    advise(0, 'pt-scan', 72, 132);
    expect(machine.vmas()).toEqual([
      [64, 72, 0],
      [72, 80, ptScan],
      [88, 128, ptScan],
      [128, 132, hugetlb | ptScan],
      [132, 136, hugetlb],
    ]);
    advise(0, 'no-pt-scan', 0, 64);
    advise(0, 'no-pt-scan', 80, 88);
    expect(machine.vmas()).toHaveLength(5);
  });

  test('keep out those who read the VMA', () => {
    machine.store(0, 65, 1);
    machine.beforeLock(1, ptlOf(65), () => {
      expect(() => advise(0, 'pt-scan', 64, 128)).toThrow('CPU 0 would wait for ever');
    });
    advise(1, 'free', 64, 72);
    expect(machine.unplayed()).toEqual([]);
  });
});

/** Says what it was asked. */
class Listener extends NoReclaim {
  override readonly hooks = HOOK.lazyfreeDone | HOOK.rmapDone;
  readonly heard: string[] = [];

  override lazyfreeDone(_cpu: Cpu, _mm: Mm, _: Pmdp, slot: number, marked: boolean): void {
    this.heard.push(`${slot} ${marked ? 'marked' : 'not marked'}`);
  }

  override rmapDone(
    _cpu: Cpu,
    _mm: Mm,
    _: Pmdp,
    slot: number,
    discarded: boolean,
    redirtied: boolean,
  ): void {
    this.heard.push(
      `${slot} ${discarded ? 'discarded' : 'not'} ${redirtied ? 'redirtied' : 'not'}`,
    );
  }
}

test('protocols hear of lazyfree pages, table by table', () => {
  const listener = new Listener();
  bindProtocol(listener);
  for (const page of [64, 65, 72, 88]) machine.store(0, page, page);
  shrink(0, 88, 89);
  advise(1, 'free', 64, 90);
  machine.store(0, 65, 1);
  shrink(0, 64, 90);
  expect(listener.heard).toEqual([
    '11 not not',
    '8 marked',
    '9 marked',
    '11 not marked',
    '8 discarded redirtied',
    '9 discarded not',
    '10 not not',
    '11 not not',
  ]);
});
