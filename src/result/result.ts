/**
 * The result document: all that passes from running to reporting, so every output can be made again
 * from a saved `result.json`. Units are in the names. What stands here keeps its name and meaning;
 * fields may be added.
 */

import type { LastActs } from './last-acts.ts';
import type { LockBlame, LockFigures, LockSite, LockStat } from './lock-statistics.ts';
import type { Occupancy } from './occupancy.ts';
import type { RecordedProgram } from './recording.ts';
import type { Timeline } from './timeline.ts';

export type RunExit = 'pass' | 'violation' | 'deadline' | 'interrupted';

/** One cell of the race matrix: `noticedBy` found that `causedBy` had changed what it looked at. */
export interface RaceCount {
  kind: string;
  noticedBy: string;
  causedBy: string;
  count: number;
}

/** Bounces and holds are known, and the fields behind them present, where statistics were kept. */
export interface LockSummary {
  class: string;
  acquisitions: number;
  contended: number;
  trylockFailed: number;
  bounces: number | null;
  waitNs: number;
  /** Estimated from `holdSamples` holds that were timed; see `LockFigures`. */
  holdNs: number | null;
  holdSamples?: number | undefined;
  /** The same for each mode, and at each call site: the sums of either are those of the class. */
  modes?: LockFigures[] | undefined;
  sites?: LockSite[] | undefined;
  contendedBy?: LockBlame[] | undefined;
}

export interface Violation {
  /** One of the closed vocabulary of oracles. */
  kind: string;
  message: string;
  cpus: number[];
  replay: string | null;
}

export interface ExpectationOutcome {
  figure: string;
  /** The named phase that the figure is of, where it is of one. */
  phase: string | null;
  min: number | null;
  max: number | null;
  found: number;
  met: boolean;
}

/** How long calls of one kind took; percentiles to within 25 %, from below, the longest exactly. */
export interface LatencySummary {
  p50: number;
  p99: number;
  max: number;
  /** Calls that were timed. */
  samples: number;
}

export interface Phase {
  /** `setup`, `main`, `fair`, or a name that the scenario gives to a part of the main phase. */
  name: string;
  seconds: number;
  /** Page tables at the end of the phase. */
  vmpteKiB: number;
}

export interface Run {
  protocol: string;
  cpus: number;
  /** Wall-clock seconds of the main phase. */
  seconds: number;
  /** Process CPU seconds during the main phase (all threads). */
  cpuSeconds: number;
  exit: RunExit;
  vmpteKiB: { start: number; peak: number; end: number; series: [ms: number, kib: number][] };
  /** Results of older versions have no `series`, `occupancy` and `timeline`. */
  rssKiB: {
    start: number;
    peak: number;
    end: number;
    series?: [ms: number, kib: number][] | null | undefined;
  };
  pages: { faulted: number; zapped: number; perSecond: number };
  faults: { read: number; write: number; segv: number; oom: number };
  tables: {
    allocated: number;
    reclaimed: number;
    freed: number;
    pteTablesEnd: number;
    /** PTE tables reclaimed, and those left at the end that hold nothing or only zero pages. */
    reclaimable: number;
    /** PTE tables left at the end that hold entries, but of the shared zero page only. */
    zeroPageOnly: number;
  };
  operations: Record<string, number>;
  /** Protocol counters that are peculiar to it (scanner passes, fast and slow paths, ...). */
  protocolCounts: Record<string, number>;
  races: RaceCount[];
  rcu: {
    gracePeriods: number;
    backlogPeak: number;
    latencyUs: { p50: number; p99: number; max: number };
  };
  locks: LockSummary[];
  /** Of the spinlocks, by class. */
  lockAlgorithms?: Record<string, string> | undefined;
  /** Of the lock statistics, where they were kept. */
  lockStat?: LockStat | null | undefined;
  /** Of the faults a sample is timed, of the madvise calls all. */
  latencyNs: { fault: LatencySummary; madvise: LatencySummary };
  /**
   * What walking page tables cost. A walk maps a PTE table, with its lock or without. `atomics`:
   * atomic read-modify-writes on locks and reference counts; one for each spinlock (as in test-and-
   * test-and-set) and each per-VMA lock taken, two for each reader-writer semaphore, and those on
   * counts. `lockAcquisitions`: locks of all kinds. `graceWaits`: grace periods that were slept
   * for.
   */
  costs: { walks: number; atomics: number; lockAcquisitions: number; graceWaits: number };
  tlbFlushes: number;
  /** Those with names of their own are parts of `main`, and stand after it. */
  phases: Phase[];
  /** User reads compared with what their owner wrote, and reads too old to judge. */
  dataChecks: { compared: number; unjudged: number };
  violations: Violation[];
  /** What the CPUs did last, where there is a violation; results of older versions have none. */
  lastActs?: LastActs | null | undefined;
  occupancy?: Occupancy | null | undefined;
  timeline?: Timeline | null | undefined;
  expectations: ExpectationOutcome[];
  /**
   * How often the plan was run, and the throughput of each time (`throughput`); this run is the one
   * with the median throughput, or the worst where not all passed.
   */
  rounds: { n: number; perSecond: number[] };
  /** One line on what ended the run when it was neither completion nor its duration. */
  note: string | null;
}

export interface Result {
  pttorture: string;
  schema: 1;
  /** The command that made it, as it can be pasted into a shell. */
  command: string;
  scenario: string;
  /** Name of the edit that was run instead of the living source, or null. */
  broken: string | null;
  seed: number;
  parameters: Record<string, number | string>;
  machine: { node: string; platform: string; cores: number; memoryGiB: number };
  /** Where the scenario is a trace: what the real program did. */
  recording?: RecordedProgram | null | undefined;
  runs: Run[];
  /** The plan of the first run; the others differ in `protocol` and `options` only. */
  plan: unknown;
}
