/**
 * The fault on missing memory that a userfaultfd looks after: waits until somebody fills it.
 *
 * Who waits notes the number of fills first, looks at the entry then, and sleeps while the number
 * stays; who fills sets the entry first. So either the look finds the entry, or the number changes.
 *
 * The monitor is whoever runs the fills, one of the CPUs. Where nobody may be left to do so (not in
 * the main phase, another CPU has come to a rendezvous, all CPUs wait) the memory is as if it were
 * not registered.
 */
import type { Cpu } from '#arch/cpu';
import { waitUntilChanged } from '#arch/interrupts';
import { pteNone } from '#arch/pte';
import { CONTROL, PHASE } from '#arena/layout/control';
import { MM, VMA_FLAG } from '#arena/layout/mm';
import { add, addAndWake, load, peek } from '#arena/word';
import { rcuIdleEnter, rcuIdleExit } from '#sync/rcu';
import { COUNTER, count } from '#trace/counters';
import { type Mm, mmapReadUnlock } from './mm.ts';
import { pmdOffset, ptepGet } from './pgtable.ts';
import { pteUnmap } from './pte-offset-map.ts';
import { boundProtocol, HOOK, hasHook } from './reclaim-protocol.ts';
import { vmaEndRead } from './vma.ts';
import { walkerMap } from './walkers/map-table.ts';

let cpus = 0;

/** How many CPUs the plan has; when all of them wait there is no monitor. */
export function configureUserfaults(cpusOfPlan: number): void {
  cpus = cpusOfPlan;
}

/** Whether a fault on a none entry is a userfault, by the flags of its VMA that were noted. */
export function isUserfault(cpu: Cpu): boolean {
  return pteNone(cpu.walked) && (cpu.vmaFlags & VMA_FLAG.uffdMissing) !== 0;
}

/**
 * Waits for a fill, with the lock dropped under which the caller found the VMA: that of VMA
 * `locked`, or if 0 the mmap lock for reading. False: it did not, and the lock is held.
 */
export function handleUserfault(
  cpu: Cpu,
  mm: Mm,
  locked: number,
  slot: number,
  index: number,
): boolean {
  const fills = load(cpu, mm.at + MM.userfaultFills);
  if (!isServed(cpu) || !userfaultfdMustWait(cpu, mm, slot, index)) return false;
  const waiters = add(cpu, mm.at + MM.userfaultWaiters, 1) + 1;
  if (waiters < cpus) {
    if (locked !== 0) vmaEndRead(cpu, locked);
    else mmapReadUnlock(cpu, mm);
    waitForFill(cpu, mm, fills);
  }
  add(cpu, mm.at + MM.userfaultWaiters, -1);
  return waiters < cpus;
}

/** Something was filled, or this CPU serves no faults for a while: whoever waits looks again. */
export function wakeUserfault(cpu: Cpu, mm: Mm): void {
  addAndWake(cpu, mm.at + MM.userfaultFills, 1);
}

/** This CPU fills nothing any more: from now on it is as if it waited itself. */
export function retireFromUserfaults(cpu: Cpu, mm: Mm): void {
  add(cpu, mm.at + MM.userfaultWaiters, 1);
  wakeUserfault(cpu, mm);
}

function isServed(cpu: Cpu): boolean {
  if (peek(CONTROL.phase) !== PHASE.main || peek(CONTROL.stop) !== 0) return false;
  return load(cpu, CONTROL.arrived) === 0;
}

/** Looks at the entry once more, without a lock: is it still missing? */
function userfaultfdMustWait(cpu: Cpu, mm: Mm, slot: number, index: number): boolean {
  if (hasHook(HOOK.walks)) boundProtocol().walkBegin(cpu, mm, slot);
  const pmdp = pmdOffset(cpu, mm, slot);
  const ptep = pmdp === 0 ? 0 : walkerMap(cpu, mm, pmdp, slot, index, true);
  let isMissing = true;
  if (ptep !== 0) {
    const { pmdval } = cpu;
    isMissing = pteNone(ptepGet(cpu, ptep));
    pteUnmap(cpu, mm, pmdp, slot, pmdval);
  }
  if (hasHook(HOOK.walks)) boundProtocol().walkEnd(cpu, mm, slot);
  return isMissing;
}

function waitForFill(cpu: Cpu, mm: Mm, fills: number): void {
  count(cpu, COUNTER.userfaultWaits, 1);
  const idle = rcuIdleEnter(cpu);
  waitUntilChanged(cpu, mm.at + MM.userfaultFills, fills);
  if (idle) rcuIdleExit(cpu);
}
