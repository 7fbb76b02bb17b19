/**
 * Lock statistics from the arena into the words of the result: the records of all CPUs together,
 * and under each lock class its modes, its call sites and who had what was waited for.
 */
import {
  LOCK_BLAME,
  LOCK_KINDS_MAX,
  LOCK_MODE,
  LOCK_SITE,
  LOCK_STAT,
  LOCK_TIMES,
  LOCKS_PER_SAMPLE,
} from '#arena/layout/lock-stat';
import { LATENCY_WORDS } from '#arena/layout/percpu';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import type { NamedLockSite } from '#derive/tree';
import type {
  LockBlame,
  LockFigures,
  LockMode,
  LockPlace,
  LockSite,
  LockStat,
  LockTimes,
} from '#result/lock-statistics';
import { durationIn } from '#trace/duration';
import { histogramValue } from '#trace/histogram';

/** Of one lock class. */
export interface ClassStatistics {
  readonly modes: LockFigures[];
  readonly sites: LockSite[];
  readonly contendedBy: LockBlame[];
}

/** What was counted of `lockClass`; null: nothing. */
export function classStatistics(
  words: Words,
  map: ArenaMap,
  named: readonly NamedLockSite[],
  lockClass: number,
): ClassStatistics | null {
  const sites: LockSite[] = [];
  const contendedBy: LockBlame[] = [];
  for (let record = 0; record < map.geometry.lockRecords; record++) {
    const places = recordPlaces(map, record);
    const kind = kindOf(words, places);
    if (kind === null || kind >> 1 !== lockClass) continue;
    const site = { place: placeOf(record, named), ...figuresOf(words, places, modeOf(kind)) };
    sites.push(site);
    contendedBy.push(...blamesOf(words, map, record, site, named));
  }
  if (sites.length === 0) return null;
  sites.sort((a, b) => b.acquisitions - a.acquisitions);
  contendedBy.sort((a, b) => b.waitNs - a.waitNs);
  return { modes: modesOf(sites), sites, contendedBy };
}

export function lockStatOf(words: Words, map: ArenaMap): LockStat {
  let clockNs = 0;
  for (let id = 0; id < map.geometry.cpus; id++)
    clockNs = Math.max(clockNs, words[blockOf(map, id) + LOCK_STAT.clockNs]!);
  return { locksPerSample: LOCKS_PER_SAMPLE, clockNs };
}

/** Where the lock statistics of CPU `id` begin. */
function blockOf(map: ArenaMap, id: number): number {
  return map.percpu + id * map.percpuWords + map.lockStat;
}

/** Record `record` of each CPU. */
function recordPlaces(map: ArenaMap, record: number): number[] {
  return Array.from(
    { length: map.geometry.cpus },
    (_, id) => blockOf(map, id) + LOCK_STAT.sizeWords + record * LOCK_SITE.sizeWords,
  );
}

/** Null: nothing was counted. */
function kindOf(words: Words, places: readonly number[]): number | null {
  const kinds = places.map((at) => words[at + LOCK_SITE.kind]!).filter((kind) => kind !== 0);
  return kinds.length === 0 ? null : kinds[0]! - 1;
}

function modeOf(kind: number): LockMode {
  return (kind & 1) === LOCK_MODE.shared ? 'shared' : 'exclusive';
}

function placeOf(record: number, named: readonly NamedLockSite[]): LockPlace | null {
  const index = record - LOCK_KINDS_MAX;
  return index < 0 ? null : { site: index + 1, ...named[index]! };
}

function figuresOf(words: Words, places: readonly number[], mode: LockMode): LockFigures {
  const sum = (offset: number): number =>
    places.reduce((total, at) => total + (words[at + offset]! >>> 0), 0);
  const acquisitions = sum(LOCK_SITE.acquisitions);
  const holds = timesOf(words, places, LOCK_SITE.holds);
  const weight = sum(LOCK_SITE.weight);
  const estimate = weight === 0 ? 0 : (holds.totalNs / weight) * acquisitions;
  return {
    mode,
    acquisitions,
    contended: sum(LOCK_SITE.waits + LOCK_TIMES.count),
    trylockFailed: sum(LOCK_SITE.trylockFailed),
    bounces: sum(LOCK_SITE.bounces),
    contendedBounces: sum(LOCK_SITE.contendedBounces),
    waits: timesOf(words, places, LOCK_SITE.waits),
    holds: { ...holds, totalNs: Math.round(estimate) },
  };
}

/** The times at `offset` of each of `records`. */
function timesOf(words: Words, records: readonly number[], offset: number): LockTimes {
  const timed = records.map((at) => at + offset).filter((at) => words[at + LOCK_TIMES.count] !== 0);
  const sum = (of: (at: number) => number): number => timed.reduce((all, at) => all + of(at), 0);
  const shortest = timed.map((at) => durationIn(words, at + LOCK_TIMES.shortest));
  const longest = timed.map((at) => durationIn(words, at + LOCK_TIMES.longest));
  const histogram: [ns: number, count: number][] = [];
  for (let slot = 0; slot < LATENCY_WORDS; slot++) {
    const count = sum((at) => words[at + LOCK_TIMES.buckets + slot]! >>> 0);
    if (count !== 0) histogram.push([histogramValue(slot), count]);
  }
  return {
    samples: sum((at) => words[at + LOCK_TIMES.count]! >>> 0),
    totalNs: sum((at) => durationIn(words, at + LOCK_TIMES.total)),
    shortestNs: timed.length === 0 ? 0 : Math.min(...shortest),
    longestNs: Math.max(0, ...longest),
    histogram,
  };
}

/** Whom the CPUs waited for at the site that `record` is of. */
function blamesOf(
  words: Words,
  map: ArenaMap,
  record: number,
  { place, mode }: LockSite,
  named: readonly NamedLockSite[],
): LockBlame[] {
  const { cpus, lockRecords } = map.geometry;
  const first = LOCK_STAT.sizeWords + lockRecords * LOCK_SITE.sizeWords;
  /** By the holder's site; 0: not known. */
  const blames = new Map<number, { waits: number; waitNs: number }>();
  for (let blamed = 0; blamed <= lockRecords; blamed++) {
    const offset = first + (record * (lockRecords + 1) + blamed) * LOCK_BLAME.sizeWords;
    const site = Math.max(blamed - LOCK_KINDS_MAX, 0);
    for (let id = 0; id < cpus; id++) {
      const at = blockOf(map, id) + offset;
      if (words[at + LOCK_BLAME.waits] === 0) continue;
      const { waits, waitNs } = blames.get(site) ?? { waits: 0, waitNs: 0 };
      blames.set(site, {
        waits: waits + (words[at + LOCK_BLAME.waits]! >>> 0),
        waitNs: waitNs + durationIn(words, at + LOCK_BLAME.waited),
      });
    }
  }
  return [...blames].map(([site, blame]) => ({
    ...{ waiter: place, mode },
    ...{ holder: site === 0 ? null : placeOf(LOCK_KINDS_MAX + site - 1, named) },
    ...blame,
  }));
}

/** The sites of each mode together, `exclusive` first. */
function modesOf(sites: readonly LockSite[]): LockFigures[] {
  return (['exclusive', 'shared'] as const).flatMap((mode) => {
    const [first, ...others] = sites.filter((site) => site.mode === mode);
    if (first === undefined) return [];
    const { place: _, ...figures } = first;
    return [others.reduce<LockFigures>(addFigures, figures)];
  });
}

function addFigures(a: LockFigures, b: LockFigures): LockFigures {
  return {
    mode: a.mode,
    acquisitions: a.acquisitions + b.acquisitions,
    contended: a.contended + b.contended,
    trylockFailed: a.trylockFailed + b.trylockFailed,
    bounces: a.bounces + b.bounces,
    contendedBounces: a.contendedBounces + b.contendedBounces,
    waits: addTimes(a.waits, b.waits),
    holds: addTimes(a.holds, b.holds),
  };
}

function addTimes(a: LockTimes, b: LockTimes): LockTimes {
  if (a.samples === 0) return b;
  if (b.samples === 0) return a;
  const counts = new Map(a.histogram);
  for (const [ns, count] of b.histogram) counts.set(ns, (counts.get(ns) ?? 0) + count);
  return {
    samples: a.samples + b.samples,
    totalNs: a.totalNs + b.totalNs,
    shortestNs: Math.min(a.shortestNs, b.shortestNs),
    longestNs: Math.max(a.longestNs, b.longestNs),
    histogram: [...counts].sort(([x], [y]) => x - y),
  };
}
