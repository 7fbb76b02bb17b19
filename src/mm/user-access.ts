/**
 * What user code does: a load or store at an address, by the translation that the TLB remembers, or
 * else by the hardware walk, or else by a fault, after which the instruction runs again.
 *
 * An access takes no lock. It is one act with respect to zaps, because this CPU serves no interrupt
 * between translation and access: whoever has cleared the entry waits in its flush until the access
 * is over before it lets the page go. Where flushes are broadcast it says so: from `beginAccess` to
 * `endAccess`.
 */

import { type Cpu, enterActor, leaveActor } from '#arch/cpu';
import { beginAccess, endAccess, flushesAreBroadcast, interruptPoint } from '#arch/interrupts';
import { pwcForget, tlbLookup } from '#arch/tlb';
import { pageAt } from '#arena/arena';
import { nowNs } from '#arena/clock';
import { PAGE } from '#arena/layout/page';
import { peek, poke } from '#arena/word';
import { synchronizeRcu } from '#sync/rcu';
import { rcuAnyPending } from '#sync/rcu-callbacks';
import { COUNTER, count } from '#trace/counters';
import { latencySampleDue, recordFaultLatency } from '#trace/latency';
import { countRace } from '#trace/race';
import { ACTOR, RACE } from '#trace/vocabulary';
import { anonVmaPrepare } from './anon-vma.ts';
import { handleMmFault } from './fault.ts';
import { hardwareWalk } from './hardware-walk.ts';
import { type Mm, mmapReadLock, mmapReadUnlock } from './mm.ts';
import { allowsAccess } from './protection.ts';
import { runRcuCallbacks } from './rcu-free.ts';
import { boundProtocol, HOOK, hasHook } from './reclaim-protocol.ts';
import { handleUserfault, isUserfault } from './userfault-wait.ts';
import { VM_FAULT } from './vm-fault.ts';
import { findVma, lockVmaUnderRcu, vmaEndRead } from './vma.ts';

/** Results of an access that has no value to return. */
export const ACCESS = { stored: 0, sigsegv: -1, oom: -2 } as const;

/** Waits for memory that RCU holds back at most so often before an access fails. */
const OOM_RETRIES_MAX = 3;

/** Stores `value` (not negative) at (slot, index). Returns a value of `ACCESS`. */
export function userStore(cpu: Cpu, mm: Mm, slot: number, index: number, value: number): number {
  const pfn = translate(cpu, mm, slot, index, true);
  if (pfn <= 0) return pfn;
  poke(pageAt(pfn) + PAGE.content, value);
  if (flushesAreBroadcast()) endAccess(cpu);
  return ACCESS.stored;
}

/** The value at (slot, index), not negative, or a value of `ACCESS`. */
export function userLoad(cpu: Cpu, mm: Mm, slot: number, index: number): number {
  const pfn = translate(cpu, mm, slot, index, false);
  if (pfn <= 0) return pfn;
  const content = peek(pageAt(pfn) + PAGE.content);
  if (flushesAreBroadcast()) endAccess(cpu);
  return content;
}

/**
 * The page frame to access, and the access has begun; or a value of `ACCESS` that is negative, and
 * it has not.
 */
function translate(cpu: Cpu, mm: Mm, slot: number, index: number, write: boolean): number {
  for (let retries = 0; ; ) {
    if (flushesAreBroadcast()) beginAccess(cpu);
    let pfn = tlbLookup(cpu, slot, index, write);
    if (pfn === 0) pfn = hardwareWalk(cpu, mm, slot, index, write);
    if (pfn !== 0) return pfn;
    if (flushesAreBroadcast()) endAccess(cpu);
    const outcome = doUserAddrFault(cpu, mm, slot, index, write);
    if (outcome === VM_FAULT.done) continue;
    pwcForget(cpu, slot);
    if (outcome === VM_FAULT.oom || outcome === VM_FAULT.sigsegv)
      if (!memoryMayCome(cpu, mm, outcome, retries++)) return failed(cpu, outcome);
    interruptPoint(cpu);
  }
}

/**
 * The fault: finds the VMA under its own lock, or failing that under the mmap lock. That lock has
 * been dropped already if the outcome is `retry`.
 */
function doUserAddrFault(cpu: Cpu, mm: Mm, slot: number, index: number, write: boolean): number {
  const before = enterActor(cpu, ACTOR.fault);
  const since = latencySampleDue(cpu) ? nowNs() : 0;
  let outcome: number = VM_FAULT.sigsegv;
  const vma = lockVmaUnderRcu(cpu, mm, slot, index);
  if (vma !== 0) {
    if (allowsAccess(cpu, vma, write)) outcome = faultInVma(cpu, mm, vma, vma, slot, index, write);
    if (outcome !== VM_FAULT.retry) vmaEndRead(cpu, vma);
  } else {
    mmapReadLock(cpu, mm);
    const found = findVma(cpu, mm, slot, index);
    if (found !== 0) {
      countRace(cpu, RACE.vmaLockFallback, ACTOR.munmap);
      if (allowsAccess(cpu, found, write))
        outcome = faultInVma(cpu, mm, found, 0, slot, index, write);
    }
    if (outcome !== VM_FAULT.retry) mmapReadUnlock(cpu, mm);
  }
  if (since !== 0) recordFaultLatency(cpu, since);
  leaveActor(cpu, before);
  return outcome;
}

/** The fault in VMA `vma`, which allows the access; `locked`: that VMA, or 0: the mmap lock. */
function faultInVma(
  cpu: Cpu,
  mm: Mm,
  vma: number,
  locked: number,
  slot: number,
  index: number,
  write: boolean,
): number {
  if (isUserfault(cpu) && handleUserfault(cpu, mm, locked, slot, index)) return VM_FAULT.retry;
  if (write) anonVmaPrepare(mm, vma);
  return handleMmFault(cpu, mm, slot, index, write, cpu.walked);
}

/**
 * After an outcome of no memory: has the protocol reclaim tables, if it does so under pressure, and
 * waits for what RCU holds back; false: there is nothing to wait for.
 */
function memoryMayCome(cpu: Cpu, mm: Mm, outcome: number, retries: number): boolean {
  if (outcome !== VM_FAULT.oom || retries >= OOM_RETRIES_MAX) return false;
  const reclaimed = hasHook(HOOK.pressure) ? boundProtocol().pressure(cpu, mm) : 0;
  if (reclaimed <= 0 && !rcuAnyPending()) return false;
  synchronizeRcu(cpu);
  runRcuCallbacks(cpu);
  return true;
}

function failed(cpu: Cpu, outcome: number): number {
  const oom = outcome === VM_FAULT.oom;
  count(cpu, oom ? COUNTER.oom : COUNTER.segv, 1);
  return oom ? ACCESS.oom : ACCESS.sigsegv;
}
