/** The comparison of protocols: every figure in its place, on wide pages and narrow ones. */
import { describe, expect, test } from 'vitest';
import type { Run } from '#result/result';
import { sampleResult, sampleRun } from '#result/sample.suite';
import { comparisonReport } from './text.ts';

const violation = { kind: 'lost-entry', message: 'entry 17 was lost', cpus: [0], replay: null };
const NONE = sampleRun({
  protocol: 'none',
  seconds: 10,
  pages: { faulted: 10_000_000, zapped: 9_000_000, perSecond: 900_000 },
  vmpteKiB: { start: 2048, peak: 104_448, end: 104_448, series: [] },
  tables: {
    ...{ allocated: 25_650, reclaimed: 0, freed: 0, pteTablesEnd: 25_600 },
    ...{ reclaimable: 25_400, zeroPageOnly: 12 },
  },
  races: [],
  latencyNs: {
    fault: { p50: 80, p99: 448, max: 12_345_678, samples: 163_934 },
    madvise: { p50: 10_240, p99: 20_480, max: 1_500_000, samples: 9 },
  },
  costs: { walks: 1000, atomics: 2500, lockAcquisitions: 2250, graceWaits: 0 },
});
const SCANNER = sampleRun({
  seconds: 12.5,
  pages: { faulted: 10_875_000, zapped: 13_107_200, perSecond: 1_048_576 },
  costs: { walks: 1000, atomics: 4500, lockAcquisitions: 1255, graceWaits: 1234 },
});
const RECLAIM = sampleRun({
  protocol: 'pt-reclaim',
  seconds: 120,
  pages: { faulted: 0, zapped: 0, perSecond: 0 },
  exit: 'violation',
  violations: [violation, violation],
  latencyNs: {
    fault: { p50: 0, p99: 0, max: 0, samples: 0 },
    madvise: { p50: 49_152, p99: 131_072, max: 150e9, samples: 25_600 },
  },
  costs: { walks: 0, atomics: 0, lockAcquisitions: 0, graceWaits: 0 },
});

/** The lines of the comparison, without the introduction. */
function lines(width: number, runs: readonly Run[] = [NONE, SCANNER, RECLAIM]): string[] {
  const text = comparisonReport(sampleResult(runs), { width }).trimEnd().split('\n');
  return text.slice(text.indexOf('') + 1);
}

const LEGEND = [
  'peak, end: VmPTE above the start, at its highest and at the end.',
  'reclaimed, share: PTE tables reclaimed, and their share of the reclaimable.',
  'of: the reclaimable: those, and those left with no entry or zero pages only.',
  'races, bad, s: races handled, violations, seconds of the main phase.',
  'fault, p99, max: median time of a fault, what 99 % stay within, and the longest.',
  'madvise, p99, max: the same of madvise calls.',
  'faults/s, speed: pages faulted in each second, and that relative to none.',
  'rmw, locks: atomic read-modify-writes and lock acquisitions for each walk.',
  'waits: grace periods waited for.',
];

const MEMORY = [
  'protocol          peak      end  reclaimed     of  share  races  bad     s  verdict',
  'none           100 MiB  100 MiB          0  25.4k   0.0%      0    0  10.0  pass',
  'async-scanner  100 MiB  756 KiB      25.6k  25.7k  99.5%  1.25M    0  12.5  pass',
  'pt-reclaim     100 MiB  756 KiB      25.6k  25.7k  99.5%  1.25M    2   120  VIOLATED',
];

/** At 100 columns. */
const COST = `
protocol       fault     p99     max madvise     p99        max faults/s speed  rmw locks waits
none           80 ns  448 ns 12.3 ms 10.2 us 20.5 us    1.50 ms    1.00M 1.00x 2.50  2.25     0
async-scanner 448 ns 2.05 us 1.23 ms 49.2 us  131 us     5.01 s     870k 0.87x 4.50  1.25 1.23k
pt-reclaim         -       -       - 49.2 us  131 us 2 min 30 s        0 0.00x    -     -     0`;

describe('the comparison', () => {
  test('is two tables at 100 columns', () => {
    expect(lines(100)).toEqual([...MEMORY, ...COST.split('\n'), '', ...LEGEND]);
  });

  test('has room to breathe at 120', () => {
    const [memory, cost] = [lines(120).slice(0, 4), lines(120).slice(5, 9)];
    expect(memory).toEqual(MEMORY);
    expect(cost.map((line) => line.slice(0, 69))).toEqual([
      'protocol        fault      p99      max  madvise      p99         max',
      'none            80 ns   448 ns  12.3 ms  10.2 us  20.5 us     1.50 ms',
      'async-scanner  448 ns  2.05 us  1.23 ms  49.2 us   131 us      5.01 s',
      'pt-reclaim          -        -        -  49.2 us   131 us  2 min 30 s',
    ]);
    expect(cost.map((line) => line.slice(69))).toEqual([
      '  faults/s  speed   rmw  locks  waits',
      '     1.00M  1.00x  2.50   2.25      0',
      '      870k  0.87x  4.50   1.25  1.23k',
      '         0  0.00x     -      -      0',
    ]);
  });

  test('is three tables at 80', () => {
    expect(lines(80)).toEqual([
      'protocol         peak     end reclaimed    of share races bad    s verdict',
      'none          100 MiB 100 MiB         0 25.4k  0.0%     0   0 10.0 pass',
      'async-scanner 100 MiB 756 KiB     25.6k 25.7k 99.5% 1.25M   0 12.5 pass',
      'pt-reclaim    100 MiB 756 KiB     25.6k 25.7k 99.5% 1.25M   2  120 VIOLATED',
      '',
      'protocol        fault      p99      max  madvise      p99         max',
      'none            80 ns   448 ns  12.3 ms  10.2 us  20.5 us     1.50 ms',
      'async-scanner  448 ns  2.05 us  1.23 ms  49.2 us   131 us      5.01 s',
      'pt-reclaim          -        -        -  49.2 us   131 us  2 min 30 s',
      '',
      'protocol       faults/s  speed   rmw  locks  waits',
      'none              1.00M  1.00x  2.50   2.25      0',
      'async-scanner      870k  0.87x  4.50   1.25  1.23k',
      'pt-reclaim            0  0.00x     -      -      0',
      '',
      ...LEGEND,
    ]);
  });

  test('is one block for each run where it does not fit', () => {
    expect(lines(40).slice(21, 42)).toEqual([
      'async-scanner',
      '  peak       100 MiB',
      '  end        756 KiB',
      '  reclaimed  25.6k',
      '  of         25.7k',
      '  share      99.5%',
      '  races      1.25M',
      '  bad        0',
      '  s          12.5',
      '  verdict    pass',
      '  fault      448 ns',
      '  p99        2.05 us',
      '  max        1.23 ms',
      '  madvise    49.2 us',
      '  p99        131 us',
      '  max        5.01 s',
      '  faults/s   870k',
      '  speed      0.87x',
      '  rmw        4.50',
      '  locks      1.25',
      '  waits      1.23k',
    ]);
  });

  test('leaves the speed open without the control', () => {
    expect(lines(80, [SCANNER, RECLAIM]).slice(8, 11)).toEqual([
      'protocol       faults/s  speed   rmw  locks  waits',
      'async-scanner      870k         4.50   1.25  1.23k',
      'pt-reclaim            0            -      -      0',
    ]);
  });

  test('says of which round it is, where there were several', () => {
    const rounds = { n: 3, perSecond: [1, 2, 3] };
    expect(lines(100, [NONE, { ...SCANNER, rounds }]).at(-1)).toBe(
      'Median of 3 rounds by throughput, order alternates; where a round did not pass, that one.',
    );
    expect(lines(100).join()).not.toContain('rounds');
  });
});
