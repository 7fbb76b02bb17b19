/**
 * The result document: all that passes from running to reporting, so every output can be made again
 * from a saved `result.json`. Units are in the names. What stands here keeps its name and meaning;
 * fields may be added.
 */

export type RunExit = 'pass' | 'violation' | 'deadline' | 'interrupted';

/** One cell of the race matrix: `noticedBy` found that `causedBy` had changed what it looked at. */
export interface RaceCount {
  kind: string;
  noticedBy: string;
  causedBy: string;
  count: number;
}

export interface LockSummary {
  class: string;
  acquisitions: number;
  contended: number;
  trylockFailed: number;
  bounces: number | null;
  waitNs: number;
  holdNs: number | null;
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
  min: number | null;
  max: number | null;
  found: number;
  met: boolean;
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
  rssKiB: { start: number; peak: number; end: number };
  pages: { faulted: number; zapped: number; perSecond: number };
  faults: { read: number; write: number; segv: number; oom: number };
  tables: { allocated: number; reclaimed: number; freed: number; pteTablesEnd: number };
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
  tlbFlushes: number;
  phases: { name: 'setup' | 'main' | 'fair'; seconds: number; vmpteKiB: number }[];
  /** User reads compared with what their owner wrote, and reads too old to judge. */
  dataChecks: { compared: number; unjudged: number };
  violations: Violation[];
  expectations: ExpectationOutcome[];
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
  runs: Run[];
  /** The plan of the first run; the others differ in `protocol` and `options` only. */
  plan: unknown;
}
