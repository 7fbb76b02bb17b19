/**
 * What the CPUs have counted of their locks, by class; and where lock statistics were kept, by mode
 * and call site as well.
 */
import { DURATION, LOCK_RECORD } from '#arena/layout/percpu';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import type { NamedLockSite } from '#derive/tree';
import type { LockSummary } from '#result/result';
import { LOCK, LOCKS } from '#trace/vocabulary';
import { lockStatistic } from './costs.ts';
import { type ClassStatistics, classStatistics } from './lock-statistics.ts';

const NS_PER_SECOND = 1_000_000_000;

/**
 * One row per lock class that was used, the one waited for most first; `sites`: those of the
 * statistics, null where none were.
 */
export function harvestLocks(
  words: Words,
  map: ArenaMap,
  sites: readonly NamedLockSite[] | null,
): LockSummary[] {
  const locks = LOCKS.flatMap((_, index): LockSummary[] => {
    const counted = countedOf(words, map, index);
    const more = sites === null ? null : classStatistics(words, map, sites, index);
    if (more === null) return counted.acquisitions === 0 ? [] : [counted];
    // Per-VMA locks are counted by the statistics alone.
    const summary = index === LOCK.vma ? { ...counted, ...totalsOf(more) } : counted;
    return [{ ...summary, ...detailOf(more) }];
  });
  return locks.sort((a, b) => b.waitNs - a.waitNs);
}

/** What is counted in any case. */
function countedOf(words: Words, map: ArenaMap, index: number): LockSummary {
  const sum = (offset: number): number => lockStatistic(words, map, index, offset);
  const waitedSeconds = sum(LOCK_RECORD.waited + DURATION.seconds);
  return {
    class: LOCKS[index]!,
    acquisitions: sum(LOCK_RECORD.acquisitions),
    contended: sum(LOCK_RECORD.contended),
    trylockFailed: sum(LOCK_RECORD.trylockFailed),
    bounces: null,
    waitNs: waitedSeconds * NS_PER_SECOND + sum(LOCK_RECORD.waited + DURATION.ns),
    holdNs: null,
  };
}

function totalsOf({ modes }: ClassStatistics): Partial<LockSummary> {
  return {
    acquisitions: sumOf(modes, (each) => each.acquisitions),
    contended: sumOf(modes, (each) => each.contended),
    trylockFailed: sumOf(modes, (each) => each.trylockFailed),
    waitNs: sumOf(modes, (each) => each.waits.totalNs),
  };
}

function detailOf(statistics: ClassStatistics): Partial<LockSummary> {
  const { modes } = statistics;
  return {
    bounces: sumOf(modes, (each) => each.bounces),
    holdNs: sumOf(modes, (each) => each.holds.totalNs),
    holdSamples: sumOf(modes, (each) => each.holds.samples),
    ...statistics,
  };
}

function sumOf<T>(all: readonly T[], figure: (each: T) => number): number {
  return all.reduce((sum, each) => sum + figure(each), 0);
}
