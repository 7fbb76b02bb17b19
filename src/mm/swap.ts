/**
 * Swap space and migration, as far as entries refer to them. There is no swap device: a page that
 * is swapped out keeps its frame, in state `swapped`, and its entry names the frame. Nor is there a
 * swap cache: what comes in is mapped at once.
 */
import type { Cpu } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import { mkPte, type Pte, ptePfn, pteSame } from '#arch/pte';
import { tlbFill } from '#arch/tlb';
import { pageAt } from '#arena/arena';
import { PAGE, PAGE_LOCKED } from '#arena/layout/page';
import { load } from '#arena/word';
import { COUNTER, count } from '#trace/counters';
import { countRace } from '#trace/race';
import { RACE } from '#trace/vocabulary';
import { allocationFails } from './choices.ts';
import type { Mm } from './mm.ts';
import { freeSwappedPage, reviveSwappedPage } from './page-alloc.ts';
import { waitOnPage } from './page-lock.ts';
import { lastChanger, lastPmdChanger, ptepGet, ptepReplace } from './pgtable.ts';
import { mayBeWritten } from './protection.ts';
import { pteOffsetMapLock, pteUnmapUnlock } from './pte-offset-map.ts';
import { noteMemoryShort } from './truthful.ts';
import { VM_FAULT } from './vm-fault.ts';
import { reactsAsPosted } from './walkers/reactions.ts';

/**
 * Brings back the page of the swap entry `orig`, seen at (slot, index), and maps it, dirty, since
 * nothing else holds its content any more, and writable if the VMA allows it. A value of
 * `VM_FAULT`. The caller holds the VMA lock or the mmap lock for reading.
 */
export function doSwapPage(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  index: number,
  orig: Pte,
): number {
  if (allocationFails(cpu)) return withoutPage(cpu, mm, pmdp, slot, index, orig);
  const ptep = pteOffsetMapLock(cpu, mm, pmdp, slot, index);
  if (ptep === 0) {
    countRace(cpu, RACE.pmdGone, lastPmdChanger(pmdp));
    return VM_FAULT.again;
  }
  const { ptl, table } = cpu;
  const pfn = ptePfn(orig);
  const same = pteSame(ptepGet(cpu, ptep), orig); // @swap-pte-same
  const state = same ? load(cpu, pageAt(pfn) + PAGE.state) : 0;
  const onItsWayOut = (state & PAGE_LOCKED) !== 0;
  if (!same) countRace(cpu, RACE.pteChanged, lastChanger(table));
  else if (!onItsWayOut) {
    const value = mkPte(pfn, mayBeWritten(cpu), true);
    reviveSwappedPage(cpu, pfn);
    ptepReplace(cpu, table, ptep, orig, value);
    tlbFill(cpu, slot, index, value);
    count(cpu, COUNTER.rss, 1);
    count(cpu, COUNTER.swapUsed, -1);
    count(cpu, COUNTER.pagesSwappedIn, 1);
  }
  pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  // Reclaim flushes before it unlocks what it has unmapped.
  if (onItsWayOut) waitOnPage(cpu, pfn, state);
  return same && !onItsWayOut ? VM_FAULT.done : VM_FAULT.again;
}

/**
 * There is no memory to bring the page into. That is an error only if it is still needed: as
 * posted, a table that is gone counts as one, too (S-25).
 */
function withoutPage(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, index: number, orig: Pte): number {
  const ptep = pteOffsetMapLock(cpu, mm, pmdp, slot, index);
  if (ptep === 0) return reactsAsPosted() ? VM_FAULT.oom : VM_FAULT.again;
  const { ptl, table } = cpu;
  const same = pteSame(ptepGet(cpu, ptep), orig);
  pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  if (same) noteMemoryShort(cpu);
  return same ? VM_FAULT.oom : VM_FAULT.again;
}

/** A swap entry has gone: its space is free. */
export function releaseSwap(cpu: Cpu, pfn: number): void {
  freeSwappedPage(cpu, pfn);
  count(cpu, COUNTER.swapUsed, -1);
}

/** A migration entry has gone: whoever migrates the page finds nothing to restore, and frees it. */
export function releaseMigrating(cpu: Cpu, _pfn: number): void {
  count(cpu, COUNTER.rss, -1);
}
