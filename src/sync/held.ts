/**
 * What a CPU holds, in which order it took it, and how often it took locks of each class: quiet
 * words of its own block.
 *
 * Lock order, after the kernel's lockdep: whoever may have to wait for a lock of class B while it
 * holds one of class A has taken B under A, whether it had to wait this time or not. Each pair is
 * noted once per CPU; oracles/lock-order.ts compares. A trylock that succeeds adds to what is held
 * and has no order itself, since it never waits.
 */
import type { CpuRef } from '#arena/gate';
import { HELD_MAX, LOCK_ORDER, LOCK_RECORD, LOCKS_MAX, PERCPU } from '#arena/layout/percpu';
import { bump, peek, poke } from '#arena/word';
import { addDuration } from '#trace/duration';
import { FACT, noteFact } from '#trace/fact';
import { traceReleased } from '#trace/tracing';
import { lockStatReleased } from './lock-stat.ts';

/** The classes in the word of those held, and the distance to the bits of those held twice. */
const CLASSES = (1 << LOCKS_MAX) - 1;
const TWICE = LOCKS_MAX;

/** Notes under which locks this CPU is about to take one of `lockClass`, for which it may wait. */
export function noteOrder(cpu: CpuRef, lockClass: number): void {
  const held = peek(cpu.block + PERCPU.heldClasses) & CLASSES;
  if ((held & ~peek(cpu.block + PERCPU.takenUnder + lockClass)) !== 0)
    noteNewOrder(cpu, lockClass, held, held);
}

/** The same for a lock that may be taken under another of its class. */
export function noteOrderNested(cpu: CpuRef, lockClass: number): void {
  const held = peek(cpu.block + PERCPU.heldClasses) & CLASSES;
  const others = held & ~(1 << lockClass);
  if ((others & ~peek(cpu.block + PERCPU.takenUnder + lockClass)) !== 0)
    noteNewOrder(cpu, lockClass, others, held);
}

function noteNewOrder(cpu: CpuRef, lockClass: number, under: number, held: number): void {
  const seenAt = cpu.block + PERCPU.takenUnder + lockClass;
  const seen = peek(seenAt);
  const how = LOCK_ORDER.seen | (held << LOCK_ORDER.heldShift) | peek(cpu.block + PERCPU.actor);
  for (let outer = 0; outer < LOCKS_MAX; outer++) {
    if ((under & ~seen & (1 << outer)) !== 0)
      poke(cpu.block + PERCPU.lockOrders + outer * LOCKS_MAX + lockClass, how);
  }
  poke(seenAt, seen | under);
}

/** A lock of `lockClass` is held from now on. */
export function noteHeld(cpu: CpuRef, lockClass: number): void {
  const at = cpu.block + PERCPU.heldClasses;
  const bit = 1 << lockClass;
  const held = peek(at);
  poke(at, held | bit | ((held & bit) << TWICE));
}

/** The same where all locks of `lockClass` that this CPU takes so are released together. */
export function noteHeldTogether(cpu: CpuRef, lockClass: number): void {
  const at = cpu.block + PERCPU.heldClasses;
  poke(at, peek(at) | (1 << lockClass));
}

/** A lock of `lockClass` is held no more, or only once. */
export function noteLeft(cpu: CpuRef, lockClass: number): void {
  const at = cpu.block + PERCPU.heldClasses;
  const bit = 1 << lockClass;
  const held = peek(at);
  poke(at, held & ~((held & (bit << TWICE)) === 0 ? bit : bit << TWICE));
}

/** Whether this CPU holds a lock of `lockClass`. */
export function isHeld(cpu: CpuRef, lockClass: number): boolean {
  return (peek(cpu.block + PERCPU.heldClasses) & (1 << lockClass)) !== 0;
}

/** Notes that this CPU now holds the spinlock at `lockp` of class `lockClass`. */
export function noteAcquired(cpu: CpuRef, lockp: number, lockClass: number): void {
  const depth = peek(cpu.block + PERCPU.heldCount);
  if (depth < HELD_MAX) {
    poke(cpu.block + PERCPU.held + depth, lockp);
  }
  poke(cpu.block + PERCPU.heldCount, depth + 1);
  noteHeld(cpu, lockClass);
  countAcquired(cpu, lockClass);
}

/** Notes that this CPU is about to release the spinlock at `lockp`. */
export function noteReleased(cpu: CpuRef, lockp: number, lockClass: number): void {
  const depth = peek(cpu.block + PERCPU.heldCount) - 1;
  if (depth > 0 && depth < HELD_MAX && peek(cpu.block + PERCPU.held + depth) !== lockp)
    moveToTop(cpu, lockp, depth);
  poke(cpu.block + PERCPU.heldCount, depth);
  noteLeft(cpu, lockClass);
  lockStatReleased(cpu, lockp, lockClass);
  traceReleased(cpu, lockp, lockClass);
}

function moveToTop(cpu: CpuRef, lockp: number, top: number): void {
  for (let i = top - 1; i >= 0; i--) {
    if (peek(cpu.block + PERCPU.held + i) !== lockp) continue;
    for (let j = i; j < top; j++) {
      poke(cpu.block + PERCPU.held + j, peek(cpu.block + PERCPU.held + j + 1));
    }
    return;
  }
}

/** Notes that this CPU now holds the semaphore at `sem` of class `lockClass`. */
export function noteSemaphoreAcquired(cpu: CpuRef, sem: number, lockClass: number): void {
  countAcquired(cpu, lockClass);
  const count = peek(cpu.block + PERCPU.semaphoreCount);
  if (count === HELD_MAX) return;
  poke(cpu.block + PERCPU.semaphores + count, sem);
  poke(cpu.block + PERCPU.semaphoreClasses + count, lockClass);
  poke(cpu.block + PERCPU.semaphoreCount, count + 1);
  noteHeld(cpu, lockClass);
}

/** Notes that this CPU is about to release the semaphore at `sem`, whatever its class is. */
export function noteSemaphoreReleased(cpu: CpuRef, sem: number): void {
  const last = peek(cpu.block + PERCPU.semaphoreCount) - 1;
  for (let i = last; i >= 0; i--) {
    if (peek(cpu.block + PERCPU.semaphores + i) !== sem) continue;
    const lockClass = peek(cpu.block + PERCPU.semaphoreClasses + i);
    noteLeft(cpu, lockClass);
    lockStatReleased(cpu, sem, lockClass);
    traceReleased(cpu, sem, lockClass);
    for (let j = i; j < last; j++) {
      poke(cpu.block + PERCPU.semaphores + j, peek(cpu.block + PERCPU.semaphores + j + 1));
      const nextClass = peek(cpu.block + PERCPU.semaphoreClasses + j + 1);
      poke(cpu.block + PERCPU.semaphoreClasses + j, nextClass);
    }
    poke(cpu.block + PERCPU.semaphoreCount, last);
    return;
  }
}

/** For functions that may sleep: notes a fact if this CPU holds a spinlock. */
export function mightSleep(cpu: CpuRef): void {
  const depth = peek(cpu.block + PERCPU.heldCount);
  if (depth !== 0) noteFact(cpu, FACT.sleepInAtomic, depth, 0, 0, 0, 0);
}

/** Counts an acquisition of a lock of `lockClass`. */
function countAcquired(cpu: CpuRef, lockClass: number): void {
  bump(cpu.block + PERCPU.locks + lockClass * LOCK_RECORD.sizeWords + LOCK_RECORD.acquisitions, 1);
}

/** Counts a wait of `waitedNs` for a lock of `lockClass`. */
export function countContended(cpu: CpuRef, lockClass: number, waitedNs: number): void {
  const at = cpu.block + PERCPU.locks + lockClass * LOCK_RECORD.sizeWords;
  bump(at + LOCK_RECORD.contended, 1);
  addDuration(at + LOCK_RECORD.waited, waitedNs);
}

export function countTrylockFailed(cpu: CpuRef, lockClass: number): void {
  const at = cpu.block + PERCPU.locks + lockClass * LOCK_RECORD.sizeWords;
  bump(at + LOCK_RECORD.trylockFailed, 1);
}
