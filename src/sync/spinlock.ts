/**
 * Spinlocks: one word each, zero when free. The algorithm is chosen per lock class when the machine
 * is built; test-and-test-and-set is the default, since a strict first-come lock stalls when there
 * are more CPUs than cores (the next in line is not running).
 *
 * Lock order, outermost first: mmap lock, VMA lock, rmap lock, table semaphore, page-table (upper
 * levels), pml, ptl, then leaf locks (of the allocators, of switching percpu refs). Where locks are
 * not split, pml and ptl are both the mm's page-table lock. oracles/lock-order.ts has it as a law.
 *
 * Every waiter waits in `waitUntilChanged`: it spins a bounded time, then sleeps, so a holder that
 * has lost its core does not stall the run.
 */

import type { Cpu } from '#arch/cpu';
import { interruptPoint, waitUntilChanged } from '#arch/interrupts';
import { atLoad } from '#arena/at-load';
import { nowNs } from '#arena/clock';
import { LOCK_MODE } from '#arena/layout/lock-stat';
import { acquire, compareExchange, load, storeReleaseAndWake } from '#arena/word';
import { traceAcquired, traceLockWait, traceLockWaitEnd } from '#trace/tracing';
import {
  countContended,
  countTrylockFailed,
  noteAcquired,
  noteOrder,
  noteOrderNested,
  noteReleased,
} from './held.ts';
import { lockStatAcquired, lockStatFailed, lockStatWaited, lockStatWaits } from './lock-stat.ts';
import { mcsLock, mcsTrylock, mcsUnlock } from './mcs.ts';
import { ticketLock, ticketTrylock, ticketUnlock } from './ticket.ts';

/** Nesting level for a second lock of the same class (the kernel's lockdep annotation). */
export const SINGLE_DEPTH_NESTING = 1;

/** Bit masks of the lock classes that use another algorithm than test-and-test-and-set. */
let ticketClasses = atLoad.settings.ticketClasses; // constant at load
let mcsClasses = atLoad.settings.mcsClasses; // constant at load

/** Chooses algorithms: bit `1 << class` of each mask. The same on every thread of a machine. */
export function configureSpinlocks(ticket: number, mcs: number): void {
  ticketClasses = ticket;
  mcsClasses = mcs;
}

/** Takes the lock at `lockp`, of lock class `lockClass` (a value of `LOCK`). */
export function spinLock(cpu: Cpu, lockp: number, lockClass: number): void {
  noteOrder(cpu, lockClass);
  takeSpinlock(cpu, lockp, lockClass);
}

/** As `spinLock`, for a second lock of a class already held; `subclass` as in the kernel. */
export function spinLockNested(cpu: Cpu, lockp: number, lockClass: number, subclass: number): void {
  if (subclass === SINGLE_DEPTH_NESTING) noteOrderNested(cpu, lockClass);
  else noteOrder(cpu, lockClass);
  takeSpinlock(cpu, lockp, lockClass);
}

function takeSpinlock(cpu: Cpu, lockp: number, lockClass: number): void {
  if (((ticketClasses | mcsClasses) & (1 << lockClass)) !== 0) {
    lockInOrder(cpu, lockp, lockClass);
  } else {
    const holder = acquire(cpu, lockp, cpu.id + 1); // @ttas-take
    if (holder !== 0) ttasWait(cpu, lockp, lockClass);
  }
  noteAcquired(cpu, lockp, lockClass);
  lockStatAcquired(cpu, lockp, lockClass, LOCK_MODE.exclusive);
  traceAcquired(cpu, lockp, lockClass, LOCK_MODE.exclusive);
}

/** Takes the lock if it is free now. */
export function spinTrylock(cpu: Cpu, lockp: number, lockClass: number): boolean {
  if (!tryOnce(cpu, lockp, lockClass)) {
    countTrylockFailed(cpu, lockClass);
    lockStatFailed(cpu, lockClass, LOCK_MODE.exclusive);
    return false;
  }
  noteAcquired(cpu, lockp, lockClass);
  lockStatAcquired(cpu, lockp, lockClass, LOCK_MODE.exclusive);
  traceAcquired(cpu, lockp, lockClass, LOCK_MODE.exclusive);
  return true;
}

export function spinUnlock(cpu: Cpu, lockp: number, lockClass: number): void {
  noteReleased(cpu, lockp, lockClass);
  if (((ticketClasses | mcsClasses) & (1 << lockClass)) === 0) storeReleaseAndWake(cpu, lockp, 0);
  else if ((ticketClasses & (1 << lockClass)) !== 0) ticketUnlock(cpu, lockp);
  else mcsUnlock(cpu, lockp);
}

function ttasWait(cpu: Cpu, lockp: number, lockClass: number): void {
  const since = nowNs();
  lockStatWaits(cpu, lockp);
  traceLockWait(cpu, lockp, lockClass);
  for (;;) {
    const holder = load(cpu, lockp);
    if (holder !== 0) waitUntilChanged(cpu, lockp, holder);
    else if (acquire(cpu, lockp, cpu.id + 1) === 0) break;
    else interruptPoint(cpu);
  }
  noteWaited(cpu, lockClass, nowNs() - since);
  traceLockWaitEnd(cpu, lockp, lockClass);
}

function lockInOrder(cpu: Cpu, lockp: number, lockClass: number): void {
  if (tryOnce(cpu, lockp, lockClass)) return;
  const since = nowNs();
  lockStatWaits(cpu, lockp);
  traceLockWait(cpu, lockp, lockClass);
  if ((ticketClasses & (1 << lockClass)) !== 0) ticketLock(cpu, lockp);
  else mcsLock(cpu, lockp);
  noteWaited(cpu, lockClass, nowNs() - since);
  traceLockWaitEnd(cpu, lockp, lockClass);
}

function noteWaited(cpu: Cpu, lockClass: number, waitedNs: number): void {
  countContended(cpu, lockClass, waitedNs);
  lockStatWaited(cpu, lockClass, LOCK_MODE.exclusive, waitedNs);
}

function tryOnce(cpu: Cpu, lockp: number, lockClass: number): boolean {
  if ((ticketClasses & (1 << lockClass)) !== 0) return ticketTrylock(cpu, lockp);
  if ((mcsClasses & (1 << lockClass)) !== 0) return mcsTrylock(cpu, lockp);
  return compareExchange(cpu, lockp, 0, cpu.id + 1) === 0;
}
