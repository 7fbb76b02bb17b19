/**
 * A reader-writer semaphore (the role of `mmap_lock`), fair in the long run. Two words:
 *
 *     state  bits 0-15 readers inside, bit 16 a writer inside, bit 17 a writer waits
 *     turn   0, or one more than the number of the CPU that has waited too long
 *
 * Whoever finds it free takes it, so that nobody waits for a CPU that is not running: handing the
 * lock on in strict order costs a wake-up each time, and throughput collapses when there are more
 * CPUs than cores. A waiting writer keeps new readers out, and a CPU that has waited for
 * `HANDOFF_NS` claims the turn, after which only it may enter (as the kernel's rwsem hands off).
 *
 * A waiter outside an RCU read section reports itself quiescent while it waits.
 */

import type { Cpu } from '#arch/cpu';
import { waitUntilChanged } from '#arch/interrupts';
import { nowNs } from '#arena/clock';
import { LOCK_MODE } from '#arena/layout/lock-stat';
import { addAndWake, compareExchange, load, read, storeAndWake, wake } from '#arena/word';
import { traceAcquired, traceLockWait, traceLockWaitEnd } from '#trace/tracing';
import {
  countContended,
  countTrylockFailed,
  mightSleep,
  noteOrder,
  noteSemaphoreAcquired,
  noteSemaphoreReleased,
} from './held.ts';
import { lockStatAcquired, lockStatFailed, lockStatWaited, lockStatWaits } from './lock-stat.ts';
import { rcuIdleEnter, rcuIdleExit } from './rcu.ts';

const STATE = 0;
const TURN = 1;
const READERS = 0xffff;
const WRITER = 1 << 16;
const WRITER_WAITS = 1 << 17;

/** Wait after which a CPU claims the turn, in nanoseconds (the kernel's handoff waits 4 ms). */
const HANDOFF_NS = 4_000_000;

export function downRead(cpu: Cpu, sem: number, lockClass: number): void {
  mightSleep(cpu);
  noteOrder(cpu, lockClass);
  const entered = tryEnter(cpu, sem, false);
  if (!entered) waitToEnter(cpu, sem, lockClass, false); // @rwsem-read-wait
  noteSemaphoreAcquired(cpu, sem, lockClass);
  lockStatAcquired(cpu, sem, lockClass, LOCK_MODE.shared);
  traceAcquired(cpu, sem, lockClass, LOCK_MODE.shared);
}

export function downReadTrylock(cpu: Cpu, sem: number, lockClass: number): boolean {
  if (!tryEnter(cpu, sem, false)) {
    countTrylockFailed(cpu, lockClass);
    lockStatFailed(cpu, lockClass, LOCK_MODE.shared);
    return false;
  }
  noteSemaphoreAcquired(cpu, sem, lockClass);
  lockStatAcquired(cpu, sem, lockClass, LOCK_MODE.shared);
  traceAcquired(cpu, sem, lockClass, LOCK_MODE.shared);
  return true;
}

export function upRead(cpu: Cpu, sem: number): void {
  noteSemaphoreReleased(cpu, sem);
  addAndWake(cpu, sem + STATE, -1);
}

export function downWrite(cpu: Cpu, sem: number, lockClass: number): void {
  mightSleep(cpu);
  noteOrder(cpu, lockClass);
  const entered = tryEnter(cpu, sem, true);
  if (!entered) waitToEnter(cpu, sem, lockClass, true); // @rwsem-write-wait
  noteSemaphoreAcquired(cpu, sem, lockClass);
  lockStatAcquired(cpu, sem, lockClass, LOCK_MODE.exclusive);
  traceAcquired(cpu, sem, lockClass, LOCK_MODE.exclusive);
}

/** Writers that announced themselves meanwhile do so again; readers may come first. */
export function upWrite(cpu: Cpu, sem: number): void {
  noteSemaphoreReleased(cpu, sem);
  for (let state = load(cpu, sem + STATE); ; ) {
    const found = compareExchange(cpu, sem + STATE, state, state & READERS);
    if (found === state) break;
    state = found;
  }
  wake(sem + STATE);
}

/** One try, which may fail although the semaphore is free, if another CPU comes between. */
function tryEnter(cpu: Cpu, sem: number, write: boolean): boolean {
  const turn = read(cpu, sem + TURN);
  if (turn !== 0 && turn !== cpu.id + 1) return false;
  const state = load(cpu, sem + STATE);
  if (isBusy(state, turn, write)) return false;
  const next = write ? WRITER : state + 1;
  if (compareExchange(cpu, sem + STATE, state, next) !== state) return false;
  if (turn !== 0) storeAndWake(cpu, sem + TURN, 0);
  return true;
}

function waitToEnter(cpu: Cpu, sem: number, lockClass: number, write: boolean): void {
  const since = nowNs();
  lockStatWaits(cpu, sem);
  traceLockWait(cpu, sem, lockClass);
  const idle = rcuIdleEnter(cpu);
  for (;;) {
    const turn = load(cpu, sem + TURN);
    const state = load(cpu, sem + STATE);
    if (tryEnter(cpu, sem, write)) break;
    if (turn !== 0 && turn !== cpu.id + 1) {
      waitUntilChanged(cpu, sem + TURN, turn);
    } else if (isBusy(state, turn, write)) {
      // A waiting writer keeps new readers out; if that fails the state has changed: look again.
      const awaited = write ? state | WRITER_WAITS : state;
      const found = awaited === state ? state : compareExchange(cpu, sem + STATE, state, awaited);
      if (found === state) waitUntilChanged(cpu, sem + STATE, awaited);
    }
    if (turn === 0 && nowNs() - since > HANDOFF_NS) compareExchange(cpu, sem + TURN, 0, cpu.id + 1);
  }
  if (idle) rcuIdleExit(cpu);
  const waitedNs = nowNs() - since;
  countContended(cpu, lockClass, waitedNs);
  lockStatWaited(cpu, lockClass, write ? LOCK_MODE.exclusive : LOCK_MODE.shared, waitedNs);
  traceLockWaitEnd(cpu, sem, lockClass);
}

/** Whether `state` keeps a reader or writer out; a CPU whose turn it is passes waiting writers. */
function isBusy(state: number, turn: number, write: boolean): boolean {
  if (write) return (state & (READERS | WRITER)) !== 0;
  return (state & (turn === 0 ? WRITER | WRITER_WAITS : WRITER)) !== 0;
}
