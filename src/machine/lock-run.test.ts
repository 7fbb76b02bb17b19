/**
 * Lock statistics of runs on real threads: where it is known how often locks are taken, they say
 * so; elsewhere what is counted in two ways is the same.
 */

import { describe, expect, test } from 'vitest';
import { editNamed } from '#catalogue/named.suite';
import { readLockSites } from '#derive/tree';
import { ensureVariant } from '#derive/variants';
import type { LockSite } from '#result/lock-statistics';
import type { LockSummary, Run } from '#result/result';
import { mapOf } from '#scenario/map-op.suite';
import type { Op, Plan, Region } from '#scenario/plan';
import { planOf } from '#tasks/machine.suite';
import type { Judges } from './judges.ts';
import { runPlan } from './run.ts';
import { livingEntry } from './threads.ts';

const JUDGES: Judges = {
  judge: () => [],
  findDeadlock: () => null,
  findStall: () => null,
  tellLivelock: () => ({ kind: 'livelock', message: 'stuck', cpus: [], replay: null }),
};
const REGIONS: Region[] = [{ name: 'heap', pages: 64, flags: [], gapPages: 0 }];
const HEAP = { region: 0, share: 'all', extent: 'whole' } as const;
const ROUND: readonly Op[] = [
  { op: 'touch', access: 'write', ...HEAP, pages: 'every' },
  { op: 'dontneed', ...HEAP },
];

function run(changes: Partial<Plan>, entry?: string): Promise<Run> {
  const plan = planOf({
    ...{ lockStat: true, regions: REGIONS, setup: [mapOf(0)], ...changes },
  });
  return runPlan(plan, { judges: JUDGES, deadlineMs: 60_000, ...(entry && { entry }) });
}

/** The same for each CPU, until the run is told to stop. */
function forever(cpus: number, ...ops: readonly Op[]): Partial<Plan> {
  const column: Op[] = [{ op: 'loop', times: null, do: ops }];
  return { cpus, columns: Array.from({ length: cpus }, () => column), durationMs: 500 };
}

/** Acquisitions by class, mode and function. */
function taken({ locks }: Run): Record<string, number> {
  const all: Record<string, number> = {};
  for (const { class: name, sites = [] } of locks)
    for (const { mode, place, acquisitions } of sites) {
      const key = `${name} ${mode} ${place?.function}`;
      all[key] = (all[key] ?? 0) + acquisitions;
    }
  return all;
}

function total<T>(all: readonly T[], figure: (each: T) => number): number {
  return all.reduce((sum, each) => sum + figure(each), 0);
}

test('one CPU takes as many locks as its plan says, where it says so', async () => {
  const rounds = 300;
  const columns: Op[][] = [[{ op: 'loop', times: rounds, do: ROUND }]];
  const found = await run({ cpus: 1, columns });
  expect([found.exit, found.note]).toEqual(['pass', null]);
  // Eight tables of eight pages, which stay until the end: each round faults in all pages, one
  // after another, and zaps table by table; so does the end of the process, once.
  expect(taken(found)).toMatchObject({
    'vma shared doUserAddrFault': 64 * rounds,
    'ptl exclusive doAnonymousPage': 64 * rounds,
    'vma shared underVmaLock': rounds,
    'ptl exclusive zapPteRange': 8 * rounds + 8,
    'pml exclusive pteAlloc': 8,
    'mmap exclusive mmapRegion': 1,
    'mmap exclusive exitMmap': 1,
    'vma exclusive unmapLocked': 1,
    'anon-vma exclusive unlinkAnonVmas': 1,
  });
  const ptl = found.locks.find((lock) => lock.class === 'ptl')!;
  expect(ptl).toMatchObject({ acquisitions: 72 * rounds + 8, contended: 0, bounces: 0 });
  expect(ptl.holdSamples).toBeGreaterThan(rounds);
  expect(ptl.holdNs).toBeGreaterThan(0);
  const [zap] = ptl.sites!.filter(({ place }) => place?.function === 'zapPteRange');
  expect(zap!.place).toMatchObject({ path: 'mm/zap.ts' });
});

/** What the statistics count, and what is counted in any case, is the same. */
function checkSums(lock: LockSummary): void {
  const { sites = [], modes = [], contendedBy = [] } = lock;
  const sums: [figure: number, of: (each: (typeof modes)[0]) => number][] = [
    [lock.acquisitions, (each) => each.acquisitions],
    [lock.contended, (each) => each.contended],
    [lock.trylockFailed, (each) => each.trylockFailed],
    [lock.waitNs, (each) => each.waits.totalNs],
    [lock.bounces!, (each) => each.bounces],
    [lock.holdNs!, (each) => each.holds.totalNs],
    [lock.holdSamples!, (each) => each.holds.samples],
  ];
  for (const [figure, of] of sums) {
    expect(total(sites, of), `${lock.class}: ${of}`).toBe(figure);
    expect(total(modes, of), `${lock.class}: ${of}`).toBe(figure);
  }
  expect(total(contendedBy, (each) => each.waits)).toBe(lock.contended);
  expect(total(contendedBy, (each) => each.waitNs)).toBe(lock.waitNs);
  for (const site of sites) expect(site.place, lock.class).not.toBeNull();
}

describe('several CPUs', () => {
  test.each([
    ['none', 0],
    ['pt-reclaim', 0],
    ['table-rwsem', 0],
    ['pt-reclaim', 20],
  ])('have sums that agree under %s with noise %d', async (protocol, noise) => {
    const options = protocol === 'table-rwsem' ? { granularity: 'mm', free: 'rcu' } : {};
    const found = await run({ ...forever(4, ...ROUND), protocol, options, noise });
    expect([found.exit, found.note]).toEqual(['pass', null]);
    expect(found.locks.length).toBeGreaterThan(5);
    for (const lock of found.locks) checkSums(lock);
    expect(found.locks.find((lock) => lock.class === 'ptl')!.bounces).toBeGreaterThan(0);
  });

  test('wait for a semaphore in either mode', async () => {
    const modes = ['exclusive', 'shared'] as const;
    const sites = await torture('rwsem', (found) =>
      modes.every((mode) => {
        const { acquisitions, ...site } = found[`tortureRwsem ${mode}`]!;
        return acquisitions > 10 && site.contended * site.bounces * site.contendedBounces > 0;
      }),
    );
    for (const mode of modes) {
      const { acquisitions, ...site } = sites[`tortureRwsem ${mode}`]!;
      expect(acquisitions).toBeGreaterThanOrEqual(site.contended);
      expect(site.contended).toBeGreaterThanOrEqual(site.contendedBounces);
    }
  });

  test('find a VMA locked, and wait for its readers', async () => {
    const sites = await torture('vma-lock', (found) => {
      return found['tortureVmaLock shared']!.trylockFailed > 0;
    });
    expect(sites['tortureVmaLock exclusive']!.acquisitions).toBeGreaterThan(0);
  });

  test('wait for a spinlock, and know for whom', async () => {
    const at = 'tortureSpinlock exclusive';
    const sites = await torture('ttas', (found) => found[at]!.contended > 0);
    const { waits } = sites[at]!;
    expect(waits.longestNs).toBeGreaterThanOrEqual(waits.shortestNs);
    expect(waits.shortestNs).toBeGreaterThan(0);
  });
});

/** Runs of half a second until one has seen what chance decides: mostly the first. */
const TRIES = 40;

/** Tortures `lock` until `isSeen` in the statistics of its call sites; these are returned. */
async function torture(
  lock: 'rwsem' | 'vma-lock' | 'ttas',
  isSeen: (sites: Readonly<Record<string, LockSite>>) => boolean,
): Promise<Readonly<Record<string, LockSite>>> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const { locks } = await run(forever(3, { op: 'locktorture', lock }));
    for (const each of locks) checkSums(each);
    const all = locks.flatMap(({ sites }) => sites ?? []);
    const sites = Object.fromEntries(all.map((site) => [nameOf(site), site]));
    if (isSeen(sites)) return sites;
  }
  throw new Error(`not seen in ${TRIES} runs`);
}

function nameOf({ place, mode }: LockSite): string {
  return `${place?.function} ${mode}`;
}

test('a broken version has call sites of its own', async () => {
  // It takes the ptl a second time.
  const { plain } = await ensureVariant(editNamed('scan-drops-ptl'));
  const entry = new URL('tasks/entry.js', plain).href;
  const sites = readLockSites(entry).filter((site) => site.function === 'unhookIfEmpty');
  const living = readLockSites(livingEntry(false, true)).filter(
    (site) => site.function === 'unhookIfEmpty',
  );
  expect([sites.length, living.length]).toEqual([3, 2]);
  const found = await run(forever(2, ...ROUND), entry);
  for (const lock of found.locks) checkSums(lock);
  expect(taken(found)['ptl exclusive doAnonymousPage']).toBeGreaterThan(0);
});

test('a run that is not asked for statistics has none', async () => {
  const found = await run({ ...forever(2, ...ROUND), lockStat: false });
  expect(found.lockStat).toBeNull();
  for (const lock of found.locks) {
    expect([lock.bounces, lock.holdNs]).toEqual([null, null]);
    for (const field of ['modes', 'sites', 'contendedBy', 'holdSamples'])
      expect(lock).not.toHaveProperty(field);
  }
});
