/**
 * The per-VMA lock: a reader stores to a word of its own CPU, so that readers never share a cache
 * line; the rare writer visits the words of all CPUs. As in Linux a VMA counts as write-locked
 * while its sequence equals the mm's; ending the mmap write lock moves the mm's sequence on and
 * thereby unlocks all VMAs at once. The writer holds the mmap lock for writing.
 *
 * Why it excludes: a reader stores its word, then reads the sequence; a writer stores the sequence,
 * then reads the words. At least one of the two must see the other, which takes a full barrier on
 * both sides. The frequent reader does without: the writer interrupts all CPUs in between (as
 * `membarrier` does), and to serve an interrupt is a full barrier. A reader that began before it
 * has its store seen by the writer; one that begins after it sees the writer's sequence. No reader
 * serves an interrupt between its store and its load.
 */

import type { Cpu } from '#arch/cpu';
import { interruptOthers, waitUntilChanged } from '#arch/interrupts';
import { boundMap } from '#arena/arena';
import { nowNs } from '#arena/clock';
import { LOCK_MODE } from '#arena/layout/lock-stat';
import { load, read, storeAndWake, storeRelease } from '#arena/word';
import {
  traceAcquired,
  traceLockWait,
  traceLockWaitEnd,
  traceReleased,
  traceReleasedAll,
} from '#trace/tracing';
import { LOCK } from '#trace/vocabulary';
import { noteHeld, noteHeldTogether, noteLeft, noteOrderNested } from './held.ts';
import {
  lockStatAcquired,
  lockStatEntered,
  lockStatFailed,
  lockStatReleased,
  lockStatReleasedAll,
  lockStatWaited,
  lockStatWaitsForReader,
} from './lock-stat.ts';
import { rcuIdleEnter, rcuIdleExit } from './rcu.ts';

/** Tries to lock VMA `vma` for reading; false: a writer has it, or is about to. */
export function vmaReadTrylock(cpu: Cpu, vma: number, vmaSeqp: number, mmSeqp: number): boolean {
  storeRelease(cpu, readerWord(cpu.block, vma), 1);
  // Whoever sees the writer's store to the VMA also sees the mm's sequence that preceded it.
  const free = read(cpu, vmaSeqp) !== read(cpu, mmSeqp); // @vma-recheck
  if (free) {
    noteHeld(cpu, LOCK.vma);
    lockStatEntered(cpu, readerWord(cpu.block, vma), LOCK.vma);
    traceAcquired(cpu, vma, LOCK.vma, LOCK_MODE.shared);
  } else {
    storeRelease(cpu, readerWord(cpu.block, vma), 0);
    lockStatFailed(cpu, LOCK.vma, LOCK_MODE.shared);
  }
  return free;
}

export function vmaReadUnlock(cpu: Cpu, vma: number): void {
  noteLeft(cpu, LOCK.vma);
  lockStatReleased(cpu, readerWord(cpu.block, vma), LOCK.vma);
  traceReleased(cpu, vma, LOCK.vma);
  storeRelease(cpu, readerWord(cpu.block, vma), 0);
}

/** Locks VMA `vma` for writing: announces itself, then waits until every reader has left. */
export function vmaWriteLock(cpu: Cpu, vma: number, vmaSeqp: number, mmSeqp: number): void {
  const seq = load(cpu, mmSeqp);
  if (load(cpu, vmaSeqp) === seq) return;
  noteOrderNested(cpu, LOCK.vma);
  storeAndWake(cpu, vmaSeqp, seq);
  interruptOthers(cpu, true);
  const map = boundMap();
  const idle = rcuIdleEnter(cpu);
  let since = 0;
  for (let id = 0; id < map.geometry.cpus; id++) {
    const word = readerWord(map.percpu + id * map.percpuWords, vma);
    const inside = load(cpu, word); // @vma-visit
    if (inside === 0) continue;
    if (since === 0) {
      since = nowNs();
      lockStatWaitsForReader(cpu, id);
      traceLockWait(cpu, vma, LOCK.vma);
    }
    waitUntilChanged(cpu, word, inside);
  }
  if (idle) rcuIdleExit(cpu);
  if (since !== 0) {
    lockStatWaited(cpu, LOCK.vma, LOCK_MODE.exclusive, nowNs() - since);
    traceLockWaitEnd(cpu, vma, LOCK.vma);
  }
  noteHeldTogether(cpu, LOCK.vma);
  lockStatAcquired(cpu, vmaSeqp, LOCK.vma, LOCK_MODE.exclusive);
  traceAcquired(cpu, vma, LOCK.vma, LOCK_MODE.exclusive);
}

/** Unlocks every VMA that is write-locked under the sequence at `mmSeqp`. */
export function vmaWriteUnlockAll(cpu: Cpu, mmSeqp: number): void {
  noteLeft(cpu, LOCK.vma);
  lockStatReleasedAll(cpu, LOCK.vma);
  traceReleasedAll(cpu, LOCK.vma);
  storeAndWake(cpu, mmSeqp, (load(cpu, mmSeqp) + 1) | 0);
}

function readerWord(block: number, vma: number): number {
  return block + boundMap().vmaReaders + vma;
}
