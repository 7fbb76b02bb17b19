/** Lock statistics by call site, as a result has them of a run that kept them (`--lock-stat`). */

/** Where code takes a lock: the site's number, the function, and its line in the sources. */
export interface LockPlace {
  site: number;
  /** `doAnonymousPage`; a method after its class, `TableRwsem.walkBegin`. */
  function: string;
  /** `mm/fault.ts`. */
  path: string;
  line: number;
}

/** Durations; shortest, longest and histogram are of those that were timed. */
export interface LockTimes {
  samples: number;
  totalNs: number;
  shortestNs: number;
  longestNs: number;
  /** How many took at least so long and less than the next entry, which is up to 25 % more. */
  histogram: [ns: number, count: number][];
}

/** `exclusive`: a spinlock, or a writer; `shared`: a reader. */
export type LockMode = 'exclusive' | 'shared';

export interface LockFigures {
  mode: LockMode;
  acquisitions: number;
  contended: number;
  trylockFailed: number;
  /** Acquisitions of a lock that another CPU had held last. */
  bounces: number;
  /** Waits for a lock that another CPU was known to hold. */
  contendedBounces: number;
  /** All of them. */
  waits: LockTimes;
  /**
   * A sample. The total is estimated: each hold that was timed stands for those at its call site
   * since the one before.
   */
  holds: LockTimes;
}

/** What was counted at one call site; null: the site is not known. */
export interface LockSite extends LockFigures {
  place: LockPlace | null;
}

/** Waits at one call site for CPUs that had taken the lock at another; null: not known where. */
export interface LockBlame {
  waiter: LockPlace | null;
  mode: LockMode;
  holder: LockPlace | null;
  waits: number;
  waitNs: number;
}

/** What holds of the statistics of the whole run. */
export interface LockStat {
  /** A CPU that timed a hold took so many locks before it timed one from the same call site. */
  locksPerSample: number;
  /** What reading the clock took (ns, at most, of the CPUs), which was taken off each hold. */
  clockNs: number;
}
