/**
 * What a finished run has left in the arena, summed over CPUs and put into the words of the result.
 */

import { nowMs } from '#arena/clock';
import { CONTROL, PHASE } from '#arena/layout/control';
import { MM } from '#arena/layout/mm';
import { ACTORS_MAX, HISTOGRAM_WORDS, LOCK_RECORD, PERCPU } from '#arena/layout/percpu';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import type {
  ExpectationOutcome,
  LockSummary,
  RaceCount,
  Run,
  RunExit,
  Violation,
} from '#result/result';
import type { Plan } from '#scenario/plan';
import { COUNTER, type CounterName } from '#trace/counters';
import { histogramValue } from '#trace/histogram';
import { ACTORS, LOCKS, RACES } from '#trace/vocabulary';

/** KiB of a page table, of whatever level: what Linux counts in VmPTE. */
const TABLE_KIB = 4;
/** KiB of a page. */
const PAGE_KIB = 4;

/** Sum of a counter over all CPUs. */
export function counter(words: Words, map: ArenaMap, name: CounterName): number {
  let sum = 0;
  for (let id = 0; id < map.geometry.cpus; id++)
    sum += words[map.percpu + id * map.percpuWords + COUNTER[name]]!;
  return sum;
}

/** Page tables of the process now, in KiB, as Linux counts VmPTE. */
export function vmpteKiB(words: Words, map: ArenaMap): number {
  const { mm } = map;
  return TABLE_KIB * (words[mm + MM.nrPtes]! + words[mm + MM.nrPmds]! + words[mm + MM.nrPuds]!);
}

function vmptePeakKiB(words: Words, map: ArenaMap): number {
  return TABLE_KIB * words[map.mm + MM.nrTablesPeak]!;
}

/** VmPTE when `phase` (a value of `PHASE`) began, in KiB. */
function vmpteAtKiB(words: Words, phase: number): number {
  return TABLE_KIB * words[CONTROL.phaseTables + phase]!;
}

export function rssKiB(words: Words, map: ArenaMap): number {
  return PAGE_KIB * counter(words, map, 'rss');
}

/** What a run has left, and what only its monitor knows. */
export interface Remains {
  readonly plan: Plan;
  readonly words: Words;
  readonly map: ArenaMap;
  readonly exit: RunExit;
  readonly series: [ms: number, kib: number][];
  readonly rssPeakKiB: number;
  /** At the end of the fair phase. */
  readonly end: { cpuSeconds: number; vmpteKiB: number; rssKiB: number; pteTables: number };
  /** All phases came to their end, so that expectations can be held against it. */
  readonly isWhole: boolean;
  readonly verdicts: Violation[];
  readonly note: string | null;
}

export function harvestRun(remains: Remains): Run {
  const { plan, words, map, end } = remains;
  const total = (name: CounterName): number => counter(words, map, name);
  const start = vmpteAtKiB(words, PHASE.setup);
  const seconds = phaseSeconds(words, PHASE.main);
  const expectations = remains.isWhole ? outcomes(plan, end.vmpteKiB - start, end.pteTables) : [];
  return {
    protocol: plan.protocol,
    cpus: plan.cpus,
    seconds,
    cpuSeconds: end.cpuSeconds,
    exit: remains.exit,
    vmpteKiB: { start, peak: vmptePeakKiB(words, map), end: end.vmpteKiB, series: remains.series },
    rssKiB: { start: 0, peak: Math.max(remains.rssPeakKiB, end.rssKiB), end: end.rssKiB },
    pages: {
      faulted: total('faultsWrite') + total('faultsRead'),
      zapped: total('pagesZapped'),
      perSecond: seconds > 0 ? Math.round(total('pagesZapped') / seconds) : 0,
    },
    faults: {
      read: total('faultsRead'),
      write: total('faultsWrite'),
      segv: total('segv'),
      oom: total('oom'),
    },
    tables: {
      allocated: total('tablesAllocated'),
      reclaimed: total('tablesReclaimed'),
      freed: total('tablesFreed'),
      pteTablesEnd: end.pteTables,
    },
    operations: named(total, {
      touch: 'opTouch',
      dontneed: 'opDontneed',
      punch: 'opPunch',
      mmap: 'opMmap',
      munmap: 'opMunmap',
      scan: 'opScan',
      torture: 'opTorture',
    }),
    protocolCounts: named(total, {
      fastPath: 'reclaimFast',
      slowPath: 'reclaimSlow',
      slowPathKept: 'reclaimKept',
      scannerPasses: 'scanPasses',
      tablesScanned: 'scanTables',
      gatherFull: 'gatherFull',
      rescheduled: 'reschedTaken',
    }),
    races: harvestRaces(words, map),
    rcu: harvestRcu(words, map),
    locks: harvestLocks(words, map),
    tlbFlushes: total('tlbFlushes'),
    phases: [
      {
        name: 'setup',
        seconds: phaseSeconds(words, PHASE.setup),
        vmpteKiB: vmpteAtKiB(words, PHASE.main),
      },
      { name: 'main', seconds, vmpteKiB: vmpteAtKiB(words, PHASE.fair) },
      { name: 'fair', seconds: phaseSeconds(words, PHASE.fair), vmpteKiB: end.vmpteKiB },
    ],
    dataChecks: { compared: total('dataCompared'), unjudged: total('dataUnjudged') },
    violations: remains.verdicts,
    expectations,
    note: remains.note,
  };
}

/** The counters that are not zero, under the result's names. */
function named(
  total: (name: CounterName) => number,
  names: Readonly<Record<string, CounterName>>,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [name, source] of Object.entries(names)) {
    const n = total(source);
    if (n !== 0) counts[name] = n;
  }
  return counts;
}

/** Seconds from the beginning of `phase` to that of the next, or until now while it lasts. */
function phaseSeconds(words: Words, phase: number): number {
  if (words[CONTROL.phase]! < phase) return 0;
  const began = words[CONTROL.phaseBegan + phase]!;
  const next = words[CONTROL.phase]! > phase ? words[CONTROL.phaseBegan + phase + 1]! : nowMs();
  return ((next - began) | 0) / 1000;
}

function outcomes(plan: Plan, vmpteAboveStartKiB: number, pteTables: number): ExpectationOutcome[] {
  return plan.expectations.map(({ figure, min, max }) => {
    const found = figure === 'pteTables' ? pteTables : vmpteAboveStartKiB;
    const met = (min === null || found >= min) && (max === null || found <= max);
    return { figure, min, max, found, met };
  });
}

/** The race matrix, without empty cells. */
function harvestRaces(words: Words, map: ArenaMap): RaceCount[] {
  const races: RaceCount[] = [];
  for (const [kind, name] of RACES.entries())
    for (const [by, noticedBy] of ACTORS.entries())
      for (const [of, causedBy] of ACTORS.entries()) {
        const cell = PERCPU.races + (kind * ACTORS_MAX + by) * ACTORS_MAX + of;
        let count = 0;
        for (let id = 0; id < map.geometry.cpus; id++)
          count += words[map.percpu + id * map.percpuWords + cell]!;
        if (count > 0) races.push({ kind: name, noticedBy, causedBy, count });
      }
  return races;
}

/** One row per lock class that was used. */
function harvestLocks(words: Words, map: ArenaMap): LockSummary[] {
  const locks: LockSummary[] = [];
  for (const [index, name] of LOCKS.entries()) {
    const at = PERCPU.locks + index * LOCK_RECORD.sizeWords;
    const sum = (offset: number): number => {
      let total = 0;
      for (let id = 0; id < map.geometry.cpus; id++)
        total += words[map.percpu + id * map.percpuWords + at + offset]! >>> 0;
      return total;
    };
    const acquisitions = sum(LOCK_RECORD.acquisitions);
    if (acquisitions === 0) continue;
    locks.push({
      class: name,
      acquisitions,
      contended: sum(LOCK_RECORD.contended),
      trylockFailed: sum(LOCK_RECORD.trylockFailed),
      bounces: null,
      waitNs: sum(LOCK_RECORD.waitUs) * 1000,
      holdNs: null,
    });
  }
  return locks;
}

/** RCU's figures; latency is from `callRcu` to the callback, to within 25 %. */
function harvestRcu(words: Words, map: ArenaMap): Run['rcu'] {
  const buckets = new Float64Array(HISTOGRAM_WORDS);
  for (let id = 0; id < map.geometry.cpus; id++)
    for (let i = 0; i < HISTOGRAM_WORDS; i++)
      buckets[i]! += words[map.percpu + id * map.percpuWords + PERCPU.rcuLatency + i]!;
  return {
    gracePeriods: counter(words, map, 'rcuGracePeriods'),
    backlogPeak: words[CONTROL.rcuBacklogPeak]!,
    latencyUs: {
      p50: quantile(buckets, 0.5),
      p99: quantile(buckets, 0.99),
      max: quantile(buckets, 1),
    },
  };
}

function quantile(buckets: Float64Array, part: number): number {
  const total = buckets.reduce((sum, n) => sum + n, 0);
  let seen = 0;
  for (const [slot, n] of buckets.entries()) {
    seen += n;
    if (n > 0 && seen >= part * total) return histogramValue(slot);
  }
  return 0;
}
