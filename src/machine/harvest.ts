/**
 * What a finished run has left in the arena, summed over CPUs and put into the words of the result.
 */

import { CONTROL, PHASE } from '#arena/layout/control';
import { MM } from '#arena/layout/mm';
import { ACTORS_MAX, HISTOGRAM_WORDS, PERCPU } from '#arena/layout/percpu';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import type { NamedLockSite } from '#derive/tree';
import type { RaceCount, Run, RunExit, Violation } from '#result/result';
import { throughput } from '#result/throughput';
import type { Plan } from '#scenario/plan';
import { COUNTER, type CounterName } from '#trace/counters';
import { ACTORS, RACES } from '#trace/vocabulary';
import { costsOf } from './costs.ts';
import { outcomesOf } from './expectations.ts';
import { harvestLocks } from './harvest-locks.ts';
import { lastActs } from './last-acts.ts';
import { lockStatOf } from './lock-statistics.ts';
import { histogramOf, latencySummary, quantile } from './percentiles.ts';
import { phaseSeconds, phasesOf, TABLE_KIB, vmpteAtKiB } from './phases.ts';
import type { Sampled } from './sampler.ts';
import type { TableCensus } from './table-census.ts';

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

export function rssKiB(words: Words, map: ArenaMap): number {
  return PAGE_KIB * counter(words, map, 'rss');
}

/** What has to be read before the process ends; CPU seconds are those of the main phase. */
export interface RunEnd {
  readonly cpuSeconds: number;
  readonly vmpteKiB: number;
  readonly rssKiB: number;
  readonly pteTables: number;
  readonly census: TableCensus;
}

/** What a run has left, and what only its monitor knows. */
export interface Remains {
  readonly plan: Plan;
  readonly words: Words;
  readonly map: ArenaMap;
  /** Call sites of locks, where statistics of them were kept. */
  readonly lockSites: readonly NamedLockSite[] | null;
  readonly exit: RunExit;
  readonly sampled: Sampled;
  readonly rssPeakKiB: number;
  /** At the end of the fair phase. */
  readonly end: RunEnd;
  /** All phases came to their end, so that expectations can be held against it. */
  readonly isWhole: boolean;
  readonly verdicts: Violation[];
  readonly note: string | null;
}

export function harvestRun(remains: Remains): Run {
  const run = figuresOf(remains);
  if (!remains.isWhole) return run;
  return { ...run, expectations: outcomesOf(remains.plan.expectations, run) };
}

/** All but what the scenario expects of them. */
function figuresOf(remains: Remains): Run {
  const { plan, words, map, end, sampled } = remains;
  const total: Total = (name) => counter(words, map, name);
  const seconds = phaseSeconds(words, PHASE.main);
  const pages = pagesOf(total, seconds);
  return {
    protocol: plan.protocol,
    cpus: plan.cpus,
    seconds,
    cpuSeconds: end.cpuSeconds,
    exit: remains.exit,
    vmpteKiB: {
      start: vmpteAtKiB(words, PHASE.setup),
      peak: vmptePeakKiB(words, map),
      end: end.vmpteKiB,
      series: sampled.vmpteKiB,
    },
    rssKiB: {
      ...{ start: 0, peak: Math.max(remains.rssPeakKiB, end.rssKiB), end: end.rssKiB },
      series: sampled.rssKiB,
    },
    pages,
    faults: {
      read: total('faultsRead'),
      write: total('faultsWrite'),
      segv: total('segv'),
      oom: total('oom'),
    },
    tables: tablesOf(total, end),
    operations: operationsOf(total),
    protocolCounts: protocolCountsOf(total),
    races: harvestRaces(words, map),
    rcu: harvestRcu(words, map),
    locks: harvestLocks(words, map, remains.lockSites),
    lockAlgorithms: { ...plan.locks },
    lockStat: remains.lockSites === null ? null : lockStatOf(words, map),
    latencyNs: {
      fault: latencySummary(words, map, PERCPU.faultLatency),
      madvise: latencySummary(words, map, PERCPU.madviseLatency),
    },
    costs: costsOf(words, map, total),
    tlbFlushes: total('tlbFlushes'),
    phases: phasesOf(plan, words, end.vmpteKiB),
    dataChecks: { compared: total('dataCompared'), unjudged: total('dataUnjudged') },
    violations: remains.verdicts,
    lastActs: remains.verdicts.length === 0 ? null : lastActs(plan, words, map),
    ...{ occupancy: sampled.occupancy, timeline: sampled.timeline },
    expectations: [],
    rounds: { n: 1, perSecond: [throughput({ pages, seconds })] },
    note: remains.note,
  };
}

type Total = (name: CounterName) => number;

function pagesOf(total: Total, seconds: number): Run['pages'] {
  const zapped = total('pagesZapped');
  return {
    faulted: total('faultsWrite') + total('faultsRead'),
    zapped,
    perSecond: seconds > 0 ? Math.round(zapped / seconds) : 0,
  };
}

function tablesOf(total: Total, { pteTables, census }: RunEnd): Run['tables'] {
  const reclaimed = total('tablesReclaimed');
  return {
    allocated: total('tablesAllocated'),
    reclaimed,
    freed: total('tablesFreed'),
    pteTablesEnd: pteTables,
    reclaimable: reclaimed + census.empty + census.zeroPageOnly,
    zeroPageOnly: census.zeroPageOnly,
  };
}

function operationsOf(total: Total): Record<string, number> {
  return named(total, {
    touch: 'opTouch',
    dontneed: 'opDontneed',
    punch: 'opPunch',
    mmap: 'opMmap',
    munmap: 'opMunmap',
    mprotect: 'opMprotect',
    mremap: 'opMremap',
    brk: 'opBrk',
    scan: 'opScan',
    torture: 'opTorture',
  });
}

function protocolCountsOf(total: Total): Record<string, number> {
  return named(total, {
    fastPath: 'reclaimFast',
    slowPath: 'reclaimSlow',
    slowPathKept: 'reclaimKept',
    scannerPasses: 'scanPasses',
    tablesScanned: 'scanTables',
    gatherFull: 'gatherFull',
    rescheduled: 'reschedTaken',
  });
}

/** The counters that are not zero, under the result's names. */
function named(total: Total, names: Readonly<Record<string, CounterName>>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [name, source] of Object.entries(names)) {
    const n = total(source);
    if (n !== 0) counts[name] = n;
  }
  return counts;
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

/** RCU's figures; latency is from `callRcu` to the callback, to within 25 %. */
function harvestRcu(words: Words, map: ArenaMap): Run['rcu'] {
  const buckets = histogramOf(words, map, PERCPU.rcuLatency, HISTOGRAM_WORDS);
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
