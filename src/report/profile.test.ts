/** What a profile says of runs whose figures are made up. */
import { describe, expect, test } from 'vitest';
import type { LockPlace } from '#result/lock-statistics';
import type { LockSummary, Run } from '#result/result';
import { sampleResult, sampleRun } from '#result/sample.suite';
import { profileReport } from './profile.ts';

const SECONDS = 2;

function place(name: string, line: number): LockPlace {
  return { site: line, function: name, path: 'mm/fault.ts', line };
}

/** A lock whose waits took so many seconds of all CPUs together. */
function lock(name: string, waited: number): LockSummary {
  const blame = { waiter: place('doFault', 7), mode: 'exclusive', holder: null, waits: 3 } as const;
  return {
    ...{ class: name, acquisitions: 1000, contended: 100, trylockFailed: 0, bounces: 5 },
    ...{ waitNs: waited * 1e9, holdNs: 5_000_000 },
    contendedBy: waited === 0 ? [] : [{ ...blame, waitNs: waited * 1e9 }],
  };
}

/** A run of `cpus` that faulted in so many pages a second. */
function run(cpus: number, perSecond: number, algorithm: string, locks: LockSummary[]): Run {
  const pages = { faulted: perSecond * SECONDS, zapped: 0, perSecond };
  const lockAlgorithms = { ptl: algorithm, pml: algorithm };
  return sampleRun({ cpus, seconds: SECONDS, pages, locks, lockAlgorithms });
}

function report(runs: readonly Run[], width = 80): string {
  return profileReport(sampleResult(runs), { width, paint: (_style, text) => text });
}

describe('the busiest run of a sweep', () => {
  const text = report([
    run(1, 100, 'ttas', [lock('ptl', 0)]),
    run(2, 150, 'ttas', [lock('mmap', 0.4), lock('ptl', 1), lock('zone', 0)]),
  ]);

  test('shows its locks by what was waited for them, with a bar', () => {
    const rows = text.split('\n').filter((line) => /^(ptl|mmap|zone) /.test(line));
    expect(rows).toEqual([
      expect.stringMatching(/^ptl +###\.{9} +25\.0% +1\.00 s +- +5\.00 us +1\.00k +10\.0%$/),
      expect.stringMatching(/^mmap +#\.{11} +10\.0% +400 ms/),
    ]);
  });

  test('names who waited for whom, and what to try', () => {
    expect(text).toContain(
      'doFault (mm/fault.ts:7) waited 1.00 s (3 times) for the ptl that someone',
    );
    expect(text).toMatch(/try: CPUs meet in one PTE table/);
  });

  test('is compared with one CPU', () => {
    expect(text).toMatch(/^ +1 +100 +1\.00x +0\.0% +- /m);
    expect(text).toMatch(/^ +2 +150 +1\.50x +35\.0% +ptl /m);
  });
});

test('nothing that was waited for is no advice', () => {
  const text = report([run(1, 100, 'ttas', [lock('ptl', 0)])]);
  expect(text).toContain('no lock was waited for.');
  expect(text).not.toContain('try:');
});

describe('more CPUs than cores', () => {
  const ttas = [1, 2, 8].map((cpus) => run(cpus, 100 * cpus, 'ttas', []));
  const ticket = [1, 2, 8].map((cpus) => run(cpus, cpus > 2 ? 10 : 100 * cpus, 'ticket', []));
  const text = report([...ttas, ...ticket]);

  test('are marked, and told as such beside the fitted law', () => {
    expect(text).toMatch(/^ +8\* +800/m);
    expect(text).toMatch(/one CPU 100\/s, contention 0\.0%, coherency 0\.0%/);
    expect(text.replaceAll('\n', ' ')).toContain('1 point of 3 with more CPUs than cores');
  });

  test('collapse under a lock that serves in order of arrival', () => {
    expect(text.replaceAll('\n', ' ')).toContain(
      'ticket with 8 CPUs on 2 cores does 0.01 times the work of ttas',
    );
    expect(report(ttas)).not.toContain('times the work');
  });

  test('are advised to take another lock', () => {
    const crowded = report([run(8, 10, 'ticket', [lock('ptl', 4)])]).replaceAll(/\n */g, ' ');
    expect(crowded).toContain('ticket serves in order of arrival');
    expect(crowded).toContain('try: 8 simulated CPUs share 2 cores');
  });
});

test('two numbers of CPUs make no curve', () => {
  expect(report([run(1, 100, 'ttas', []), run(2, 150, 'ttas', [])])).not.toContain('Scalability');
});

test.each([40, 60, 80, 120])('keeps within %i columns', (width) => {
  const runs = [1, 2, 4, 8].map((cpus) => run(cpus, 1e6 * cpus, 'ttas', [lock('ptl', cpus)]));
  const lines = report(runs, width).split('\n');
  const isPlot = (line: string): boolean => /[┤┼]/.test(line);
  for (const line of lines.filter((each) => !isPlot(each)))
    expect(line.length).toBeLessThanOrEqual(width);
});
