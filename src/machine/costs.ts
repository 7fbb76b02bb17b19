/**
 * What walking page tables costs, from counters and lock statistics.
 *
 *     walks             PTE tables mapped: ptls taken, and maps without a ptl
 *     lockAcquisitions  spinlocks of all classes, semaphores, per-VMA locks
 *     atomics           one for each spinlock (test-and-test-and-set takes it with one compare-and-
 *                       exchange and leaves with a store), one for each per-VMA lock (what it costs
 *                       in Linux; readers here get by with a store, sync/vma-lock.ts), two for each
 *                       semaphore (to enter and to leave), and those on reference counts
 *
 * Tries that fail and the spinning of those who wait are not in it: they tell of contention, and
 * the lock statistics have them.
 */
import { LOCK_RECORD, PERCPU } from '#arena/layout/percpu';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import type { Run } from '#result/result';
import type { CounterName } from '#trace/counters';
import { LOCKS } from '#trace/vocabulary';

/** Classes of reader-writer semaphores; per-VMA locks have a counter; the others are spinlocks. */
const SEMAPHORES: ReadonlySet<string> = new Set(['mmap', 'table-rwsem', 'anon-vma']);
const VMA_LOCK = 'vma';

export function costsOf(
  words: Words,
  map: ArenaMap,
  total: (name: CounterName) => number,
): Run['costs'] {
  let walks = total('walksLockless');
  let semaphores = 0;
  let spinlocks = 0;
  for (const [index, name] of LOCKS.entries()) {
    const taken = lockStatistic(words, map, index, LOCK_RECORD.acquisitions);
    if (name === 'ptl') walks += taken;
    if (SEMAPHORES.has(name)) semaphores += taken;
    else if (name !== VMA_LOCK) spinlocks += taken;
  }
  const vmaLocks = total('vmaLocks');
  return {
    walks,
    atomics: spinlocks + 2 * semaphores + vmaLocks + total('refAtomics'),
    lockAcquisitions: spinlocks + semaphores + vmaLocks,
    graceWaits: total('graceWaits'),
  };
}

/** Sum over all CPUs of word `offset` of the `LOCK_RECORD` of class number `index`. */
export function lockStatistic(words: Words, map: ArenaMap, index: number, offset: number): number {
  const at = PERCPU.locks + index * LOCK_RECORD.sizeWords + offset;
  let sum = 0;
  for (let id = 0; id < map.geometry.cpus; id++)
    sum += words[map.percpu + id * map.percpuWords + at]! >>> 0;
  return sum;
}
