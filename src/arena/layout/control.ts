/** The control block at the start of the arena: what the main thread and all CPUs agree through. */
import { LINE_WORDS, linedStruct } from './struct.ts';

/** Sleepers are counted per bucket, chosen by address (see arena/word.ts); a power of two. */
export const SLEEPER_BUCKETS = 64;

/** Marks that one run can set. */
export const MARKS_MAX = 4;

export const CONTROL = linedStruct({
  /** Word 0 is never used: address 0 means "no address". */
  trap: LINE_WORDS,
  /**
   * Not 0: a fact left the arena in doubt; every CPU throws `Halted` at its next wait or boundary.
   */
  halt: 1,
  /** Not 0: no new work; columns end at their next operation boundary. */
  stop: 1,
  /** Number of facts noted so far by all CPUs. */
  facts: 1,
  /** Not 0: the first fact sets `stop`, so that the rings still hold what led to it. */
  stopAtFact: 1,
  /** Phase of the run, see `PHASE`. */
  phase: 1,
  /** For each phase: the time (ms) at which it began, and the tables (all levels) at that time. */
  phaseBegan: 8,
  phaseTables: 8,
  /**
   * Marks that the columns have set in the main phase so far, each where a named phase begins: the
   * time (ms), and the tables (all levels) at that time.
   */
  marks: 1,
  markBegan: MARKS_MAX,
  markTables: MARKS_MAX,
  /** Rendezvous of the CPUs between phases: arrivals of this round, and the round's number. */
  arrived: 1,
  round: 1,
  /** Grace-period number of RCU; raised by one when all CPUs have reported. */
  rcuEpoch: 1,
  /** Epoch that somebody waits for; grace periods run only while `rcuEpoch` is behind it. */
  rcuWanted: 1,
  /** Requests for a grace period so far, in the abstract form, which has no epoch. */
  rcuAsked: 1,
  /** Time (us) at which the current grace period began, and grace periods completed. */
  rcuEpochSince: 1,
  /** The most callbacks that were found queued. */
  rcuBacklogPeak: 1,
  /** Clock of zaps: raised when one begins and when it ends (see tasks/zap-log.ts). */
  zapClock: 1,
  /** Page frame free list: lock, head pfn, and the first pfn never used. */
  zoneLock: 1,
  zoneHead: 1,
  zoneFresh: 1,
  /** Table frame free list. */
  tableLock: 1,
  tableHead: 1,
  tableFresh: 1,
  /** Body free list. */
  bodyLock: 1,
  bodyHead: 1,
  bodyFresh: 1,
  /** Switch lock of all percpu refs; and one more than the ref whose switch a CPU sleeps for. */
  refSwitchLock: 1,
  refAwaited: 1,
  /**
   * Scanner controls, changeable while it runs: delay (ms) and slots per pass; the time of the next
   * pass (ms), and the slot at which it begins.
   */
  scanDelay: 1,
  scanSlots: 1,
  scanNext: 1,
  scanOffset: 1,
  /**
   * Scanner controls of the process, changeable as well: not 0: it may be scanned; whose consent is
   * needed (`SCAN_CONSENT`); not 0: tables are found by their counts.
   */
  scanSwitch: 1,
  scanConsent: 1,
  scanGuided: 1,
  /** Reclaim under memory pressure: the slot at which the next stretch to look through begins. */
  pressureSlot: 1,
  /** Wakes sleeping kernel threads. */
  kthreadWake: 1,
  /** Torture tests: eight lines that the tortured primitive and its check use. */
  torture: 8 * LINE_WORDS,
  sleepers: SLEEPER_BUCKETS * LINE_WORDS,
});

/** Values of `CONTROL.phase`. */
export const PHASE = { boot: 0, setup: 1, main: 2, fair: 3, exit: 4, done: 5 } as const;

/** Values of `CONTROL.scanConsent`: all VMAs; those that opted in; all but those that opted out. */
export const SCAN_CONSENT = { all: 0, in: 1, out: 2 } as const;
