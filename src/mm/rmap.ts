/**
 * From a page back to the entry that maps it, after mm/rmap.c. There is one rmap lock for the mm
 * (its one `anon_vma`): who goes this way holds it for reading, and munmap takes and drops it for
 * writing after its zap and before it frees page tables; mremap holds it for writing while it moves
 * entries. So while it is held, no table goes that a
 * VMA still needs, except at the hands of a protocol; and what is under a VMA that has been cut off
 * is empty, since nobody populates an entry with the rmap lock alone.
 */
import type { Cpu } from '#arch/cpu';
import { type Pmdp, pmdSame } from '#arch/pmd';
import {
  mkNonPresent,
  PTE_KIND,
  type Pte,
  type Ptep,
  pteDirty,
  ptePfn,
  ptePresent,
} from '#arch/pte';
import { bodyAt, pageAt, ptdescAt } from '#arena/arena';
import { MM } from '#arena/layout/mm';
import {
  PAGE,
  PAGE_LAZYFREE,
  PAGE_REFERENCE,
  PAGE_REFERENCES_MASK,
  PAGE_STATE,
} from '#arena/layout/page';
import { PTDESC } from '#arena/layout/ptdesc';
import { load, peek } from '#arena/word';
import { downRead, downWrite, upRead, upWrite } from '#sync/rwsem';
import { spinLock } from '#sync/spinlock';
import { COUNTER, count } from '#trace/counters';
import { countRace } from '#trace/race';
import { LOCK, RACE } from '#trace/vocabulary';
import type { Mm } from './mm.ts';
import { flipPageState, tryPageState } from './page-state.ts';
import {
  checkFrame,
  lastChanger,
  noteCleared,
  pmdpGet,
  ptepGet,
  ptepGetAndClear,
  ptepReplace,
} from './pgtable.ts';
import { pteOffsetMapRwNolock, pteUnmapUnlock } from './pte-offset-map.ts';
import { setTlbUbcFlushPending } from './tlb-batched.ts';

export function anonVmaLockRead(cpu: Cpu, mm: Mm): void {
  downRead(cpu, mm.at + MM.anonVma, LOCK.anonVma);
}

export function anonVmaUnlockRead(cpu: Cpu, mm: Mm): void {
  upRead(cpu, mm.at + MM.anonVma);
}

export function anonVmaLockWrite(cpu: Cpu, mm: Mm): void {
  downWrite(cpu, mm.at + MM.anonVma, LOCK.anonVma);
}

export function anonVmaUnlockWrite(cpu: Cpu, mm: Mm): void {
  upWrite(cpu, mm.at + MM.anonVma);
}

/** Waits until all have left who came from pages to VMAs that are no longer in the map. */
export function unlinkAnonVmas(cpu: Cpu, mm: Mm): void {
  downWrite(cpu, mm.at + MM.anonVma, LOCK.anonVma);
  upWrite(cpu, mm.at + MM.anonVma);
}

/**
 * What became of a page: it stays; its entry is a swap entry now; it was lazyfree and clean, and is
 * dropped; it was lazyfree, and stays because it has been written to since.
 */
export const UNMAP = { kept: 0, swapped: 1, discarded: 2, redirtied: 3 } as const;

/**
 * Unmaps page `pfn`, which the caller has locked, from (slot, index), where it was seen: a value of
 * `UNMAP`. The flush is put off: until it is done the page may not be let go.
 */
export function tryToUnmapOne(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  index: number,
  pfn: number,
): number {
  if (pteOffsetMapRwNolock(cpu, mm, pmdp, slot, index) === 0) return UNMAP.kept;
  const { ptl, pmdval, table } = cpu;
  let outcome: number = UNMAP.kept;
  spinLock(cpu, ptl, LOCK.ptl);
  const hooked = pmdSame(pmdval, pmdpGet(cpu, pmdp));
  // A body may have been attached or taken meanwhile.
  const ptep = (bodyAt(peek(ptdescAt(table) + PTDESC.body)) + index) as Ptep;
  if (!hooked) {
    checkFrame(cpu, pmdval, 0);
    countRace(cpu, RACE.pmdChanged, lastChanger(table));
  } else if (!mapsPage(ptepGet(cpu, ptep), pfn))
    countRace(cpu, RACE.pteChanged, lastChanger(table));
  else outcome = unmapEntry(cpu, mm, table, ptep, pfn);
  pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  return outcome;
}

function mapsPage(value: Pte, pfn: number): boolean {
  return ptePresent(value) && ptePfn(value) === pfn;
}

/**
 * Clears the entry first and looks at the page then: whoever takes a reference without a lock looks
 * at the entry after it (GUP-fast), so that one of the two sees the other.
 */
function unmapEntry(cpu: Cpu, mm: Mm, table: number, ptep: Ptep, pfn: number): number {
  const value = ptepGetAndClear(cpu, ptep);
  const at = pageAt(pfn) + PAGE.state;
  const state = load(cpu, at);
  const lazyfree = (state & PAGE_LAZYFREE) !== 0;
  const redirtied = lazyfree && pteDirty(value); // @lazyfree-dirty
  const pinned = (state & PAGE_REFERENCES_MASK) !== PAGE_REFERENCE;
  const next = lazyfree
    ? state ^ (PAGE_LAZYFREE | PAGE_STATE.mapped | PAGE_STATE.gathered)
    : state ^ (PAGE_STATE.mapped ^ PAGE_STATE.swapped);
  if (redirtied || pinned || !tryPageState(cpu, at, state, next)) {
    ptepReplace(cpu, table, ptep, value, value);
    if (!redirtied) return UNMAP.kept;
    flipPageState(cpu, at, state, PAGE_LAZYFREE);
    count(cpu, COUNTER.lazyfreeRedirtied, 1);
    return UNMAP.redirtied;
  }
  setTlbUbcFlushPending(cpu, mm); // @flush-put-off
  count(cpu, COUNTER.rss, -1);
  if (lazyfree) {
    noteCleared(cpu, table, 1, 0);
    count(cpu, COUNTER.lazyfreeDiscarded, 1);
    return UNMAP.discarded;
  }
  ptepReplace(cpu, table, ptep, value, mkNonPresent(PTE_KIND.swap, pfn));
  count(cpu, COUNTER.swapUsed, 1);
  count(cpu, COUNTER.pagesSwappedOut, 1);
  return UNMAP.swapped;
}
