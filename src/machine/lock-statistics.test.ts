/** Lock statistics of whatever CPUs do: each figure is what was done, and sums are sums. */
import fc from 'fast-check';
import { afterEach, expect } from 'vitest';
import { setClock } from '#arena/clock';
import { CONTROL } from '#arena/layout/control';
import { LOCK_KINDS_MAX, LOCK_MODE } from '#arena/layout/lock-stat';
import { property } from '#base/property.suite';
import type { LockFigures, LockPlace } from '#result/lock-statistics';
import {
  lockStatAcquired,
  lockStatFailed,
  lockStatReleased,
  lockStatWaited,
  lockStatWaits,
} from '#sync/lock-stat';
import { TestMachine } from '#tasks/machine.suite';
import { LOCK } from '#trace/vocabulary';
import { classStatistics } from './lock-statistics.ts';

const NAMED = Array.from({ length: 8 }, (_, i) => ({ function: `f${i + 1}`, path: 'x', line: i }));
const GEOMETRY = { lockRecords: LOCK_KINDS_MAX + NAMED.length };
const { exclusive, shared } = LOCK_MODE;
/** Every hold takes so long (ns), so that the estimate of all is exact. */
const HOLD = 1000;

/** Site n takes locks of one of three kinds. */
const KINDS = [
  [LOCK.ptl, exclusive],
  [LOCK.mmap, exclusive],
  [LOCK.mmap, shared],
] as const;
const acts = fc.array(
  fc.record({
    kind: fc.constantFrom('take', 'take', 'wait', 'fail'),
    cpu: fc.nat(2),
    site: fc.integer({ min: 1, max: NAMED.length }),
    lock: fc.nat(3),
    ns: fc.oneof(fc.nat(2000), fc.nat(4_000_000_000)),
  }),
  { maxLength: 300 },
);
type Act = (typeof acts extends fc.Arbitrary<infer T> ? T : never) extends (infer E)[] ? E : never;

/** What was done at one site; blames by the holder's name. */
interface Done {
  taken: number;
  bounces: number;
  failed: number;
  contendedBounces: number;
  waits: number[];
  blames: Map<string, number>;
}

afterEach(() => setClock(null));

property([acts])('each figure is what was done, by site, by mode and by whom', (all) => {
  setClock(() => 0);
  const machine = new TestMachine({}, GEOMETRY);
  const done = doAll(machine, all);
  const classes = [LOCK.ptl, LOCK.mmap].flatMap(
    (lockClass) => classStatistics(machine.words, machine.map, NAMED, lockClass) ?? [],
  );
  const found = classes.flatMap(({ sites }) => sites);
  expect(found.map(({ place }) => called(place)).sort()).toEqual([...done.keys()].sort());
  for (const site of found) checkSite(site, done.get(called(site.place))!);
  for (const { modes, sites, contendedBy } of classes) {
    for (const figures of modes)
      checkSums(
        figures,
        sites.filter(({ mode }) => mode === figures.mode),
      );
    for (const { waiter, holder, waits } of contendedBy)
      expect(waits).toBe(done.get(called(waiter))!.blames.get(called(holder)));
    const waited = total(modes, (each) => each.waits.totalNs);
    expect(total(contendedBy, (each) => each.waitNs)).toBe(waited);
  }
});

/** Does all in one thread, and by the simplest means keeps account of it. */
function doAll(machine: TestMachine, all: readonly Act[]): Map<string, Done> {
  let now = 1;
  setClock(() => (now + 0.5) / 1e6);
  const done = new Map<string, Done>();
  const owners = new Map<number, { cpu: number; site: number }>();
  for (const { kind, cpu: id, site, lock, ns } of all) {
    const cpu = machine.cpu(id);
    const [lockClass, mode] = KINDS[site % KINDS.length]!;
    const lockp = CONTROL.torture + 16 * lock;
    const at = done.get(`f${site}`) ?? {
      ...{ taken: 0, bounces: 0, failed: 0, contendedBounces: 0 },
      ...{ waits: [] as number[], blames: new Map<string, number>() },
    };
    done.set(`f${site}`, at);
    if (kind === 'fail') {
      lockStatFailed(cpu, lockClass, mode, site);
      at.failed++;
      continue;
    }
    const owner = owners.get(lock);
    const isOthers = owner !== undefined && owner.cpu !== id;
    if (kind === 'wait') {
      lockStatWaits(cpu, lockp);
      lockStatWaited(cpu, lockClass, mode, ns, site);
      at.waits.push(ns);
      if (isOthers) at.contendedBounces++;
      const holder = isOthers ? `f${owner.site}` : '?';
      at.blames.set(holder, (at.blames.get(holder) ?? 0) + 1);
    }
    lockStatAcquired(cpu, lockp, lockClass, mode, site);
    at.taken++;
    if (isOthers) at.bounces++;
    owners.set(lock, { cpu: id, site });
    now += HOLD;
    lockStatReleased(cpu, lockp, lockClass);
  }
  return done;
}

function checkSite(site: LockFigures, done: Done): void {
  const { waits } = done;
  const isNone = waits.length === 0;
  expect(site).toMatchObject({
    ...{ acquisitions: done.taken, bounces: done.bounces, trylockFailed: done.failed },
    ...{ contended: waits.length, contendedBounces: done.contendedBounces },
    waits: {
      ...{ samples: waits.length, totalNs: total(waits, (ns) => ns) },
      ...{ shortestNs: isNone ? 0 : Math.min(...waits), longestNs: Math.max(0, ...waits) },
    },
  });
  let counted = 0;
  for (const [from, count] of site.waits.histogram) {
    expect(waits.filter((ns) => ns < from).length).toBe(counted);
    counted += count;
  }
  expect(counted).toBe(waits.length);
  if (done.taken > 0) expect(site.holds.samples).toBeGreaterThan(0);
  expect(site.holds.totalNs).toBe(HOLD * done.taken);
}

const COUNTS = [
  'acquisitions',
  'contended',
  'trylockFailed',
  'bounces',
  'contendedBounces',
] as const;

function checkSums(figures: LockFigures, sites: readonly LockFigures[]): void {
  for (const figure of COUNTS)
    expect(figures[figure], figure).toBe(total(sites, (each) => each[figure]));
  for (const times of ['waits', 'holds'] as const) {
    const of = figures[times];
    const timed = sites.map((each) => each[times]).filter(({ samples }) => samples > 0);
    for (const figure of ['samples', 'totalNs'] as const)
      expect(of[figure]).toBe(total(timed, (each) => each[figure]));
    if (timed.length === 0) continue;
    expect(of.shortestNs).toBe(Math.min(...timed.map(({ shortestNs }) => shortestNs)));
    expect(of.longestNs).toBe(Math.max(...timed.map(({ longestNs }) => longestNs)));
    const all = timed.flatMap(({ histogram }) => histogram);
    for (const [ns, count] of of.histogram) {
      const same = all.filter(([from]) => from === ns);
      expect(count).toBe(total(same, ([, n]) => n));
    }
    expect(total(of.histogram, ([, n]) => n)).toBe(total(all, ([, n]) => n));
  }
}

function called(place: LockPlace | null): string {
  return place?.function ?? '?';
}

function total<T>(all: readonly T[], figure: (each: T) => number): number {
  return all.reduce((sum, each) => sum + figure(each), 0);
}
