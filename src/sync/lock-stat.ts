/**
 * Lock statistics, after the kernel's lock_stat: by call site, how often locks are taken there, how
 * often in vain or after a wait, how long CPUs wait and hold, and who had what they waited for.
 *
 * A call site is where code calls `spinLock` and its like, or a function that takes a lock for its
 * caller (`pteOffsetMapLock`). Its number comes as the last argument `site`, which nobody writes:
 * the build adds it in the forms that keep statistics (derive/lock-sites.ts), and leaves the calls
 * of this module out of those that do not. So statements here cost nothing where nobody asks.
 *
 * What is counted always: acquisitions, failures, waits, and bounces, where the lock was another
 * CPU's before. Every wait is timed, since it is slow anyway. Of holds a sample is timed, since to
 * read the clock takes as long as a short hold: the first one at each site, and then one whenever
 * the CPU has taken `LOCKS_PER_SAMPLE` locks since, so that where a lock is taken seldom every hold
 * is timed. A hold that is timed stands for those since the one before, and is reported less what
 * reading the clock takes. Of a class one hold is timed at a time: one that is nested in it takes
 * its place.
 *
 * What it cannot see: who holds a semaphore is whoever entered it last; who has just taken a lock
 * and not said so yet is not to blame, but whoever had it before. Readers of a per-VMA lock take a
 * word of their own: they never bounce.
 *
 * Each CPU writes its own block; a lock's owner word is written where the lock word has just been,
 * and only if it changes. Nothing here is a step, and no protocol decides by it.
 */
import { boundMap, lockOwnerAt } from '#arena/arena';
import { nowNs } from '#arena/clock';
import type { CpuRef } from '#arena/gate';
import {
  LOCK_BLAME,
  LOCK_HOLD,
  LOCK_KINDS_MAX,
  LOCK_MODE,
  LOCK_OWNER,
  LOCK_SITE,
  LOCK_STAT,
  LOCK_TIMES,
  LOCKS_PER_SAMPLE,
} from '#arena/layout/lock-stat';
import { bump, peek, poke } from '#arena/word';
import { assert } from '#base/assert';
import { addDuration, peekDuration, pokeDuration, raiseDuration } from '#trace/duration';
import { latencySlot } from '#trace/latency';

/** The call site is not known. */
const NO_SITE = 0;

/** Rounds in which the clock's own time is measured, and readings of each. */
const CLOCK_ROUNDS = 40;
const CLOCK_READINGS = 250;

/** How many records there are; 0: no statistics are kept. */
let records = boundMap().geometry.lockRecords; // constant at load
let statAt = boundMap().lockStat; // constant at load
let recordsAt = statAt + LOCK_STAT.sizeWords; // constant at load
let blamesAt = recordsAt + records * LOCK_SITE.sizeWords; // constant at load

/** Keeps statistics from now on if the bound arena has room for them. */
export function bindLockStat(): void {
  const map = boundMap();
  records = map.geometry.lockRecords;
  statAt = map.lockStat;
  recordsAt = statAt + LOCK_STAT.sizeWords;
  blamesAt = recordsAt + records * LOCK_SITE.sizeWords;
}

/** Finds out what reading the clock takes, before anything is counted: the least of some rounds. */
export function lockStatCalibrate(cpu: CpuRef): void {
  if (records === 0) return;
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < CLOCK_ROUNDS; round++) {
    const began = nowNs();
    let now = began;
    for (let i = 0; i < CLOCK_READINGS; i++) now = nowNs();
    least = Math.min(least, (now - began) / CLOCK_READINGS);
  }
  poke(cpu.block + statAt + LOCK_STAT.clockNs, Math.round(least));
}

/** This CPU has taken the lock at `lockp`; `mode` is a value of `LOCK_MODE`. */
export function lockStatAcquired(
  cpu: CpuRef,
  lockp: number,
  lockClass: number,
  mode: number,
  site = NO_SITE,
): void {
  if (records === 0) return;
  const kind = 2 * lockClass + mode;
  const record = recordOf(site, kind);
  const at = placeOf(cpu, record);
  const ownerp = lockOwnerAt(lockp);
  const owner = ((cpu.id + 1) << LOCK_OWNER.cpuShift) | record;
  const before = peek(ownerp);
  if (before !== owner) {
    poke(ownerp, owner);
    const isOthers = before >>> LOCK_OWNER.cpuShift !== cpu.id + 1;
    if (before !== 0 && isOthers) bump(at + LOCK_SITE.bounces, 1);
  }
  if (countAcquisition(cpu, at)) beginHold(cpu, lockp, lockClass, record, kind);
}

/** This CPU has entered a VMA for reading, in a word of its own at `lockp`. */
export function lockStatEntered(
  cpu: CpuRef,
  lockp: number,
  lockClass: number,
  site = NO_SITE,
): void {
  if (records === 0) return;
  const kind = 2 * lockClass + LOCK_MODE.shared;
  const record = recordOf(site, kind);
  poke(cpu.block + statAt + LOCK_STAT.reads, record);
  if (countAcquisition(cpu, placeOf(cpu, record))) beginHold(cpu, lockp, lockClass, record, kind);
}

/** It is about to release the lock at `lockp`. */
export function lockStatReleased(cpu: CpuRef, lockp: number, lockClass: number): void {
  if (records === 0) return;
  const hold = holdAt(cpu, lockClass);
  if (peek(hold + LOCK_HOLD.lock) === lockp) endHold(cpu, hold);
}

/** It is about to release all locks of `lockClass` that it holds. */
export function lockStatReleasedAll(cpu: CpuRef, lockClass: number): void {
  if (records === 0) return;
  const hold = holdAt(cpu, lockClass);
  if (peek(hold + LOCK_HOLD.lock) !== 0) endHold(cpu, hold);
}

/** It has tried to take a lock, in vain. */
export function lockStatFailed(cpu: CpuRef, lockClass: number, mode: number, site = NO_SITE): void {
  if (records === 0) return;
  const kind = 2 * lockClass + mode;
  const at = placeOf(cpu, recordOf(site, kind));
  noteKind(at, kind);
  bump(at + LOCK_SITE.trylockFailed, 1);
}

/** It begins to wait for the lock at `lockp`. */
export function lockStatWaits(cpu: CpuRef, lockp: number): void {
  if (records === 0) return;
  poke(cpu.block + statAt + LOCK_STAT.holder, peek(lockOwnerAt(lockp)));
}

/** It begins to wait for CPU `id`, which is inside a VMA. */
export function lockStatWaitsForReader(cpu: CpuRef, id: number): void {
  if (records === 0) return;
  const { percpu, percpuWords } = boundMap();
  const record = peek(percpu + id * percpuWords + statAt + LOCK_STAT.reads);
  poke(cpu.block + statAt + LOCK_STAT.holder, ((id + 1) << LOCK_OWNER.cpuShift) | record);
}

/** The wait for a lock, which it has now, took `ns`. */
export function lockStatWaited(
  cpu: CpuRef,
  lockClass: number,
  mode: number,
  ns: number,
  site = NO_SITE,
): void {
  if (records === 0) return;
  const kind = 2 * lockClass + mode;
  const record = recordOf(site, kind);
  const at = placeOf(cpu, record);
  noteKind(at, kind);
  recordTime(at + LOCK_SITE.waits, ns, 1);
  const owner = peek(cpu.block + statAt + LOCK_STAT.holder);
  const isOthers = owner !== 0 && owner >>> LOCK_OWNER.cpuShift !== cpu.id + 1;
  if (isOthers) bump(at + LOCK_SITE.contendedBounces, 1);
  const blamed = isOthers ? 1 + (owner & LOCK_OWNER.recordMask) : 0;
  const blame = record * (records + 1) + blamed;
  const blamep = cpu.block + blamesAt + blame * LOCK_BLAME.sizeWords;
  bump(blamep + LOCK_BLAME.waits, 1);
  addDuration(blamep + LOCK_BLAME.waited, ns);
}

function recordOf(site: number, kind: number): number {
  return site === NO_SITE ? kind : LOCK_KINDS_MAX - 1 + site;
}

function placeOf(cpu: CpuRef, record: number): number {
  return cpu.block + recordsAt + record * LOCK_SITE.sizeWords;
}

function holdAt(cpu: CpuRef, lockClass: number): number {
  return cpu.block + statAt + LOCK_STAT.timed + lockClass * LOCK_HOLD.sizeWords;
}

/** Counts an acquisition in the record at `at`; true: it is to be timed. */
function countAcquisition(cpu: CpuRef, at: number): boolean {
  bump(at + LOCK_SITE.acquisitions, 1);
  const takenp = cpu.block + statAt + LOCK_STAT.taken;
  const taken = (peek(takenp) + 1) | 0;
  poke(takenp, taken);
  return ((taken - peek(at + LOCK_SITE.timedFrom)) | 0) >= 0;
}

/** The hold stands for all that were taken at its site since the latest that was timed. */
function beginHold(
  cpu: CpuRef,
  lockp: number,
  lockClass: number,
  record: number,
  kind: number,
): void {
  const at = placeOf(cpu, record);
  noteKind(at, kind);
  const acquisitions = peek(at + LOCK_SITE.acquisitions);
  const hold = holdAt(cpu, lockClass);
  poke(hold + LOCK_HOLD.lock, lockp);
  poke(hold + LOCK_HOLD.record, record);
  poke(hold + LOCK_HOLD.weight, (acquisitions - peek(at + LOCK_SITE.timedAt)) | 0);
  poke(at + LOCK_SITE.timedAt, acquisitions);
  const taken = peek(cpu.block + statAt + LOCK_STAT.taken);
  poke(at + LOCK_SITE.timedFrom, (taken + LOCKS_PER_SAMPLE) | 0);
  pokeDuration(hold + LOCK_HOLD.since, nowNs());
}

function endHold(cpu: CpuRef, hold: number): void {
  const now = nowNs();
  const clockNs = peek(cpu.block + statAt + LOCK_STAT.clockNs);
  const ns = Math.max(now - peekDuration(hold + LOCK_HOLD.since) - clockNs, 0);
  const weight = peek(hold + LOCK_HOLD.weight);
  const at = placeOf(cpu, peek(hold + LOCK_HOLD.record));
  poke(hold + LOCK_HOLD.lock, 0);
  bump(at + LOCK_SITE.weight, weight);
  recordTime(at + LOCK_SITE.holds, ns, weight);
}

function noteKind(at: number, kind: number): void {
  const known = peek(at + LOCK_SITE.kind);
  poke(at + LOCK_SITE.kind, kind + 1);
  assert(known === 0 || known === kind + 1, 'a call site takes locks of one class in one mode');
}

/** Records a time that stands for `weight` of its kind. */
function recordTime(at: number, ns: number, weight: number): void {
  const shortest = at + LOCK_TIMES.shortest;
  if (peek(at + LOCK_TIMES.count) === 0 || ns < peekDuration(shortest)) pokeDuration(shortest, ns);
  bump(at + LOCK_TIMES.count, 1);
  addDuration(at + LOCK_TIMES.total, weight * ns);
  raiseDuration(at + LOCK_TIMES.longest, ns);
  bump(at + LOCK_TIMES.buckets + latencySlot(ns), 1);
}
