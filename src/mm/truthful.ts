/**
 * What an operation tells its caller has to be so: that memory is short, only if an allocation has
 * failed that it needed; that the caller's lock has been dropped (`VM_FAULT.retry`), only if it is.
 */
import type { Cpu } from '#arch/cpu';
import { PERCPU } from '#arena/layout/percpu';
import { bump, peek } from '#arena/word';
import { isHeld } from '#sync/held';
import { FACT, noteFact } from '#trace/fact';
import { LOCK } from '#trace/vocabulary';

/** The first word of the fact: what was said. */
const SAID = { outOfMemory: 0, lockDropped: 1 } as const;

/** Notes that an allocation has failed, and is needed. */
export function noteMemoryShort(cpu: Cpu): void {
  bump(cpu.block + PERCPU.memoryShort, 1);
}

/** How often that has been so, for `checkOutOfMemory` to compare with. */
export function timesMemoryShort(cpu: Cpu): number {
  return peek(cpu.block + PERCPU.memoryShort);
}

/**
 * An operation on (slot, index) is about to report that memory is short; `before` is what
 * `timesMemoryShort` said when it began.
 */
export function checkOutOfMemory(cpu: Cpu, before: number, slot: number, index: number): void {
  if (timesMemoryShort(cpu) === before)
    noteFact(cpu, FACT.untruthfulError, SAID.outOfMemory, slot, index, 0, 0);
}

/** A fault at (slot, index) is about to report that it has dropped the mmap or VMA lock. */
export function checkLockDropped(cpu: Cpu, slot: number, index: number): void {
  if (isHeld(cpu, LOCK.mmap) || isHeld(cpu, LOCK.vma))
    noteFact(cpu, FACT.untruthfulError, SAID.lockDropped, slot, index, 0, 0);
}
