/**
 * The page fault on anonymous memory, after mm/memory.c: a read finds the shared zero page, a write
 * gets a page of its own. The caller holds the VMA lock or the mmap lock for reading, which keeps
 * upper tables and the VMA; the PTE table may go at any moment (see pte-offset-map.ts).
 *
 * A fault sets the entry and, still under the ptl, has the TLB remember it (the place of
 * `update_mmu_cache`, as where software fills the TLB); then the instruction that faulted runs
 * again.
 */

import type { Cpu } from '#arch/cpu';
import { type Pmdp, pmdNone } from '#arch/pmd';
import {
  mkPte,
  type Pte,
  pteMkwriteDirty,
  pteNone,
  ptePfn,
  ptePresent,
  pteSame,
  pteWrite,
} from '#arch/pte';
import { tlbFill } from '#arch/tlb';
import { ZERO_PFN } from '#arena/layout/page';
import { COUNTER, count } from '#trace/counters';
import { countRace } from '#trace/race';
import { RACE } from '#trace/vocabulary';
import { doNonPresentPage } from './fault-nonpresent.ts';
import type { Mm } from './mm.ts';
import { allocPage, freeUnusedPage } from './page-alloc.ts';
import {
  lastChanger,
  lastPmdChanger,
  pmdpGet,
  ptepClearFlush,
  ptepGet,
  ptepReplace,
  setPteAt,
} from './pgtable.ts';
import { pmdAlloc, pteAlloc, pteAllocPut } from './pte-alloc.ts';
import { pteOffsetMapLock, pteUnmapUnlock } from './pte-offset-map.ts';
import { boundProtocol, HOOK, hasHook } from './reclaim-protocol.ts';
import { checkLockDropped, checkOutOfMemory, timesMemoryShort } from './truthful.ts';
import { VM_FAULT } from './vm-fault.ts';

/**
 * Handles a fault at (slot, index), for which the hardware walk found `orig`. Returns a value of
 * `VM_FAULT`.
 */
export function handleMmFault(
  cpu: Cpu,
  mm: Mm,
  slot: number,
  index: number,
  write: boolean,
  orig: Pte,
): number {
  const timesShort = timesMemoryShort(cpu);
  if (hasHook(HOOK.walks)) boundProtocol().walkBegin(cpu, mm, slot);
  const pmdp = pmdAlloc(cpu, mm, slot);
  const outcome =
    pmdp === 0 ? VM_FAULT.oom : handlePteFault(cpu, mm, pmdp, slot, index, write, orig);
  pteAllocPut(cpu, mm, pmdp, slot);
  if (hasHook(HOOK.walks)) boundProtocol().walkEnd(cpu, mm, slot);
  if (outcome === VM_FAULT.oom) checkOutOfMemory(cpu, timesShort, slot, index);
  if (outcome === VM_FAULT.retry) checkLockDropped(cpu, slot, index);
  return outcome;
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
  if (pteNone(orig)) return doAnonymousPage(cpu, mm, pmdp, slot, index, write);
  if (!ptePresent(orig)) return doNonPresentPage(cpu, mm, pmdp, slot, index, orig);
  // A store to a page that may be written faults only if the entry has changed since.
  if (!write || pteWrite(orig)) return VM_FAULT.done;
  return doWpPage(cpu, mm, pmdp, slot, index, orig);
}

function doAnonymousPage(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  index: number,
  write: boolean,
): number {
  const pfn = write ? allocPage(cpu, 0) : ZERO_PFN;
  if (pfn === 0) return VM_FAULT.oom;
  const ptep = pteOffsetMapLock(cpu, mm, pmdp, slot, index);
  if (ptep === 0) {
    countRace(cpu, RACE.pmdGone, lastPmdChanger(pmdp));
    if (write) freeUnusedPage(cpu, pfn); // @fault-page-unused
    return VM_FAULT.again; // @fault-no-table
  }
  const { ptl, table } = cpu;
  if (!pteNone(ptepGet(cpu, ptep))) {
    countRace(cpu, RACE.pteChanged, lastChanger(table));
    pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
    if (write) freeUnusedPage(cpu, pfn);
    return VM_FAULT.again;
  }
  const value = mkPte(pfn, write, write);
  const set = setPteAt(cpu, table, index, value);
  if (set) tlbFill(cpu, slot, index, value);
  if (set && write) count(cpu, COUNTER.rss, 1);
  pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  if (!set) {
    if (write) freeUnusedPage(cpu, pfn);
    return VM_FAULT.oom;
  }
  count(cpu, write ? COUNTER.faultsWrite : COUNTER.faultsRead, 1);
  return VM_FAULT.done;
}

/**
 * A write to an entry that forbids it: the zero page is replaced by a page of its own, an own page
 * (write-protected by fork or mprotect) becomes writable again.
 */
function doWpPage(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, index: number, orig: Pte): number {
  const fromZero = ptePfn(orig) === ZERO_PFN;
  const pfn = fromZero ? allocPage(cpu, 0) : ptePfn(orig);
  if (pfn === 0) return VM_FAULT.oom;
  const ptep = pteOffsetMapLock(cpu, mm, pmdp, slot, index);
  if (ptep === 0) {
    countRace(cpu, RACE.pmdGone, lastPmdChanger(pmdp));
    if (fromZero) freeUnusedPage(cpu, pfn);
    return VM_FAULT.again;
  }
  const { ptl, table } = cpu;
  const same = pteSame(ptepGet(cpu, ptep), orig);
  if (same) {
    const value = fromZero ? mkPte(pfn, true, true) : pteMkwriteDirty(orig);
    if (fromZero) ptepClearFlush(cpu, ptep, slot, index);
    ptepReplace(cpu, table, ptep, orig, value);
    if (fromZero) count(cpu, COUNTER.rss, 1);
  } else {
    countRace(cpu, RACE.pteChanged, lastChanger(table));
  }
  pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  if (!same) {
    if (fromZero) freeUnusedPage(cpu, pfn);
    return VM_FAULT.again;
  }
  count(cpu, COUNTER.faultsWrite, 1);
  return VM_FAULT.done;
}
