/**
 * The trace of a run: what each CPU does, and when, for a timeline. A CPU writes records into a
 * ring of its own, so the latest remain; nothing here is a step, and no protocol decides by it.
 *
 * A function of this module is called as a statement of its own. The build leaves these statements
 * out of the forms that observe nothing (derive/lock-sites.ts), so they cost nothing where nobody
 * asks for a trace; where lock statistics alone are asked for, the machine has no rings, and they
 * cost a comparison with a constant.
 *
 * What is told: setup and the main phase. What comes after would push out of the rings what the run
 * is about. Beginnings and ends are records of their own, and an end says what it is the end of as
 * far as it can, since its beginning may be gone from the ring.
 */
import { boundMap } from '#arena/arena';
import { clockOrigin, nowNs } from '#arena/clock';
import type { CpuRef } from '#arena/gate';
import { CONTROL, PHASE } from '#arena/layout/control';
import { DURATION } from '#arena/layout/percpu';
import {
  TRACE_DETAIL,
  TRACE_HEAD,
  TRACE_RECORD,
  TRACE_RING,
  wordsOfRing,
} from '#arena/layout/trace';
import { peek, poke, quietAdd } from '#arena/word';
import { peekDuration, pokeDuration } from './duration.ts';

/** Kinds of records; details and words follow the name. */
export const TRACE = {
  none: 0,
  /** An event of the other ring (trace/ring.ts): its kind word, and its two words. */
  event: 1,
  /** An operation that is no event: which (`ROUNDS`). */
  round: 2,
  operationEnd: 3,
  /** Actor. */
  enter: 4,
  leave: 5,
  /** Class; place of the lock (of a per-VMA lock, the VMA), call site. */
  lockWait: 6,
  lockWaitEnd: 7,
  /** Class, mode; place, call site. */
  acquired: 8,
  released: 9,
  /** Class: all locks of it that are held exclusively. */
  releasedAll: 10,
  /** Place of the word waited for. */
  wordWait: 11,
  wordWaitEnd: 12,
  section: 13,
  sectionEnd: 14,
  /** Kind of race, who noticed, who caused it. */
  race: 15,
  /** Kind of fact. */
  fact: 16,
  /** In the ring of the grace periods: the epoch at which one ends. */
  graceWanted: 17,
  graceOver: 18,
} as const;

/** Operations of scenarios that leave no event in the other ring; order is identity. */
export const ROUNDS = [
  'rendezvous',
  'rcutorture reader',
  'rcutorture writer',
  'locktorture',
] as const;
export const ROUND = { rendezvous: 0, rcuReader: 1, rcuWriter: 2, lock: 3 } as const;

const NS_PER_SECOND = 1_000_000_000;
/** The call site is not known (derive/lock-sites.ts fills it in). */
const NO_SITE = 0;

/** Records in each ring; 0: there is no trace. */
let events = boundMap().geometry.traceEvents; // constant at load
let headAt = boundMap().trace; // constant at load
let ringsAt = headAt + TRACE_HEAD.sizeWords; // constant at load
let ringWords = wordsOfRing(events); // constant at load
let graceRing = ringsAt + boundMap().geometry.cpus * ringWords; // constant at load
/** What is added to this thread's clock. */
let offsetNs = offsetOf(); // constant at load

/** Traces from now on if the bound arena has room for it. */
export function bindTracing(): void {
  const map = boundMap();
  events = map.geometry.traceEvents;
  headAt = map.trace;
  ringsAt = headAt + TRACE_HEAD.sizeWords;
  ringWords = wordsOfRing(events);
  graceRing = ringsAt + map.geometry.cpus * ringWords;
  offsetNs = offsetOf();
}

function offsetOf(): number {
  if (events === 0) return 0;
  const { seconds, ns } = clockOrigin();
  const origin = headAt + TRACE_HEAD.origin;
  const later = (seconds - peek(origin + DURATION.seconds)) * NS_PER_SECOND;
  return later + ns - peek(origin + DURATION.ns) - peekDuration(headAt + TRACE_HEAD.made);
}

/** A phase of the run (a value of `PHASE`) begins. One CPU says so for all. */
export function tracePhase(phase: number): void {
  if (events === 0) return;
  pokeDuration(headAt + TRACE_HEAD.phaseBegan + phase * DURATION.sizeWords, nowNs() + offsetNs);
}

/** An event of the other ring, in whose words it is told. */
export function traceEvent(cpu: CpuRef, kindWord: number, a: number, b: number): void {
  if (events === 0) return;
  record(cpu, TRACE.event, kindWord, a, b);
}

/** An operation begins that is none of those events; `round` is a value of `ROUND`. */
export function traceRound(cpu: CpuRef, round: number): void {
  if (events === 0) return;
  record(cpu, TRACE.round, round, 0, 0);
}

/** The operation ends, whichever it is. */
export function traceOperationEnd(cpu: CpuRef): void {
  if (events === 0) return;
  record(cpu, TRACE.operationEnd, 0, 0, 0);
}

/** This CPU begins to do what `actor` says. */
export function traceEnter(cpu: CpuRef, actor: number): void {
  if (events === 0) return;
  record(cpu, detailed(TRACE.enter, actor, 0, 0), 0, 0, 0);
}

export function traceLeave(cpu: CpuRef, actor: number): void {
  if (events === 0) return;
  record(cpu, detailed(TRACE.leave, actor, 0, 0), 0, 0, 0);
}

/** It begins to wait for a lock. `lockp`: place of the lock; of a per-VMA lock, the VMA. */
export function traceLockWait(cpu: CpuRef, lockp: number, lockClass: number, site = NO_SITE): void {
  if (events === 0) return;
  record(cpu, detailed(TRACE.lockWait, lockClass, 0, 0), lockp, site, 0);
}

export function traceLockWaitEnd(cpu: CpuRef, lockp: number, lockClass: number): void {
  if (events === 0) return;
  record(cpu, detailed(TRACE.lockWaitEnd, lockClass, 0, 0), lockp, 0, 0);
}

/** It has taken a lock; `mode` is a value of `LOCK_MODE`. */
export function traceAcquired(
  cpu: CpuRef,
  lockp: number,
  lockClass: number,
  mode: number,
  site = NO_SITE,
): void {
  if (events === 0) return;
  record(cpu, detailed(TRACE.acquired, lockClass, mode, 0), lockp, site, 0);
}

/** It is about to release a lock. */
export function traceReleased(cpu: CpuRef, lockp: number, lockClass: number): void {
  if (events === 0) return;
  record(cpu, detailed(TRACE.released, lockClass, 0, 0), lockp, 0, 0);
}

/** The same of all locks of the class that it holds exclusively. */
export function traceReleasedAll(cpu: CpuRef, lockClass: number): void {
  if (events === 0) return;
  record(cpu, detailed(TRACE.releasedAll, lockClass, 0, 0), 0, 0, 0);
}

/** It begins to wait until the word `at` changes; part of another wait, or one of its own. */
export function traceWordWait(cpu: CpuRef, at: number): void {
  if (events === 0) return;
  record(cpu, TRACE.wordWait, at, 0, 0);
}

export function traceWordWaitEnd(cpu: CpuRef, at: number): void {
  if (events === 0) return;
  record(cpu, TRACE.wordWaitEnd, at, 0, 0);
}

/** An RCU read section begins inside `nesting` others; the outermost is told. */
export function traceSection(cpu: CpuRef, nesting: number): void {
  if (events === 0 || nesting !== 0) return;
  record(cpu, TRACE.section, 0, 0, 0);
}

export function traceSectionEnd(cpu: CpuRef, nesting: number): void {
  if (events === 0 || nesting !== 0) return;
  record(cpu, TRACE.sectionEnd, 0, 0, 0);
}

export function traceRace(cpu: CpuRef, kind: number, noticedBy: number, causedBy: number): void {
  if (events === 0) return;
  record(cpu, detailed(TRACE.race, kind, noticedBy, causedBy), 0, 0, 0);
}

export function traceFact(cpu: CpuRef, kind: number): void {
  if (events === 0) return;
  record(cpu, detailed(TRACE.fact, kind, 0, 0), 0, 0, 0);
}

/** Somebody wants the grace period that ends with epoch `end`, and is the first if it is news. */
export function traceGraceWanted(end: number): void {
  if (events === 0) return;
  if (((end - peek(CONTROL.rcuWanted)) | 0) > 0) recordGrace(TRACE.graceWanted, end);
}

/** It is over: the epoch is `end`. */
export function traceGraceOver(end: number): void {
  if (events === 0) return;
  recordGrace(TRACE.graceOver, end);
}

function detailed(kind: number, first: number, second: number, third: number): number {
  const { first: one, second: two, third: three } = TRACE_DETAIL;
  return kind | (first << one) | (second << two) | (third << three);
}

/** The oldest record goes. */
function record(cpu: CpuRef, kind: number, a: number, b: number, c: number): void {
  if (peek(CONTROL.phase) > PHASE.main) return;
  const ring = ringsAt + cpu.id * ringWords;
  const next = peek(ring + TRACE_RING.next);
  write(ring, next, kind, a, b, c);
  const isFull = next + 1 === events;
  poke(ring + TRACE_RING.next, isFull ? 0 : next + 1);
  if (isFull) poke(ring + TRACE_RING.laps, peek(ring + TRACE_RING.laps) + 1);
}

function recordGrace(kind: number, end: number): void {
  if (peek(CONTROL.phase) > PHASE.main) return;
  const next = quietAdd(graceRing + TRACE_RING.next, 1) >>> 0;
  write(graceRing, next % events, kind, end, 0, 0);
}

function write(ring: number, index: number, kind: number, a: number, b: number, c: number): void {
  const at = ring + TRACE_RING.sizeWords + index * TRACE_RECORD.sizeWords;
  poke(at + TRACE_RECORD.kind, kind);
  pokeDuration(at + TRACE_RECORD.time, nowNs() + offsetNs);
  poke(at + TRACE_RECORD.a, a);
  poke(at + TRACE_RECORD.b, b);
  poke(at + TRACE_RECORD.c, c);
}
