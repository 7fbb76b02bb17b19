/** What a CPU holds and how often it took locks of each class: quiet words of its own block. */
import type { CpuRef } from '#arena/gate';
import { HELD_MAX, LOCK_RECORD, PERCPU } from '#arena/layout/percpu';
import { bump, peek, poke } from '#arena/word';
import { FACT, noteFact } from '#trace/fact';

/** Notes that this CPU now holds the spinlock at `lockp` of class `lockClass`. */
export function noteAcquired(cpu: CpuRef, lockp: number, lockClass: number): void {
  const depth = peek(cpu.block + PERCPU.heldCount);
  if (depth < HELD_MAX) {
    poke(cpu.block + PERCPU.held + depth, lockp);
  }
  poke(cpu.block + PERCPU.heldCount, depth + 1);
  bump(cpu.block + PERCPU.locks + lockClass * LOCK_RECORD.sizeWords + LOCK_RECORD.acquisitions, 1);
}

/** Notes that this CPU is about to release the spinlock at `lockp`. */
export function noteReleased(cpu: CpuRef, lockp: number): void {
  const depth = peek(cpu.block + PERCPU.heldCount) - 1;
  if (depth > 0 && depth < HELD_MAX && peek(cpu.block + PERCPU.held + depth) !== lockp)
    moveToTop(cpu, lockp, depth);
  poke(cpu.block + PERCPU.heldCount, depth);
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

/** For functions that may sleep: notes a fact if this CPU holds a spinlock. */
export function mightSleep(cpu: CpuRef): void {
  const depth = peek(cpu.block + PERCPU.heldCount);
  if (depth !== 0) noteFact(cpu, FACT.sleepInAtomic, depth, 0, 0, 0, 0);
}

/** Counts an acquisition of a lock that is not a spinlock (mmap lock, VMA lock). */
export function countAcquired(cpu: CpuRef, lockClass: number): void {
  bump(cpu.block + PERCPU.locks + lockClass * LOCK_RECORD.sizeWords + LOCK_RECORD.acquisitions, 1);
}

/** Counts a wait of `waitedUs` for a lock of `lockClass`. */
export function countContended(cpu: CpuRef, lockClass: number, waitedUs: number): void {
  const at = cpu.block + PERCPU.locks + lockClass * LOCK_RECORD.sizeWords;
  bump(at + LOCK_RECORD.contended, 1);
  bump(at + LOCK_RECORD.waitUs, waitedUs);
}

export function countTrylockFailed(cpu: CpuRef, lockClass: number): void {
  const at = cpu.block + PERCPU.locks + lockClass * LOCK_RECORD.sizeWords;
  bump(at + LOCK_RECORD.trylockFailed, 1);
}
