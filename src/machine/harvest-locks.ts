/** What the CPUs have counted of their locks, by class. */
import { DURATION, LOCK_RECORD } from '#arena/layout/percpu';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import type { LockSummary } from '#result/result';
import { LOCKS } from '#trace/vocabulary';
import { lockStatistic } from './costs.ts';

const NS_PER_SECOND = 1_000_000_000;

/** One row per lock class that was used. */
export function harvestLocks(words: Words, map: ArenaMap): LockSummary[] {
  const locks: LockSummary[] = [];
  for (const [index, name] of LOCKS.entries()) {
    const sum = (offset: number): number => lockStatistic(words, map, index, offset);
    const acquisitions = sum(LOCK_RECORD.acquisitions);
    if (acquisitions === 0) continue;
    const waitedSeconds = sum(LOCK_RECORD.waited + DURATION.seconds);
    locks.push({
      class: name,
      acquisitions,
      contended: sum(LOCK_RECORD.contended),
      trylockFailed: sum(LOCK_RECORD.trylockFailed),
      bounces: null,
      waitNs: waitedSeconds * NS_PER_SECOND + sum(LOCK_RECORD.waited + DURATION.ns),
      holdNs: null,
    });
  }
  return locks;
}
