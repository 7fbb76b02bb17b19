/**
 * Torture of the locks, in the manner of locktorture (kernel/locking/locktorture.c): whoever holds
 * the lock for writing finds nobody else inside, and two words that only move together are equal;
 * readers find no writer.
 */

import type { Cpu } from '#arch/cpu';
import { interruptPoint } from '#arch/interrupts';
import { boundMap } from '#arena/arena';
import { CONTROL } from '#arena/layout/control';
import { add, load, read, write } from '#arena/word';
import { COUNTER, count } from '#trace/counters';
import { FACT, noteFact } from '#trace/fact';
import { LOCK } from '#trace/vocabulary';
import { mcsLock, mcsUnlock } from './mcs.ts';
import { downRead, downWrite, upRead, upWrite } from './rwsem.ts';
import { spinLock, spinUnlock } from './spinlock.ts';
import { ticketLock, ticketUnlock } from './ticket.ts';
import { vmaReadTrylock, vmaReadUnlock, vmaWriteLock, vmaWriteUnlockAll } from './vma-lock.ts';

/** What is tortured. */
export const TORTURED = { ttas: 0, ticket: 1, mcs: 2, rwsem: 3, vmaLock: 4 } as const;

/**
 * Torture area, a line each: the lock, writer inside, readers inside, two words that move together.
 */
const LINE = 16;
const LOCKP = CONTROL.torture;
const WRITER = CONTROL.torture + LINE;
const READERS = CONTROL.torture + 2 * LINE;
const LEFT = CONTROL.torture + 3 * LINE;
const RIGHT = CONTROL.torture + 4 * LINE;
const MM_SEQ = CONTROL.torture + 5 * LINE;
const VMA_SEQ = CONTROL.torture + 6 * LINE;
/** Serialises the writers of the per-VMA lock, as the mmap lock does. */
const OUTER = CONTROL.torture + 7 * LINE;

/** Readers per writer of the reader-writer locks. */
const READERS_PER_WRITER = 4;

/** One acquisition of the lock `which` (a value of `TORTURED`), with its checks. */
export function lockTorture(cpu: Cpu, which: number): void {
  count(cpu, COUNTER.opTorture, 1);
  if (which === TORTURED.rwsem) tortureRwsem(cpu);
  else if (which === TORTURED.vmaLock) tortureVmaLock(cpu);
  else tortureSpinlock(cpu, which);
}

function tortureSpinlock(cpu: Cpu, which: number): void {
  if (which === TORTURED.ttas) spinLock(cpu, LOCKP, LOCK.torture);
  else if (which === TORTURED.ticket) ticketLock(cpu, LOCKP);
  else mcsLock(cpu, LOCKP);
  insideAsWriter(cpu);
  if (which === TORTURED.ttas) spinUnlock(cpu, LOCKP, LOCK.torture);
  else if (which === TORTURED.ticket) ticketUnlock(cpu, LOCKP);
  else mcsUnlock(cpu, LOCKP);
}

function tortureRwsem(cpu: Cpu): void {
  if (cpu.prng.below(READERS_PER_WRITER + 1) === 0) {
    downWrite(cpu, LOCKP, LOCK.torture);
    insideAsWriter(cpu);
    upWrite(cpu, LOCKP);
  } else {
    downRead(cpu, LOCKP, LOCK.torture);
    insideAsReader(cpu);
    upRead(cpu, LOCKP);
  }
}

function tortureVmaLock(cpu: Cpu): void {
  const spare = boundMap().geometry.vmas - 1;
  if (cpu.prng.below(READERS_PER_WRITER + 1) === 0) {
    spinLock(cpu, OUTER, LOCK.torture);
    vmaWriteLock(cpu, spare, VMA_SEQ, MM_SEQ);
    insideAsWriter(cpu);
    vmaWriteUnlockAll(cpu, MM_SEQ);
    spinUnlock(cpu, OUTER, LOCK.torture);
  } else if (vmaReadTrylock(cpu, spare, VMA_SEQ, MM_SEQ)) {
    insideAsReader(cpu);
    vmaReadUnlock(cpu, spare);
  }
}

function insideAsWriter(cpu: Cpu): void {
  const other = load(cpu, WRITER);
  const readers = load(cpu, READERS);
  if (other !== 0 || readers !== 0)
    noteFact(cpu, FACT.exclusionLost, LOCK.torture, cpu.id, other - 1, readers, 0);
  write(cpu, WRITER, cpu.id + 1);
  const next = (read(cpu, LEFT) + 1) | 0;
  write(cpu, LEFT, next);
  hold(cpu);
  if (read(cpu, RIGHT) !== ((next - 1) | 0) || read(cpu, LEFT) !== next)
    noteFact(cpu, FACT.exclusionLost, LOCK.torture, next, read(cpu, LEFT), read(cpu, RIGHT), 1);
  write(cpu, RIGHT, next);
  write(cpu, WRITER, 0);
}

function insideAsReader(cpu: Cpu): void {
  add(cpu, READERS, 1);
  const writer = load(cpu, WRITER);
  hold(cpu);
  if (writer !== 0 || load(cpu, WRITER) !== 0)
    noteFact(cpu, FACT.exclusionLost, LOCK.torture, cpu.id, load(cpu, WRITER) - 1, -1, 2);
  add(cpu, READERS, -1);
}

/** Mostly short, rarely long enough to make a convoy; an interrupt may come. */
function hold(cpu: Cpu): void {
  const rounds = cpu.prng.below(500) === 0 ? 20_000 : cpu.prng.below(50);
  for (let i = 0; i < rounds; i++) load(cpu, LEFT);
  interruptPoint(cpu);
}
