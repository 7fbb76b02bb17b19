/**
 * What a userfaultfd monitor does to memory that it looks after: fills what is missing with a copy
 * or the zero page (UFFDIO_COPY, UFFDIO_ZEROPAGE), and write-protects what is there.
 */
import type { Cpu } from '#arch/cpu';
import { type Pmdp, pmdNone } from '#arch/pmd';
import {
  MARKER,
  mkNonPresent,
  mkPte,
  PTE_KIND,
  type Pte,
  type Ptep,
  pteMkuffdWp,
  pteNone,
  ptePresent,
  pteSame,
  pteUffdWp,
} from '#arch/pte';
import { flushTlbRange } from '#arch/shootdown';
import { ZERO_PFN } from '#arena/layout/page';
import { rcuQuiescent } from '#sync/rcu';
import { COUNTER, count } from '#trace/counters';
import { countRace } from '#trace/race';
import { RACE } from '#trace/vocabulary';
import type { Mm } from './mm.ts';
import { allocPage, freeUnusedPage } from './page-alloc.ts';
import {
  lastChanger,
  lastPmdChanger,
  noteCleared,
  pmdpGet,
  pteClear,
  ptepGet,
  ptepGetAndClear,
  ptepReplace,
  setPteAt,
} from './pgtable.ts';
import { mayBeWritten } from './protection.ts';
import { pteAlloc, pteAllocPut } from './pte-alloc.ts';
import { pteOffsetMapLock, pteUnmapUnlock } from './pte-offset-map.ts';
import { checkOutOfMemory, timesMemoryShort } from './truthful.ts';
import { wakeUserfault } from './userfault-wait.ts';
import { VM_FAULT } from './vm-fault.ts';
import { walkerMapLock } from './walkers/map-table.ts';
import { reactsAsPosted } from './walkers/reactions.ts';

/** Outcomes of one fill: done; there was something (EEXIST); out of memory. */
const FILL = { done: 0, exists: 1, noMemory: 2 } as const;

/** Fills what is missing in [first, end) of one slot. Returns how many entries. */
export function mfillAtomic(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  first: number,
  end: number,
  zero: boolean,
): number {
  let filled = 0;
  for (let index = first; index < end; index++) {
    const timesShort = timesMemoryShort(cpu);
    const outcome = mfillAtomicPte(cpu, mm, pmdp, slot, index, zero);
    if (outcome === FILL.noMemory) {
      checkOutOfMemory(cpu, timesShort, slot, index);
      break;
    }
    if (outcome === FILL.done) filled++;
  }
  wakeUserfault(cpu, mm);
  count(cpu, COUNTER.walkerPages, filled);
  return filled;
}

function mfillAtomicPte(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  index: number,
  zero: boolean,
): number {
  const pfn = zero ? ZERO_PFN : allocPage(cpu, 0);
  if (pfn === 0) return FILL.noMemory;
  const ptep = destination(cpu, mm, pmdp, slot, index);
  let outcome: number = FILL.noMemory;
  if (ptep !== 0) {
    const { ptl, table } = cpu;
    if (!pteNone(ptepGet(cpu, ptep))) outcome = FILL.exists;
    else if (setPteAt(cpu, table, index, mkPte(pfn, !zero && mayBeWritten(cpu), !zero)))
      outcome = FILL.done;
    if (outcome === FILL.done && !zero) count(cpu, COUNTER.rss, 1);
    pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  }
  pteAllocPut(cpu, mm, pmdp, slot);
  if (outcome !== FILL.done && !zero) freeUnusedPage(cpu, pfn);
  return outcome;
}

/**
 * Maps and locks the table to fill into, allocated if there is none; 0: out of memory. A lookup
 * that fails (-EAGAIN) leads back to the pmd entry, as posted and today.
 */
function destination(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, index: number): Ptep {
  for (;;) {
    if (pmdNone(pmdpGet(cpu, pmdp)) && !pteAlloc(cpu, mm, pmdp, slot)) return 0 as Ptep;
    const ptep = pteOffsetMapLock(cpu, mm, pmdp, slot, index);
    if (ptep !== 0) return ptep;
    pteAllocPut(cpu, mm, pmdp, slot);
    countRace(cpu, RACE.pmdGone, lastPmdChanger(pmdp));
    count(cpu, COUNTER.walkerRetries, 1);
    rcuQuiescent(cpu);
  }
}

/**
 * Write-protects the entries [first, end) of one slot; `marks`: what is none gets a marker, so that
 * it is remembered as protected. Returns how many entries.
 */
export function uffdWpRange(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  first: number,
  end: number,
  marks: boolean,
): number {
  if (marks && pmdNone(pmdpGet(cpu, pmdp)) && !pteAlloc(cpu, mm, pmdp, slot)) return 0;
  const ptep = walkerMapLock(cpu, mm, pmdp, slot, first, !reactsAsPosted());
  let marked = 0;
  if (ptep !== 0) {
    const { ptl, table } = cpu;
    for (let i = 0; i < end - first; i++)
      if (protectEntry(cpu, table, first + i, (ptep + i) as Ptep, marks)) marked++;
    pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  }
  pteAllocPut(cpu, mm, pmdp, slot);
  if (marked !== 0) flushTlbRange(cpu, slot, first, slot, end, false);
  count(cpu, COUNTER.walkerPages, marked);
  return marked;
}

function protectEntry(cpu: Cpu, table: number, index: number, ptep: Ptep, marks: boolean): boolean {
  const value = ptepGet(cpu, ptep);
  if (pteNone(value))
    return marks && setPteAt(cpu, table, index, mkNonPresent(PTE_KIND.marker, MARKER.uffdWp));
  if (!ptePresent(value) || pteUffdWp(value)) return false;
  const old = ptepGetAndClear(cpu, ptep);
  ptepReplace(cpu, table, ptep, old, pteMkuffdWp(old));
  return true;
}

/**
 * A fault on `orig`, a marker of write protection: the monitor lifts the protection at once, so the
 * entry becomes none and the access is tried again. A value of `VM_FAULT`.
 */
export function doUffdWpMarker(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  index: number,
  orig: Pte,
): number {
  const ptep = pteOffsetMapLock(cpu, mm, pmdp, slot, index);
  if (ptep === 0) {
    countRace(cpu, RACE.pmdGone, lastPmdChanger(pmdp));
    return VM_FAULT.again;
  }
  const { ptl, table } = cpu;
  if (pteSame(ptepGet(cpu, ptep), orig)) {
    pteClear(cpu, ptep);
    noteCleared(cpu, table, 1, 0);
  } else {
    countRace(cpu, RACE.pteChanged, lastChanger(table));
  }
  pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  return VM_FAULT.again;
}
