/**
 * Lock statistics (sync/lock-stat.ts), where a run keeps them: what each CPU keeps in its own block
 * of the locks that it takes, and one word for each lock.
 *
 *     head | records | blames
 *
 * A *record* is of the locks taken at one call site. The first `LOCK_KINDS_MAX` records are of
 * calls whose site is not known, by kind; site n (from 1 on) has record `LOCK_KINDS_MAX` + n - 1. A
 * *kind* is a lock class and a mode: 2 * class + mode. A *blame* counts the waits at one call site
 * by the record at which the holder had taken the lock, one more than its number; 0: not known.
 */
import { DURATION, LATENCY_WORDS, LOCKS_MAX } from './percpu.ts';
import { LINE_WORDS, struct } from './struct.ts';

/** How a lock is taken: by one CPU alone (spinlocks, writers), or by several (readers). */
export const LOCK_MODE = { exclusive: 0, shared: 1 } as const;

/**
 * A CPU that has timed a hold from a call site on takes so many locks, wherever, before it times
 * one from there again. A prime, so that no loop over a table is timed at the same index each time.
 */
export const LOCKS_PER_SAMPLE = 251;

export const LOCK_KINDS_MAX = 2 * LOCKS_MAX;

/** Durations: how many, all together, the shortest, the longest, how many by bucket (ns). */
export const LOCK_TIMES = struct({
  count: 1,
  total: DURATION.sizeWords,
  shortest: DURATION.sizeWords,
  longest: DURATION.sizeWords,
  buckets: LATENCY_WORDS,
});

/**
 * A record.
 *
 *     bounces            acquisitions of a lock that another CPU had held last
 *     contendedBounces   waits for a lock that another CPU held
 *     kind               one more than its kind, once that is known
 *     timedAt            the acquisition that was timed last
 *     timedFrom          when one is to be timed again, by the CPU's `taken`
 *     weight             for how many holds those stand that were timed
 *     waits              all of them
 *     holds              those that were timed; in the total, those they stand for
 */
export const LOCK_SITE = struct({
  acquisitions: 1,
  bounces: 1,
  contendedBounces: 1,
  trylockFailed: 1,
  kind: 1,
  timedAt: 1,
  timedFrom: 1,
  weight: 1,
  pad: LINE_WORDS - 8,
  waits: LOCK_TIMES.sizeWords,
  holds: LOCK_TIMES.sizeWords,
  endPad: (LINE_WORDS - ((2 * LOCK_TIMES.sizeWords) % LINE_WORDS)) % LINE_WORDS,
});

/**
 * A hold that is being timed: of which lock (0: none), for which record, since when, and for how
 * many holds it stands.
 */
export const LOCK_HOLD = struct({ lock: 1, record: 1, since: DURATION.sizeWords, weight: 1 });

export const LOCK_BLAME = struct({ waits: 1, waited: DURATION.sizeWords });

/**
 * Of a CPU.
 *
 *     taken     how many locks it has taken
 *     clockNs   what reading the clock takes, which is no part of a hold
 *     holder    owner word of the lock that it waits for
 *     reads     record at which it locked a VMA for reading last
 *     timed     for each lock class, the hold that is being timed
 */
export const LOCK_STAT = struct({
  taken: 1,
  clockNs: 1,
  holder: 1,
  reads: 1,
  pad: LINE_WORDS - 4,
  timed: LOCKS_MAX * LOCK_HOLD.sizeWords,
  endPad: (LINE_WORDS - ((LOCKS_MAX * LOCK_HOLD.sizeWords) % LINE_WORDS)) % LINE_WORDS,
});

/**
 * The owner word of a lock, of whoever took it last: the record, and above it one more than the
 * number of the CPU.
 */
export const LOCK_OWNER = { recordMask: 0xffff, cpuShift: 16 } as const;

/** Lock words are so many words apart, as a power of two; in the protocol's own words, so many. */
export const LOCK_SPACING_SHIFT = 2;
export const PROTOCOL_LOCK_SPACING_SHIFT = 1;

/** Words of a CPU's lock statistics with `records` records; none without any. */
export function lockRecordWords(records: number): number {
  if (records === 0) return 0;
  const blames = records * (records + 1) * LOCK_BLAME.sizeWords;
  return LOCK_STAT.sizeWords + records * LOCK_SITE.sizeWords + blames;
}
