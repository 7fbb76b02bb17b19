/** The address space: where its words are, its locks, and Linux's counts of its tables. */

import type { Cpu } from '#arch/cpu';
import { boundMap } from '#arena/arena';
import { MM } from '#arena/layout/mm';
import { add, peek, poke, quietMax } from '#arena/word';
import { downRead, downReadTrylock, downWrite, upRead, upWrite } from '#sync/rwsem';
import { vmaWriteUnlockAll } from '#sync/vma-lock';
import { FACT, noteFact } from '#trace/fact';
import { LOCK } from '#trace/vocabulary';

/** A view of the machine's address space; its state is in the arena. */
export class Mm {
  readonly at: number;
  readonly mmapLock: number;
  readonly lockSeq: number;
  readonly pageTableLock: number;
  /** Whether each table has a lock of its own; else all share the mm's page-table lock. */
  readonly splitLocks: boolean;
  /** Number of levels, and of the top one (a PTE table is level 0). */
  readonly topLevel: number;

  constructor(splitLocks: boolean) {
    const map = boundMap();
    this.at = map.mm;
    this.mmapLock = map.mm + MM.mmapLock;
    this.lockSeq = map.mm + MM.lockSeq;
    this.pageTableLock = map.mm + MM.pageTableLock;
    this.splitLocks = splitLocks;
    this.topLevel = map.geometry.levels - 1;
  }

  /** Boot: an empty address space whose top-level table is `pgd`. */
  static initialize(pgd: number): void {
    const { mm } = boundMap();
    poke(mm + MM.pgd, pgd);
    poke(mm + MM.lockSeq, 1);
  }
}

export function mmapReadLock(cpu: Cpu, mm: Mm): void {
  downRead(cpu, mm.mmapLock, LOCK.mmap);
}

export function mmapReadTrylock(cpu: Cpu, mm: Mm): boolean {
  return downReadTrylock(cpu, mm.mmapLock, LOCK.mmap);
}

export function mmapReadUnlock(cpu: Cpu, mm: Mm): void {
  upRead(cpu, mm.mmapLock);
}

export function mmapWriteLock(cpu: Cpu, mm: Mm): void {
  downWrite(cpu, mm.mmapLock, LOCK.mmap);
}

/** Ends the write lock, and with it the write locks of all VMAs. */
export function mmapWriteUnlock(cpu: Cpu, mm: Mm): void {
  vmaWriteUnlockAll(cpu, mm.lockSeq);
  upWrite(cpu, mm.mmapLock);
}

/** Counts a table of `level` that has been hooked; the sum's peak is kept. */
export function mmIncNrTables(cpu: Cpu, mm: Mm, level: number): void {
  add(cpu, counterOf(mm, level), 1);
  const tables = mm.at + MM.nrPtes;
  quietMax(
    mm.at + MM.nrTablesPeak,
    peek(tables) + peek(mm.at + MM.nrPmds) + peek(mm.at + MM.nrPuds),
  );
}

/** Counts a table of `level` that has been unhooked. */
export function mmDecNrTables(cpu: Cpu, mm: Mm, level: number): void {
  const before = add(cpu, counterOf(mm, level), -1);
  if (before <= 0) noteFact(cpu, FACT.countUnderflow, 0, before, level, 0, 0);
}

function counterOf(mm: Mm, level: number): number {
  if (level === 0) return mm.at + MM.nrPtes;
  return mm.at + (level === 1 ? MM.nrPmds : MM.nrPuds);
}

/** Number of slots of the whole address space. */
export function slotsOfAddressSpace(): number {
  const { levels, ptrsShift } = boundMap().geometry;
  return 1 << ((levels - 1) * ptrsShift);
}
