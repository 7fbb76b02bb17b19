/**
 * What user code does: a load or store at an address, and the fault when the hardware walk finds
 * nothing.
 *
 * A present page is accessed under its ptl. Real hardware takes no lock: it uses a translation that
 * stays valid until the shootdown reaches this CPU. As long as no TLB is modelled, the ptl makes an
 * access one act with respect to zaps. The hardware walk before it is lockless, as on hardware.
 */

import { type Cpu, enterActor } from '#arch/cpu';
import { type Pmdp, pmdMatchesFrame, pmdTable, pmdTablePresent } from '#arch/pmd';
import { PTE_NONE, type Pte, type Ptep, ptePfn, ptePresent, pteWrite } from '#arch/pte';
import { bodyAt, pageAt, ptdescAt } from '#arena/arena';
import { PAGE } from '#arena/layout/page';
import { PTDESC } from '#arena/layout/ptdesc';
import { peek, poke } from '#arena/word';
import { rcuReadLock, rcuReadUnlock, synchronizeRcu } from '#sync/rcu';
import { rcuAnyPending } from '#sync/rcu-callbacks';
import { COUNTER, count } from '#trace/counters';
import { countRace } from '#trace/race';
import { ACTOR, RACE } from '#trace/vocabulary';
import { handleMmFault, VM_FAULT } from './fault.ts';
import { type Mm, mmapReadLock, mmapReadUnlock } from './mm.ts';
import { checkFrame, lastChanger, pmdOffset, pmdpGet, ptepGet } from './pgtable.ts';
import { pteOffsetMapLock, pteUnmapUnlock } from './pte-offset-map.ts';
import { runRcuCallbacks } from './rcu-free.ts';
import { findVma, lockVmaUnderRcu, vmaEndRead } from './vma.ts';

/** Results of an access that has no value to return. */
export const ACCESS = { stored: 0, sigsegv: -1, oom: -2 } as const;

/** Waits for memory that RCU holds back at most so often before an access fails. */
const OOM_RETRIES_MAX = 3;

/** Stores `value` (not negative) at (slot, index). Returns a value of `ACCESS`. */
export function userStore(cpu: Cpu, mm: Mm, slot: number, index: number, value: number): number {
  cpu.storeValue = value;
  for (let retries = 0; ; ) {
    const pfn = lockTranslation(cpu, mm, slot, index, true);
    if (pfn !== 0) {
      poke(pageAt(pfn) + PAGE.content, value);
      unlockTranslation(cpu);
      return ACCESS.stored;
    }
    const outcome = doUserAddrFault(cpu, mm, slot, index, true);
    if (outcome === VM_FAULT.done) return ACCESS.stored;
    if (outcome !== VM_FAULT.again && !memoryMayCome(cpu, outcome, retries++))
      return failed(cpu, outcome);
  }
}

/** The value at (slot, index), not negative, or a value of `ACCESS`. */
export function userLoad(cpu: Cpu, mm: Mm, slot: number, index: number): number {
  for (let retries = 0; ; ) {
    const pfn = lockTranslation(cpu, mm, slot, index, false);
    if (pfn !== 0) {
      const value = peek(pageAt(pfn) + PAGE.content);
      unlockTranslation(cpu);
      return value;
    }
    const outcome = doUserAddrFault(cpu, mm, slot, index, false);
    if (outcome === VM_FAULT.done) return 0;
    if (outcome !== VM_FAULT.again && !memoryMayCome(cpu, outcome, retries++))
      return failed(cpu, outcome);
  }
}

/**
 * The hardware walk, and the ptl of a present entry that allows the access: the page's pfn, to be
 * undone by `unlockTranslation`; or 0, nothing to undo. One read section: nothing it walks through
 * is freed meanwhile.
 */
function lockTranslation(cpu: Cpu, mm: Mm, slot: number, index: number, write: boolean): number {
  rcuReadLock(cpu);
  const pmdp = pmdOffset(cpu, mm, slot);
  cpu.walked = pmdp === 0 ? PTE_NONE : hardwareWalk(cpu, pmdp, index);
  if (allows(cpu.walked, write)) {
    const ptep = pteOffsetMapLock(cpu, mm, pmdp, index);
    if (ptep !== 0) {
      const value = ptepGet(cpu, ptep);
      if (allows(value, write)) return ptePfn(value);
      pteUnmapUnlock(cpu, cpu.ptl);
    }
  }
  rcuReadUnlock(cpu);
  return 0;
}

function unlockTranslation(cpu: Cpu): void {
  pteUnmapUnlock(cpu, cpu.ptl);
  rcuReadUnlock(cpu);
}

/** The entry as the hardware finds it: no lock, and within the caller's read section. */
function hardwareWalk(cpu: Cpu, pmdp: Pmdp, index: number): Pte {
  const pmdval = pmdpGet(cpu, pmdp);
  if (!pmdTablePresent(pmdval)) return PTE_NONE;
  const at = ptdescAt(pmdTable(pmdval));
  const value = ptepGet(cpu, (bodyAt(peek(at + PTDESC.body)) + index) as Ptep);
  if (!pmdMatchesFrame(pmdval, peek(at + PTDESC.state)) && checkFrame(cpu, pmdval, 0))
    countRace(cpu, RACE.staleWalk, lastChanger(pmdTable(pmdval)));
  return value;
}

function allows(value: Pte, write: boolean): boolean {
  return write ? pteWrite(value) : ptePresent(value);
}

/** The fault: finds the VMA under its own lock, or failing that under the mmap lock. */
function doUserAddrFault(cpu: Cpu, mm: Mm, slot: number, index: number, write: boolean): number {
  const before = enterActor(cpu, ACTOR.fault);
  let outcome: number = VM_FAULT.sigsegv;
  const vma = lockVmaUnderRcu(cpu, mm, slot, index);
  if (vma !== 0) {
    outcome = handleMmFault(cpu, mm, slot, index, write, cpu.walked);
    vmaEndRead(cpu, vma);
  } else {
    mmapReadLock(cpu, mm);
    if (findVma(cpu, mm, slot, index) !== 0) {
      countRace(cpu, RACE.vmaLockFallback, ACTOR.munmap);
      outcome = handleMmFault(cpu, mm, slot, index, write, cpu.walked);
    }
    mmapReadUnlock(cpu, mm);
  }
  enterActor(cpu, before);
  return outcome;
}

/**
 * After an outcome of no memory: waits for what RCU holds back; false: there is nothing to wait
 * for.
 */
function memoryMayCome(cpu: Cpu, outcome: number, retries: number): boolean {
  if (outcome !== VM_FAULT.oom || retries >= OOM_RETRIES_MAX || !rcuAnyPending()) return false;
  synchronizeRcu(cpu);
  runRcuCallbacks(cpu);
  return true;
}

function failed(cpu: Cpu, outcome: number): number {
  const oom = outcome === VM_FAULT.oom;
  count(cpu, oom ? COUNTER.oom : COUNTER.segv, 1);
  return oom ? ACCESS.oom : ACCESS.sigsegv;
}
