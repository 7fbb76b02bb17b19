/**
 * GUP, the slow way: finds the page of an address under the ptl, faulting it in for writing where
 * it must, and takes a reference to it. And what the user of the references does: holds up to
 * `PINS_MAX` pages for a while, finds each still alive, and lets go.
 */
import { type Cpu, PINS_MAX } from '#arch/cpu';
import { PTE_NONE, type Pte, ptePfn, pteWrite } from '#arch/pte';
import { pageAt } from '#arena/arena';
import { PAGE } from '#arena/layout/page';
import { peek } from '#arena/word';
import { rcuQuiescent } from '#sync/rcu';
import { COUNTER, count } from '#trace/counters';
import { FACT, noteFact } from '#trace/fact';
import { anonVmaPrepare } from './anon-vma.ts';
import { handleMmFault } from './fault.ts';
import { type Mm, mmapReadLock, mmapReadUnlock } from './mm.ts';
import { getFolio, pageLife, putFolio } from './page-ref.ts';
import { pmdOffset, ptepGet } from './pgtable.ts';
import { allowsAccess } from './protection.ts';
import { pteUnmapUnlock } from './pte-offset-map.ts';
import { boundProtocol, HOOK, hasHook } from './reclaim-protocol.ts';
import { VM_FAULT } from './vm-fault.ts';
import { findVma } from './vma.ts';
import { walkerMapLock } from './walkers/map-table.ts';

/**
 * References the page at (slot, index), to be written to. False: there is none and can be none.
 * Takes the mmap lock.
 */
export function gupSlow(cpu: Cpu, mm: Mm, slot: number, index: number): boolean {
  mmapReadLock(cpu, mm);
  const isPinned = gupLocked(cpu, mm, slot, index);
  mmapReadUnlock(cpu, mm);
  if (isPinned) count(cpu, COUNTER.gupSlowPages, 1);
  return isPinned;
}

function gupLocked(cpu: Cpu, mm: Mm, slot: number, index: number): boolean {
  if (!mayPin(cpu, mm, slot, index)) return false;
  for (;;) {
    const found = followPagePte(cpu, mm, slot, index);
    if (pteWrite(found)) return true;
    const outcome = handleMmFault(cpu, mm, slot, index, true, found);
    if (outcome === VM_FAULT.oom || outcome === VM_FAULT.sigsegv) return false;
    // As the outcome has it, the lock has been dropped; the VMA may be another one by now.
    if (outcome === VM_FAULT.retry) {
      mmapReadLock(cpu, mm);
      if (!mayPin(cpu, mm, slot, index)) return false;
    }
    rcuQuiescent(cpu);
  }
}

/** Whether there is a VMA, under the mmap lock, that may be written to; it is about to be. */
function mayPin(cpu: Cpu, mm: Mm, slot: number, index: number): boolean {
  const vma = findVma(cpu, mm, slot, index);
  if (vma === 0 || !allowsAccess(cpu, vma, true)) return false;
  anonVmaPrepare(mm, vma);
  return true;
}

/** The entry found under the ptl; if it can be written by, its page is referenced and held. */
function followPagePte(cpu: Cpu, mm: Mm, slot: number, index: number): Pte {
  if (hasHook(HOOK.walks)) boundProtocol().walkBegin(cpu, mm, slot);
  const pmdp = pmdOffset(cpu, mm, slot);
  const ptep = pmdp === 0 ? 0 : walkerMapLock(cpu, mm, pmdp, slot, index, false);
  let found = PTE_NONE;
  if (ptep !== 0) {
    const { ptl, table } = cpu;
    found = ptepGet(cpu, ptep);
    if (pteWrite(found)) {
      getFolio(cpu, ptePfn(found));
      holdPage(cpu, ptePfn(found), pageLife(ptePfn(found)));
    }
    pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  }
  if (hasHook(HOOK.walks)) boundProtocol().walkEnd(cpu, mm, slot);
  return found;
}

/** Keeps page `pfn`, which this CPU has referenced and which was found in life `life`. */
export function holdPage(cpu: Cpu, pfn: number, life: number): void {
  cpu.pinnedPages[cpu.pins] = pfn;
  cpu.pinnedLives[cpu.pins] = life;
  cpu.pins++;
}

export function holdsMany(cpu: Cpu): boolean {
  return cpu.pins === PINS_MAX;
}

/** Is done with the pages held: each must be the one that was found, and not have been reused. */
export function putHeldPages(cpu: Cpu): void {
  for (let i = 0; i < cpu.pins; i++) {
    const pfn = cpu.pinnedPages[i]!;
    const life = cpu.pinnedLives[i]!;
    if (pageLife(pfn) !== life)
      noteFact(cpu, FACT.pageReused, pfn, peek(pageAt(pfn) + PAGE.state), life, 0, 0);
    putFolio(cpu, pfn);
  }
  cpu.pins = 0;
}
