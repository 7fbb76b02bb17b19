/**
 * The rings of the trace (trace/tracing.ts) into plain events, once nothing writes them any more: a
 * thread that was ended from outside may have left its last record half written, no other.
 */
import { clockOrigin } from '#arena/clock';
import { PHASE } from '#arena/layout/control';
import { DURATION } from '#arena/layout/percpu';
import {
  TRACE_DETAIL,
  TRACE_HEAD,
  TRACE_RECORD,
  TRACE_RING,
  wordsOfRing,
} from '#arena/layout/trace';
import type { ArenaMap } from '#arena/map';
import { tell } from '#arena/outside';
import type { Words } from '#arena/word';
import type { NamedLockSite } from '#derive/tree';
import type { GraceEvent, Recorded, RunTrace, TracedPhase, TraceTrack } from '#result/run-trace';
import type { Plan } from '#scenario/plan';
import { durationIn } from '#trace/duration';
import { TRACE } from '#trace/tracing';
import type { Verdict } from './judges.ts';
import { kthreadsOf } from './size.ts';
import { TraceDecoder } from './trace-decoder.ts';
import type { TraceSampler } from './trace-sampler.ts';

const NS_PER_SECOND = 1_000_000_000;

/** Before any thread begins: the time that all times in the trace are counted from. */
export function beginTrace(words: Words, map: ArenaMap, madeNs: number): void {
  const { seconds, ns } = clockOrigin();
  tellDuration(words, map.trace + TRACE_HEAD.origin, seconds, ns);
  const madeSeconds = Math.floor(madeNs / NS_PER_SECOND);
  const rest = madeNs - madeSeconds * NS_PER_SECOND;
  tellDuration(words, map.trace + TRACE_HEAD.made, madeSeconds, rest);
}

function tellDuration(words: Words, at: number, seconds: number, ns: number): void {
  tell(words, at + DURATION.seconds, seconds);
  tell(words, at + DURATION.ns, ns);
}

/** What a trace is made of beside the arena. */
export interface TraceSources {
  readonly plan: Plan;
  readonly lockSites: readonly NamedLockSite[];
  readonly sampler: TraceSampler;
  readonly verdicts: readonly Verdict[];
}

export function harvestTrace(words: Words, map: ArenaMap, sources: TraceSources): RunTrace {
  const { plan, sampler } = sources;
  const decoder = new TraceDecoder(map, plan, sources.lockSites);
  const names = trackNames(plan);
  const tracks = names.map((name, id): TraceTrack => {
    const ring = ringAt(words, map, id);
    return { name, ...recorded(words, ring, (at, kind) => decoder.event(words, at, kind)) };
  });
  const ring = graceRingAt(words, map, names.length);
  const gracePeriods = recorded(words, ring, (at, kind) => graceEvent(words, at, kind));
  const samples = sampler.document();
  const began = phasesBegan(words, map);
  const latest = tracks.map(({ events }) => events.at(-1)?.ns ?? 0);
  const endNs = Math.max(0, ...latest, gracePeriods.events.at(-1)?.ns ?? 0, began.get('fair') ?? 0);
  return {
    protocol: plan.protocol,
    eventsMax: map.geometry.traceEvents,
    endNs,
    phases: phasesOf(began, Math.max(endNs, samples.at(-1)?.ns ?? 0)),
    ...{ tracks, gracePeriods, samples },
    violations: sources.verdicts.map(({ kind, message }) => ({ kind, message })),
  };
}

function trackNames(plan: Plan): string[] {
  const cpus = Array.from({ length: plan.cpus }, (_, id) => `CPU ${id}`);
  return [...cpus, ...kthreadsOf(plan).map((role) => KTHREADS[role])];
}

const KTHREADS = { scanner: 'scanner thread', rcu: 'RCU thread' } as const;

/** Where a ring has its records, and which is the oldest; how many it keeps, and has dropped. */
interface Ring {
  readonly first: number;
  readonly size: number;
  readonly oldest: number;
  readonly kept: number;
  readonly dropped: number;
}

function ringAt(words: Words, map: ArenaMap, index: number): Ring {
  const size = map.geometry.traceEvents;
  const at = map.trace + TRACE_HEAD.sizeWords + index * wordsOfRing(size);
  const next = words[at + TRACE_RING.next]!;
  const laps = words[at + TRACE_RING.laps]!;
  const first = at + TRACE_RING.sizeWords;
  return laps === 0
    ? { first, size, oldest: 0, kept: next, dropped: 0 }
    : { first, size, oldest: next, kept: size, dropped: (laps - 1) * size + next };
}

/** There `next` counts on. */
function graceRingAt(words: Words, map: ArenaMap, index: number): Ring {
  const ring = ringAt(words, map, index);
  const total = words[ring.first - TRACE_RING.sizeWords + TRACE_RING.next]! >>> 0;
  const kept = Math.min(total, ring.size);
  const oldest = total > ring.size ? total % ring.size : 0;
  return { ...ring, oldest, kept, dropped: total - kept };
}

/** The events of `ring`; `decode` is given the place and the kind of a record; null: it is none. */
function recorded<Event extends { readonly ns: number }>(
  words: Words,
  ring: Ring,
  decode: (at: number, kind: number) => Event | null,
): Recorded<Event> {
  const events: Event[] = [];
  for (let i = 0; i < ring.kept; i++) {
    const index = (ring.oldest + i) % ring.size;
    const at = ring.first + index * TRACE_RECORD.sizeWords;
    const event = decode(at, words[at + TRACE_RECORD.kind]! & TRACE_DETAIL.mask);
    if (event !== null) events.push(event);
  }
  // A CPU's own clock does not go back; in the ring of all CPUs two may have changed places.
  events.sort((a, b) => a.ns - b.ns);
  const sinceNs = ring.dropped === 0 ? 0 : (events[0]?.ns ?? 0);
  return { events, dropped: ring.dropped, sinceNs };
}

function graceEvent(words: Words, at: number, kind: number): GraceEvent | null {
  if (kind !== TRACE.graceWanted && kind !== TRACE.graceOver) return null;
  const ns = durationIn(words, at + TRACE_RECORD.time);
  const epoch = words[at + TRACE_RECORD.a]!;
  return { ns, kind: kind === TRACE.graceWanted ? 'wanted' : 'over', epoch };
}

type PhaseName = Exclude<keyof typeof PHASE, 'boot' | 'done'>;

const PHASES: readonly PhaseName[] = ['setup', 'main', 'fair', 'exit'];

/** In order; a phase that never began is not there. */
function phasesBegan(words: Words, map: ArenaMap): Map<PhaseName, number> {
  const began = new Map<PhaseName, number>();
  for (const name of PHASES) {
    const at = map.trace + TRACE_HEAD.phaseBegan + PHASE[name] * DURATION.sizeWords;
    const ns = durationIn(words, at);
    if (ns !== 0) began.set(name, ns);
  }
  return began;
}

/** Each lasts until the next begins, the last of them to the end of what is known. */
function phasesOf(began: ReadonlyMap<PhaseName, number>, endNs: number): TracedPhase[] {
  const all = [...began];
  return all.map(([name, beganNs], i) => {
    const endedNs = all[i + 1]?.[1] ?? Math.max(beganNs, endNs);
    return { name, beganNs, endedNs };
  });
}
