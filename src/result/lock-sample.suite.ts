/** Locks with statistics, made up for tests; consistent with each other. */
import type { LockPlace, LockTimes } from './lock-statistics.ts';
import type { LockSummary, Run } from './result.ts';

export const FAULT: LockPlace = {
  ...{ site: 2, function: 'doAnonymousPage', path: 'mm/fault.ts', line: 97 },
};
export const ZAP: LockPlace = {
  ...{ site: 64, function: 'zapPteRange', path: 'mm/zap.ts', line: 86 },
};
export const NO_TIMES: LockTimes = {
  ...{ samples: 0, totalNs: 0, shortestNs: 0, longestNs: 0, histogram: [] },
};

export function times(...ns: number[]): LockTimes {
  const sorted = ns.toSorted((a, b) => a - b);
  return {
    samples: ns.length,
    totalNs: ns.reduce((sum, each) => sum + each, 0),
    shortestNs: sorted[0] ?? 0,
    longestNs: sorted.at(-1) ?? 0,
    histogram: sorted.map((each): [number, number] => [each, 1]),
  };
}

/** A spinlock that was waited for, and a semaphore that was not. */
export function sampleLocks(): Pick<Run, 'locks' | 'lockStat'> {
  const fault = {
    ...{ mode: 'exclusive' as const, acquisitions: 1000, contended: 3, trylockFailed: 0 },
    ...{ bounces: 40, contendedBounces: 2, waits: times(250, 1_234_567, 90_000) },
    holds: { ...times(20, 40), totalNs: 30_000 },
  };
  const zap = {
    ...{ mode: 'exclusive' as const, acquisitions: 7, contended: 1, trylockFailed: 0 },
    ...{ bounces: 6, contendedBounces: 1, waits: times(4096), holds: times(2600, 3400) },
  };
  const ptl = {
    ...{ mode: 'exclusive' as const, acquisitions: 1007, contended: 4, trylockFailed: 0 },
    ...{ bounces: 46, contendedBounces: 3, waits: times(250, 4096, 90_000, 1_234_567) },
    holds: { ...times(20, 40, 2600, 3400), totalNs: 36_000 },
  };
  const write = {
    ...{ mode: 'exclusive' as const, acquisitions: 2, contended: 0, trylockFailed: 0 },
    ...{ bounces: 1, contendedBounces: 0, waits: NO_TIMES, holds: times(5_000_000_000, 100) },
  };
  const read = { ...write, mode: 'shared' as const, acquisitions: 1, holds: times(750) };
  const locks: LockSummary[] = [
    {
      ...{ class: 'mmap', acquisitions: 3, contended: 0, trylockFailed: 0, bounces: 2 },
      ...{ waitNs: 0, holdNs: 5_000_000_850, holdSamples: 3, modes: [write, read] },
      ...{ sites: [write, read].map((each) => ({ place: null, ...each })), contendedBy: [] },
    },
    {
      ...{ class: 'ptl', acquisitions: 1007, contended: 4, trylockFailed: 0, bounces: 46 },
      ...{ waitNs: 1_328_913, holdNs: 36_000, holdSamples: 4, modes: [ptl] },
      sites: [
        { place: FAULT, ...fault },
        { place: ZAP, ...zap },
      ],
      contendedBy: [
        { waiter: FAULT, mode: 'exclusive', holder: ZAP, waits: 2, waitNs: 1_324_567 },
        { waiter: ZAP, mode: 'exclusive', holder: FAULT, waits: 1, waitNs: 4096 },
        { waiter: FAULT, mode: 'exclusive', holder: null, waits: 1, waitNs: 250 },
      ],
    },
  ];
  return { locks, lockStat: { locksPerSample: 127, clockNs: 41 } };
}
