/** A result made up for tests: the figures are invented, and consistent with each other. */
import type { Occupancy } from './occupancy.ts';
import type { Result, Run } from './result.ts';
import type { Timeline } from './timeline.ts';

export function sampleResult(
  runs: readonly Run[] = [sampleRun()],
  more: Partial<Result> = {},
): Result {
  return {
    pttorture: '0.1.0',
    schema: 1,
    command: 'pttorture run churn --protocol all --seed 7',
    scenario: 'churn',
    broken: null,
    seed: 7,
    parameters: { size: '1GiB', regions: 4 },
    machine: { node: 'v20.20.2', platform: 'linux x64', cores: 2, memoryGiB: 7.6 },
    runs: [...runs],
    plan: {},
    ...more,
  };
}

export function sampleRun(more: Partial<Run> = {}): Run {
  return {
    protocol: 'async-scanner',
    cpus: 2,
    seconds: 12.3,
    cpuSeconds: 24.1,
    exit: 'pass',
    vmpteKiB: {
      start: 16,
      peak: 102_616,
      end: 772,
      series: [
        [0, 16],
        [4000, 51_200],
        [8000, 102_616],
        [9000, 60_000],
        [12_300, 772],
      ],
    },
    rssKiB: { start: 0, peak: 2048, end: 0 },
    pages: { faulted: 13_107_200, zapped: 13_107_200, perSecond: 1_065_626 },
    faults: { read: 107_200, write: 13_000_000, segv: 12, oom: 0 },
    tables: {
      allocated: 25_650,
      reclaimed: 25_600,
      freed: 25_600,
      pteTablesEnd: 136,
      reclaimable: 25_720,
      zeroPageOnly: 48,
    },
    operations: { touch: 25_600, dontneed: 25_600 },
    protocolCounts: { passes: 812, fastPath: 1300 },
    races: [
      { kind: 'pmdChanged', noticedBy: 'fault', causedBy: 'madvise', count: 12_034 },
      { kind: 'pmdChanged', noticedBy: 'fault', causedBy: 'scanner', count: 1203 },
      { kind: 'pmdChanged', noticedBy: 'madvise', causedBy: 'scanner', count: 4 },
      { kind: 'tableLost', noticedBy: 'fault', causedBy: 'fault', count: 88 },
      { kind: 'refilled', noticedBy: 'scanner', causedBy: 'fault', count: 1_234_567 },
      { kind: 'staleWalk', noticedBy: 'access', causedBy: 'munmap', count: 0 },
    ],
    rcu: { gracePeriods: 4321, backlogPeak: 512, latencyUs: { p50: 12, p99: 850, max: 4100 } },
    locks: [
      {
        class: 'ptl',
        acquisitions: 26_214_400,
        contended: 12_345,
        trylockFailed: 17,
        bounces: 123_456,
        waitNs: 12_000_000,
        holdNs: 1_200_000_000,
      },
      {
        class: 'mmap',
        acquisitions: 51_200,
        contended: 9,
        trylockFailed: 0,
        bounces: null,
        waitNs: 900,
        holdNs: null,
      },
    ],
    latencyNs: {
      fault: { p50: 448, p99: 2048, max: 1_234_567, samples: 214_873 },
      madvise: { p50: 49_152, p99: 131_072, max: 5_012_345_678, samples: 25_600 },
    },
    costs: {
      walks: 26_321_000,
      atomics: 39_424_000,
      lockAcquisitions: 39_372_800,
      graceWaits: 31,
    },
    tlbFlushes: 25_601,
    phases: [
      { name: 'setup', seconds: 0.0123, vmpteKiB: 16 },
      { name: 'main', seconds: 12.3, vmpteKiB: 51_200 },
      { name: 'fair', seconds: 0.4, vmpteKiB: 772 },
    ],
    dataChecks: { compared: 107_200, unjudged: 3 },
    violations: [],
    expectations: [
      {
        ...{ figure: 'vmpteAboveStartKiB', phase: null },
        ...{ min: null, max: 756, found: 756, met: true },
      },
    ],
    rounds: { n: 1, perSecond: [1_065_626] },
    note: null,
    ...more,
  };
}

/** Two spans with four buckets in all, at three times: tables come, go empty, and are unhooked. */
export function sampleOccupancy(): Occupancy {
  return {
    ...{ slotKiB: 2048, slotsPerBucket: 2, slotStep: 1 },
    spans: [
      { name: 'heap', firstSlot: 512, slots: 6, buckets: 3 },
      { name: 'pool', firstSlot: 520, slots: 1, buckets: 1 },
    ],
    samples: [
      { ms: 0, live: [0, 0, 0, 0], empty: [0, 0, 0, 0], unhooked: [0, 0, 0, 0], unplaced: 0 },
      { ms: 2000, live: [2, 1, 0, 1], empty: [0, 1, 0, 0], unhooked: [0, 0, 0, 0], unplaced: 0 },
      { ms: 4000, live: [1, 0, 0, 1], empty: [1, 1, 0, 0], unhooked: [0, 0, 1, 0], unplaced: 3 },
    ],
  };
}

/** Two CPUs and a scanner; `dontneed` waits once, and the second CPU is done before the first. */
export function sampleTimeline(): Timeline {
  return {
    acts: ['touch write', 'dontneed', 'scan'],
    actors: ['none', 'fault', 'madvise'],
    events: ['operation', 'hook', 'unhook', 'defer', 'free'],
    samples: [
      { ms: 0, act: [0, -1], actor: [1, 0], waits: [0, 0] },
      { ms: 20, act: [1, 0], actor: [2, 1], waits: [1, 0] },
      { ms: 40, act: [1, 1], actor: [2, 2], waits: [0, 2] },
    ],
    latest: {
      ...{ endMs: 41, us: 120 },
      columns: [
        {
          ...{ cpu: 0, role: 'cpu' },
          operations: [
            [0, 0, 80],
            [1, 80, null],
          ],
          tables: [
            [1, 0, 7],
            [2, 80, 7],
          ],
        },
        { cpu: 1, role: 'cpu', operations: [[1, 10, null]], tables: [[3, 10, 8]] },
        { cpu: 2, role: 'scanner', operations: [[2, 50, null]], tables: [] },
      ],
    },
  };
}
