/** Facts about the harvest: each figure is what the arena says, by figures that tell them apart. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bindArena } from '#arena/arena';
import { nowNs, setClock } from '#arena/clock';
import { CONTROL, PHASE } from '#arena/layout/control';
import { LOCK_RECORD, PERCPU } from '#arena/layout/percpu';
import { arenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import type { Run } from '#result/result';
import type { Expectation, Figure, Op, Plan } from '#scenario/plan';
import { GEOMETRY, planOf, TestMachine } from '#tasks/machine.suite';
import { COUNTER, type CounterName } from '#trace/counters';
import { recordFaultLatency, recordMadviseLatency } from '#trace/latency';
import { LOCK } from '#trace/vocabulary';
import { harvestRun, type RunEnd } from './harvest.ts';
import { tableCensus } from './table-census.ts';

const map = arenaMap(GEOMETRY);
const cpus = [0, 1].map((id) => ({ id, block: map.percpu + id * map.percpuWords }));
const END: RunEnd = {
  ...{ cpuSeconds: 1, vmpteKiB: 500, rssKiB: 300, pteTables: 70 },
  census: { empty: 0, zeroPageOnly: 0 },
};

const NOTHING = { vmpteKiB: [], rssKiB: [], occupancy: null, timeline: null };

let words: Words;
let now = 0;
beforeEach(() => {
  words = new Int32Array(new SharedArrayBuffer(4 * map.sizeWords));
  bindArena(words.buffer, GEOMETRY, 0);
  now = 0;
  setClock(() => now);
});
afterEach(() => setClock(null));

function harvest(end: Partial<RunEnd> = {}, plan: Partial<Plan> = {}): Run {
  return harvestRun({
    ...{
      plan: planOf(plan),
      words,
      map,
      lockSites: null,
      exit: 'pass',
      sampled: NOTHING,
      rssPeakKiB: 0,
    },
    ...{ end: { ...END, ...end }, isWhole: true, verdicts: [], note: null },
  });
}

function put(cpu: number, counter: CounterName, value: number): void {
  words[cpus[cpu]!.block + COUNTER[counter]] = value;
}

function take(cpu: number, lock: keyof typeof LOCK, acquisitions: number): void {
  const at = PERCPU.locks + LOCK[lock] * LOCK_RECORD.sizeWords;
  words[cpus[cpu]!.block + at + LOCK_RECORD.acquisitions] = acquisitions;
}

/** The run has gone through its phases, each of which began at a time (ms) with so many tables. */
function live(began: Partial<Record<keyof typeof PHASE, [ms: number, tables: number]>>): void {
  for (const [name, [ms, tables]] of Object.entries(began)) {
    const phase = PHASE[name as keyof typeof PHASE];
    words[CONTROL.phase] = phase;
    words[CONTROL.phaseBegan + phase] = ms;
    words[CONTROL.phaseTables + phase] = tables;
  }
}

test('latencies are those of all CPUs, percentiles from below and the longest exactly', () => {
  const fault = (cpu: number, ms: number, times: number): void => {
    for (let i = 0; i < times; i++) {
      const startNs = nowNs();
      now += ms;
      recordFaultLatency(cpus[cpu]!, startNs);
    }
  };
  fault(0, 5000, 1);
  fault(1, 50, 1);
  fault(0, 2, 38);
  fault(1, 1, 60);
  const startNs = nowNs();
  now += 3;
  recordMadviseLatency(cpus[0]!, startNs);
  expect(harvest().latencyNs).toEqual({
    fault: { p50: 7 * 2 ** 17, p99: 5 * 2 ** 23, max: 5e9, samples: 100 },
    madvise: { p50: 5 * 2 ** 19, p99: 5 * 2 ** 19, max: 3e6, samples: 1 },
  });
});

test('no latency is measured where nothing was timed', () => {
  const nothing = { p50: 0, p99: 0, max: 0, samples: 0 };
  expect(harvest().latencyNs).toEqual({ fault: nothing, madvise: nothing });
});

test('costs are counted once each', () => {
  take(0, 'ptl', 10);
  take(1, 'ptl', 1);
  take(0, 'pml', 20);
  take(1, 'zone', 5);
  take(0, 'mmap', 3);
  take(1, 'anonVma', 50);
  // Counted by `vmaLocks`, so a statistic of the class would count them twice.
  take(0, 'vma', 7000);
  put(0, 'walksLockless', 60);
  put(1, 'walksLockless', 40);
  put(0, 'vmaLocks', 200);
  put(1, 'refAtomics', 400);
  put(0, 'graceWaits', 4);
  put(1, 'graceWaits', 5);
  expect(harvest().costs).toEqual({
    walks: 11 + 100,
    atomics: 11 + 20 + 5 + 2 * (3 + 50) + 200 + 400,
    lockAcquisitions: 11 + 20 + 5 + 3 + 50 + 200,
    graceWaits: 9,
  });
});

test('the throughput is of the main phase', () => {
  live({ setup: [0, 0], main: [1000, 0], fair: [5000, 0], exit: [9000, 0] });
  put(0, 'faultsRead', 100);
  put(1, 'faultsWrite', 700);
  put(1, 'pagesZapped', 40);
  const { rounds, pages } = harvest();
  expect(rounds).toEqual({ n: 1, perSecond: [200] });
  expect(pages).toEqual({ faulted: 800, zapped: 40, perSecond: 10 });
});

describe('PTE tables at the end', () => {
  test.each(['fixed', 'on-demand'] as const)('are told apart, with %s backing', (backing) => {
    setClock(null);
    const machine = new TestMachine({ backing });
    const page = (slot: number): number => slot * 8;
    machine.mmap(0, page(8), page(24));
    // Of each kind another number.
    for (const slot of [8, 9, 10]) machine.store(0, page(slot), 1);
    machine.dontneed(0, page(8), page(11));
    for (const slot of [11, 12]) for (const i of [0, 7]) machine.load(0, page(slot) + i);
    for (const slot of [13, 14, 15, 16]) machine.load(0, page(slot));
    for (const slot of [13, 14, 15, 16]) machine.store(0, page(slot) + 1, 1);
    machine.load(0, page(17));
    machine.store(0, page(17), 1);
    machine.load(0, page(20));
    machine.munmap(0, page(20), page(21));
    expect(machine.nrPtes()).toBe(10);
    expect(tableCensus(machine.words, machine.map)).toEqual({ empty: 3, zeroPageOnly: 2 });
    machine.exit();
    expect(tableCensus(machine.words, machine.map)).toEqual({ empty: 0, zeroPageOnly: 0 });
  });

  test('could have been reclaimed if nobody would miss them', () => {
    put(0, 'tablesReclaimed', 30);
    put(1, 'tablesReclaimed', 10);
    const { tables } = harvest({ census: { empty: 3, zeroPageOnly: 2 } });
    expect(tables).toMatchObject({ reclaimed: 40, reclaimable: 45, zeroPageOnly: 2 });
  });
});

const loop: Op = { op: 'loop', times: 2, do: [{ op: 'scan', untilIdle: false }] };
const meet = (phase: string): Op => ({ op: 'rendezvous', phase });
const COLUMNS = [[meet('fill'), loop, meet('settle'), loop, meet('look')]];

describe('phases', () => {
  const mark = (...marks: [ms: number, tables: number][]): void => {
    words[CONTROL.marks] = marks.length;
    for (const [i, [ms, tables]] of marks.entries()) {
      words[CONTROL.markBegan + i] = ms;
      words[CONTROL.markTables + i] = tables;
    }
  };
  const phases = (): [string, number, number][] =>
    harvest({}, { columns: COLUMNS }).phases.map(({ name, seconds, vmpteKiB }) => [
      name,
      seconds,
      vmpteKiB,
    ]);

  test('with names last from mark to mark, and until the main phase ends', () => {
    live({ setup: [0, 0], main: [1000, 10], fair: [9000, 90], exit: [9500, 95] });
    mark([2000, 20], [4000, 40], [7000, 70]);
    expect(phases()).toEqual([
      ['setup', 1, 40],
      ['main', 8, 360],
      ['fill', 2, 160],
      ['settle', 3, 280],
      ['look', 2, 360],
      ['fair', 0.5, 500],
    ]);
  });

  test('that never began are not there', () => {
    live({ setup: [0, 0], main: [1000, 10], fair: [9000, 90], exit: [9500, 95] });
    mark([2000, 20]);
    expect(phases().map(([name]) => name)).toEqual(['setup', 'main', 'fill', 'fair']);
    expect(phases()[2]).toEqual(['fill', 7, 360]);
  });

  test('that last are as long as until now, across the wrap of the clock', () => {
    live({ setup: [2 ** 31 - 3000, 0], main: [2 ** 31 - 2000, 10] });
    mark([2 ** 31 - 500, 20]);
    now = 2 ** 31 + 250;
    expect(phases().map(([name, seconds]) => [name, seconds])).toEqual([
      ['setup', 1],
      ['main', 2.25],
      ['fill', 0.75],
      ['fair', 0],
    ]);
  });

  describe('and other figures meet what is expected', () => {
    beforeEach(() => {
      live({ setup: [0, 50], main: [1000, 60], fair: [9000, 90], exit: [9500, 95] });
      mark([2000, 61], [4000, 62]);
      put(0, 'tablesReclaimed', 30);
    });
    const outcome = (figure: Figure, phase: string | null = null, more = {}) => {
      const expectations: Expectation[] = [{ figure, phase, min: null, max: null, ...more }];
      const census = { empty: 4, zeroPageOnly: 6 };
      return harvest({ census }, { columns: COLUMNS, expectations }).expectations[0]!;
    };

    test.each([
      ['vmpteAboveStartKiB', null, 300],
      ['vmpteKiB', null, 500],
      ['vmpteKiB', 'fill', 248],
      ['vmpteKiB', 'main', 360],
      ['rssKiB', null, 300],
      ['pteTables', null, 70],
      ['reclaimedPercent', null, 75],
      ['phaseSeconds', 'setup', 1],
      ['phaseSeconds', 'settle', 5],
    ] as const)('%s of %s', (figure, phase, found) => {
      const met = outcome(figure, phase, { min: found, max: found });
      expect(met).toEqual({ figure, phase, min: found, max: found, found, met: true });
      expect(outcome(figure, phase, { max: found - 1 }).met).toBe(false);
      expect(outcome(figure, phase, { min: found + 1 }).met).toBe(false);
    });

    test('unless the phase never began', () => {
      for (const figure of ['phaseSeconds', 'vmpteKiB'] as const)
        expect(outcome(figure, 'look')).toMatchObject({ found: 0, met: false });
    });

    test('when there was nothing to reclaim', () => {
      put(0, 'tablesReclaimed', 0);
      const expectations: Expectation[] = [
        { figure: 'reclaimedPercent', phase: null, min: 100, max: 100 },
      ];
      expect(harvest({}, { expectations }).expectations[0]).toMatchObject({ met: true });
    });
  });
});
