/** Per-CPU counters: plain additions to words that only one CPU writes; readers sum over CPUs. */
import type { CpuRef } from '#arena/gate';
import { PERCPU } from '#arena/layout/percpu';
import { bump } from '#arena/word';

/** Names in the order of their numbers. */
export const COUNTERS = [
  'faultsRead',
  'faultsWrite',
  'pagesZapped',
  'segv',
  'oom',
  'rss',
  'tablesAllocated',
  'tablesReclaimed',
  'tablesFreed',
  'tlbFlushes',
  'opTouch',
  'opDontneed',
  'opMmap',
  'opMunmap',
  'opPunch',
  'opScan',
  'opTorture',
  'dataCompared',
  'dataUnjudged',
  'reclaimFast',
  'reclaimSlow',
  'reclaimKept',
  'scanPasses',
  'scanTables',
  'rcuCallbacks',
  'rcuGracePeriods',
  'gatherFull',
  'reschedTaken',
  'refAtomics',
  'refSwitches',
  'graceWaits',
  'walksLockless',
  'vmaLocks',
  'allocFailed',
  'ipisSent',
  'tlbStaleAlive',
  'pwcOverlaps',
  'tlbNestedFlushes',
  'tlbBatchedFlushes',
  'swapUsed',
  'pagesSwappedOut',
  'pagesSwappedIn',
  'swapReadahead',
  'lazyfreeMarked',
  'lazyfreeDiscarded',
  'lazyfreeRedirtied',
  'walkerPages',
  'walkerTables',
  'walkerRetries',
  'walkerSkips',
  'pagesMigrated',
  'migrationWaits',
  'userfaultWaits',
  'gupFastPages',
  'gupSlowPages',
  'opMprotect',
  'opMremap',
  'opBrk',
] as const;

export type CounterName = (typeof COUNTERS)[number];

/** Offset of each counter in a per-CPU block. */
export const COUNTER = Object.fromEntries(
  COUNTERS.map((name, i) => [name, PERCPU.counters + i]),
) as Readonly<Record<CounterName, number>>;

/** Adds `delta` to this CPU's counter `counter` (a value of `COUNTER`). */
export function count(cpu: CpuRef, counter: number, delta: number): void {
  bump(cpu.block + counter, delta);
}
