/** Facts about page reclaim: what it takes, what it keeps, and who may come between. */
import { beforeEach, describe, expect, test } from 'vitest';
import {
  PTE_KIND,
  type Pte,
  pteDirty,
  pteKind,
  pteMkuffdWp,
  pteNone,
  ptePfn,
  ptePresent,
  pteWrite,
} from '#arch/pte';
import { bodyAt, pageAt, ptdescAt } from '#arena/arena';
import { MM } from '#arena/layout/mm';
import { PAGE, PAGE_GENERATION_SHIFT, PAGE_LAZYFREE, PAGE_STATE } from '#arena/layout/page';
import { PTDESC } from '#arena/layout/ptdesc';
import { peek, poke } from '#arena/word';
import { TestMachine } from '#tasks/machine.suite';
import { configureChoices } from './choices.ts';
import { MADV, madvise } from './madvise.ts';
import { getFolio, putFolio } from './page-ref.ts';
import { configurePagePins } from './page-state.ts';
import { pmdOffset, pmdpGet, pteLockptr } from './pgtable.ts';
import { shrinkRange } from './shrink.ts';
import { doSwapPage } from './swap.ts';
import { ACCESS } from './user-access.ts';
import { VM_FAULT } from './vm-fault.ts';
import { configureWalkers } from './walkers/reactions.ts';

let machine: TestMachine;
beforeEach(() => boot());

function boot(plan: ConstructorParameters<typeof TestMachine>[0] = {}): void {
  machine = new TestMachine(plan);
  configurePagePins(true);
  machine.mmap(0, 64, 128);
}

const rangeOf = (start: number, end: number): [number, number, number, number] => [
  machine.slotOf(start),
  machine.indexOf(start),
  machine.slotOf(end),
  machine.indexOf(end),
];
const shrink = (cpu: number, start: number, end: number): number =>
  shrinkRange(machine.cpu(cpu), machine.mm, ...rangeOf(start, end));
const free = (cpu: number, start: number, end: number): boolean =>
  madvise(machine.cpu(cpu), machine.mm, MADV.free, ...rangeOf(start, end));
const pte = (page: number): Pte => machine.pte(page) as Pte;
const pfnOf = (page: number): number => ptePfn(pte(page));
const stateOf = (pfn: number): number => peek(pageAt(pfn) + PAGE.state);
const ptlOf = (page: number): number => {
  const cpu = machine.cpu(2);
  return pteLockptr(machine.mm, pmdpGet(cpu, pmdOffset(cpu, machine.mm, machine.slotOf(page))));
};
/** Words of the mm that reclaim passes on its way. */
const batched = (): number => machine.map.mm + MM.tlbBatched;
const rss = (): number[] => [machine.counter('rss'), machine.counter('swapUsed')];

describe('reclaim', () => {
  test('swaps out what was stored, and an access brings it back as another page', () => {
    machine.store(0, 65, 7);
    const pfn = pfnOf(65);
    const life = stateOf(pfn) >>> PAGE_GENERATION_SHIFT;
    expect(shrink(1, 64, 128)).toBe(1);
    expect([pteKind(pte(65)), pfnOf(65)]).toEqual([PTE_KIND.swap, pfn]);
    expect(stateOf(pfn) & 0xfff).toBe(PAGE_STATE.swapped);
    expect(rss()).toEqual([0, 1]);
    expect(machine.load(0, 65)).toBe(7);
    expect([ptePresent(pte(65)), pteWrite(pte(65)), pteDirty(pte(65))]).toEqual([true, true, true]);
    expect(stateOf(pfn)).toBe(PAGE_STATE.mapped | ((life + 1) << PAGE_GENERATION_SHIFT));
    expect(rss()).toEqual([1, 0]);
  });

  test('takes the pages of its range only, in whatever tables and VMAs they are', () => {
    machine.munmap(0, 80, 90);
    machine.mmap(0, 200, 210, 1);
    for (const page of [64, 79, 90, 127, 200, 209]) machine.store(0, page, page);
    expect(shrink(0, 79, 209)).toBe(4);
    const kinds = [64, 79, 90, 127, 200, 209].map((page) => pteKind(pte(page)));
    expect(kinds).toEqual([0, 2, 2, 2, 2, 0]);
    expect(shrink(0, 0, 4096)).toBe(2);
  });

  test('leaves the zero page, swap entries, and what userfaultfd protects', () => {
    machine.load(0, 64);
    machine.store(0, 65, 1);
    machine.store(0, 66, 1);
    const table = machine.tree().ptes.get(8)!;
    poke(bodyAt(peek(ptdescAt(table) + PTDESC.body)) + 2, pteMkuffdWp(pte(66)));
    expect([shrink(0, 64, 128), shrink(0, 64, 128)]).toEqual([1, 0]);
  });

  test('keeps a page to which there are references', () => {
    machine.store(0, 65, 7);
    getFolio(machine.cpu(2), pfnOf(65));
    expect(shrink(1, 64, 128)).toBe(0);
    expect([ptePresent(pte(65)), machine.load(2, 65)]).toEqual([true, 7]);
    putFolio(machine.cpu(2), pfnOf(65));
    expect(shrink(1, 64, 128)).toBe(1);
  });

  test('flushes once for many pages, and lets none go before', () => {
    for (let page = 64; page < 72; page++) machine.store(0, page, page);
    const first = pfnOf(64);
    let state = 0;
    machine.meanwhile(1, 'read', batched(), () => {
      state = stateOf(first) & 0xf;
    });
    const before = machine.counter('tlbFlushes');
    expect(shrink(1, 64, 72)).toBe(8);
    expect(machine.counter('tlbFlushes') - before).toBe(1);
    // Swapped, and still locked.
    expect([state, stateOf(first) & 0xf]).toEqual([0xb, PAGE_STATE.swapped]);
  });
});

describe('a lazyfree page', () => {
  test('is dropped if nobody has stored to it since', () => {
    machine.store(0, 65, 7);
    const pfn = pfnOf(65);
    free(1, 64, 128);
    expect([pteDirty(pte(65)), stateOf(pfn) & PAGE_LAZYFREE]).toEqual([false, PAGE_LAZYFREE]);
    expect(machine.load(0, 65)).toBe(7);
    expect(shrink(1, 64, 128)).toBe(1);
    expect([pteNone(pte(65)), machine.inUse('pages'), ...rss()]).toEqual([true, 0, 0, 0]);
    expect(machine.load(0, 65)).toBe(0);
  });

  test('is kept once it is dirty again, and then is a page like others', () => {
    machine.store(0, 65, 7);
    free(1, 64, 128);
    machine.store(0, 65, 8);
    expect(pteDirty(pte(65))).toBe(true);
    expect(shrink(1, 64, 128)).toBe(0);
    expect([machine.counter('lazyfreeRedirtied'), machine.load(0, 65)]).toEqual([1, 8]);
    expect(stateOf(pfnOf(65)) & PAGE_LAZYFREE).toBe(0);
    expect([shrink(1, 64, 128), machine.load(0, 65)]).toEqual([1, 8]);
  });

  test('is dropped though its stale translation could be written until the flush', () => {
    machine.store(0, 65, 7);
    free(1, 64, 128);
    machine.load(0, 65);
    machine.meanwhile(1, 'read', batched(), () => expect(machine.load(0, 65)).toBe(7));
    expect(shrink(1, 64, 128)).toBe(1);
    expect([machine.counter('tlbStaleAlive'), machine.load(0, 65)]).toEqual([1, 0]);
  });

  test('that is referenced stays lazyfree', () => {
    machine.store(0, 65, 7);
    free(1, 64, 128);
    getFolio(machine.cpu(2), pfnOf(65));
    expect(shrink(1, 64, 128)).toBe(0);
    putFolio(machine.cpu(2), pfnOf(65));
    expect(shrink(1, 64, 128)).toBe(1);
  });
});

describe('others come between', () => {
  test('a zap before the ptl: the page is gone, and freed once', () => {
    machine.store(0, 65, 7);
    machine.beforeLock(1, ptlOf(65), () => machine.dontneed(0, 64, 72));
    expect(shrink(1, 64, 128)).toBe(0);
    expect(machine.races()).toEqual({ 'pteChanged: reclaim <- fault': 1 });
    expect([machine.inUse('pages'), ...rss()]).toEqual([0, 0, 0]);
  });

  test('a zap that reclaims the table before the ptl', () => {
    boot({ protocol: 'pt-reclaim' });
    machine.store(0, 65, 7);
    machine.beforeLock(1, ptlOf(65), () => machine.dontneed(0, 64, 72));
    expect(shrink(1, 64, 128)).toBe(0);
    expect(machine.races()).toMatchObject({ 'pmdChanged: reclaim <- madvise': 1 });
    expect([machine.inUse('pages'), machine.nrPtes(), ...rss()]).toEqual([0, 0, 0, 0]);
  });

  test('a zap between unmapping and flush frees the page; the frame waits for its lock', () => {
    machine.store(0, 65, 7);
    const pfn = pfnOf(65);
    let used = 0;
    machine.meanwhile(1, 'read', batched(), () => {
      machine.dontneed(0, 64, 72);
      used = machine.inUse('pages');
    });
    expect(shrink(1, 64, 128)).toBe(1);
    expect([used, machine.inUse('pages'), stateOf(pfn) & 0xfff]).toEqual([1, 0, 0]);
    expect(rss()).toEqual([0, 0]);
  });

  test('a store through a stale translation between unmapping and flush is not lost', () => {
    machine.store(0, 65, 7);
    machine.meanwhile(1, 'read', batched(), () =>
      expect(machine.store(0, 65, 8)).toBe(ACCESS.stored),
    );
    expect(shrink(1, 64, 128)).toBe(1);
    expect([machine.counter('tlbStaleAlive'), machine.load(0, 65)]).toEqual([1, 8]);
  });

  test('a fault between unmapping and flush waits for the page', () => {
    machine.store(0, 65, 7);
    const at = pageAt(pfnOf(65)) + PAGE.state;
    machine.meanwhile(1, 'read', batched(), () => machine.load(2, 65));
    expect(() => shrink(1, 64, 128)).toThrow(`CPU 2 would wait for ever while word ${at} is`);
  });

  test('a page that munmap has cut off and not yet zapped is left to it', () => {
    machine.store(0, 65, 7);
    machine.beforeLock(0, ptlOf(65), () => expect(shrink(1, 64, 72)).toBe(0));
    machine.munmap(0, 65, 66);
    expect([machine.unplayed(), machine.inUse('pages'), ...rss()]).toEqual([[], 0, 0, 0]);
  });

  test('munmap waits before it frees tables', () => {
    machine.store(0, 65, 7);
    const at = machine.map.mm + MM.anonVma;
    machine.meanwhile(1, 'read', batched(), () => machine.munmap(0, 64, 128));
    expect(() => shrink(1, 64, 128)).toThrow(`CPU 0 would wait for ever while word ${at} is`);
    expect([machine.nrPtes(), pteNone(pte(65))]).toEqual([1, true]);
  });

  test('a fault that finds another swap entry than it had seen looks again', () => {
    machine.store(0, 65, 7);
    shrink(1, 64, 128);
    machine.beforeLock(0, ptlOf(65), () => {
      machine.load(2, 65);
      shrink(1, 64, 128);
      machine.store(2, 65, 9);
    });
    expect(machine.load(0, 65)).toBe(9);
    expect(machine.races()).toEqual({ 'pteChanged: fault <- fault': 1 });
  });
});

test('a translation to a page that is swapped out, flush and all, is stale', () => {
  machine.store(0, 65, 7);
  const at = pageAt(pfnOf(65)) + PAGE.state;
  poke(at, peek(at) ^ (PAGE_STATE.mapped ^ PAGE_STATE.swapped));
  expect(() => machine.load(0, 65)).toThrow();
  expect(machine.facts()).toEqual(['staleTranslation']);
});

describe('without memory', () => {
  /** From now on every allocation fails. */
  const exhaust = (): void => configureChoices(0, 1_000_000);
  const swappedPage = (): Pte => {
    machine.store(0, 65, 7);
    shrink(1, 64, 128);
    return pte(65);
  };
  const swapIn = (orig: Pte): number => {
    const cpu = machine.cpu(0);
    return doSwapPage(cpu, machine.mm, pmdOffset(cpu, machine.mm, 8), 8, 1, orig);
  };

  test('a swapped page does not come back, and is not lost', () => {
    swappedPage();
    exhaust();
    expect([machine.load(0, 65), ...rss()]).toEqual([ACCESS.oom, 0, 1]);
    configureChoices(0, 0);
    expect(machine.load(0, 65)).toBe(7);
  });

  test.each([
    ['the fault looks again', false, VM_FAULT.again],
    ['as posted that is an error, too (S-25)', true, VM_FAULT.oom],
  ])('and without a table any more %s', (_, posted, outcome) => {
    boot({ protocol: 'pt-reclaim' });
    const orig = swappedPage();
    configureWalkers(posted);
    machine.dontneed(0, 64, 72);
    exhaust();
    const found = swapIn(orig);
    configureWalkers(false);
    expect([found, machine.nrPtes()]).toEqual([outcome, 0]);
    configureChoices(0, 0);
    expect(swapIn(orig)).toBe(VM_FAULT.again);
  });

  test('and with another entry by now the fault looks again', () => {
    const orig = swappedPage();
    machine.store(0, 65, 8);
    exhaust();
    expect(swapIn(orig)).toBe(VM_FAULT.again);
  });
});
