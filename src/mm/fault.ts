/**
 * The page fault on anonymous memory, after mm/memory.c: a read finds the shared zero page, a write
 * gets a page of its own. The caller holds the VMA lock or the mmap lock for reading, which keeps
 * upper tables and the VMA; the PTE table may go at any moment (see pte-offset-map.ts).
 *
 * The faulting instruction completes inside the fault: the value it stores is in the new page
 * before the entry is set. On hardware it would run again after the fault; as long as no TLB is
 * modelled, nothing else would keep the page from being zapped and reused under it.
 */

import type { Cpu } from '#arch/cpu';
import { type Pmdp, pmdNone } from '#arch/pmd';
import { mkPte, type Pte, pteNone, ptePfn, ptePresent, pteSame, pteWrite } from '#arch/pte';
import { ZERO_PFN } from '#arena/layout/page';
import { COUNTER, count } from '#trace/counters';
import { countRace } from '#trace/race';
import { RACE } from '#trace/vocabulary';
import type { Mm } from './mm.ts';
import { allocPage, freeUnusedPage } from './page-alloc.ts';
import { lastChanger, lastPmdChanger, pmdpGet, ptepGet, ptepReplace, setPteAt } from './pgtable.ts';
import { pmdAlloc, pteAlloc } from './pte-alloc.ts';
import { pteOffsetMapLock, pteUnmapUnlock } from './pte-offset-map.ts';

/** Outcomes: handled; nothing done, the access may be tried again; no memory; no mapping there. */
export const VM_FAULT = { done: 0, again: 1, oom: 2, sigsegv: 3 } as const;

/** Handles a fault at (slot, index). `write`: the access stores `cpu.storeValue`. */
export function handleMmFault(
  cpu: Cpu,
  mm: Mm,
  slot: number,
  index: number,
  write: boolean,
  orig: Pte,
): number {
  const pmdp = pmdAlloc(cpu, mm, slot);
  if (pmdp === 0) return VM_FAULT.oom;
  return handlePteFault(cpu, mm, pmdp, slot, index, write, orig);
}

function handlePteFault(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  index: number,
  write: boolean,
  orig: Pte,
): number {
  if (pmdNone(pmdpGet(cpu, pmdp)) && !pteAlloc(cpu, mm, pmdp, slot)) return VM_FAULT.oom;
  if (pteNone(orig)) return doAnonymousPage(cpu, mm, pmdp, index, write);
  if (!ptePresent(orig) || !write || pteWrite(orig)) return VM_FAULT.again;
  return doWpPage(cpu, mm, pmdp, index, orig);
}

function doAnonymousPage(cpu: Cpu, mm: Mm, pmdp: Pmdp, index: number, write: boolean): number {
  const pfn = write ? allocPage(cpu, cpu.storeValue) : ZERO_PFN;
  if (pfn === 0) return VM_FAULT.oom;
  const ptep = pteOffsetMapLock(cpu, mm, pmdp, index);
  if (ptep === 0) {
    countRace(cpu, RACE.pmdGone, lastPmdChanger(pmdp));
    if (write) freeUnusedPage(cpu, pfn);
    return VM_FAULT.again;
  }
  const { ptl, table } = cpu;
  if (!pteNone(ptepGet(cpu, ptep))) {
    countRace(cpu, RACE.pteChanged, lastChanger(table));
    pteUnmapUnlock(cpu, ptl);
    if (write) freeUnusedPage(cpu, pfn);
    return VM_FAULT.again;
  }
  const set = setPteAt(cpu, table, index, mkPte(pfn, write, write));
  if (set && write) count(cpu, COUNTER.rss, 1);
  pteUnmapUnlock(cpu, ptl);
  if (!set) {
    if (write) freeUnusedPage(cpu, pfn);
    return VM_FAULT.oom;
  }
  count(cpu, write ? COUNTER.faultsWrite : COUNTER.faultsRead, 1);
  return VM_FAULT.done;
}

/** A write to the zero page: a page of its own takes its place. */
function doWpPage(cpu: Cpu, mm: Mm, pmdp: Pmdp, index: number, orig: Pte): number {
  const pfn = allocPage(cpu, cpu.storeValue);
  if (pfn === 0) return VM_FAULT.oom;
  const ptep = pteOffsetMapLock(cpu, mm, pmdp, index);
  if (ptep === 0) {
    countRace(cpu, RACE.pmdGone, lastPmdChanger(pmdp));
    freeUnusedPage(cpu, pfn);
    return VM_FAULT.again;
  }
  const { ptl, table } = cpu;
  const same = pteSame(ptepGet(cpu, ptep), orig) && ptePfn(orig) === ZERO_PFN;
  if (same) {
    ptepReplace(cpu, ptep, mkPte(pfn, true, true));
    count(cpu, COUNTER.rss, 1);
  } else {
    countRace(cpu, RACE.pteChanged, lastChanger(table));
  }
  pteUnmapUnlock(cpu, ptl);
  if (!same) {
    freeUnusedPage(cpu, pfn);
    return VM_FAULT.again;
  }
  count(cpu, COUNTER.faultsWrite, 1);
  return VM_FAULT.done;
}
