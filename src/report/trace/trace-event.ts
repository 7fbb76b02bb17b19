/**
 * The trace of a run in the trace-event JSON format, which Perfetto and chrome://tracing open.
 *
 *     process            tracks
 *     the machine        phases and violations; grace periods; counters
 *     each CPU           what it does; RCU read sections; for each lock class, what it holds
 *     each kernel thread the same
 *
 * Slices on one track nest, since some viewers drop what does not: locks need not be released in
 * the order in which they were taken, so holds have tracks of their own (lanes.ts). Grace periods
 * overlap, and are asynchronous events. Times are microseconds, with three decimals.
 */
import type { Recorded, RunTrace, TraceTrack } from '#result/run-trace';
import { lanesOf } from './lanes.ts';
import { type Release, releasesOf } from './releases.ts';
import { type Details, type Instant, type Slice, type Slices, slicesOf } from './slices.ts';

/** What else stands in the file: which run it was. */
export type TraceHeading = Readonly<Record<string, string | number>>;

/** Characters of one piece of the text, or a little more. */
const PIECE = 1 << 16;
/** A process's number is that of its first track; its others follow. */
const MACHINE = 1;
const PROCESS_STEP = 100;
const PHASES_TID = 1;

/** The text, piece by piece. */
export function* traceEventText(trace: RunTrace, heading: TraceHeading): Generator<string> {
  const opening = JSON.stringify({ displayTimeUnit: 'ns', otherData: aboutTrace(trace, heading) });
  let piece = `${opening.slice(0, -1)},"traceEvents":[`;
  let separator = '\n';
  for (const event of traceEvents(trace)) {
    piece += separator + JSON.stringify(event);
    separator = ',\n';
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  yield `${piece}\n]}\n`;
}

/** One event of the format; which fields it has depends on its phase, `ph`. */
export type ExportedEvent = Readonly<Record<string, string | number | Details>>;

/** Of each track in order of time, but not across tracks, which viewers sort themselves. */
export function* traceEvents(trace: RunTrace): Generator<ExportedEvent> {
  yield* machineEvents(trace);
  const slices = trace.tracks.map((track) => slicesOf(track, trace.endNs));
  const tids = new Map<Slice, Track>();
  for (const [i, track] of trace.tracks.entries())
    yield* trackEvents((i + 1) * PROCESS_STEP, track, slices[i]!, tids);
  const completeNs = Math.max(0, ...trace.tracks.map(({ sinceNs }) => sinceNs));
  for (const [i, release] of releasesOf(slices, completeNs).entries())
    yield* arrow(i + 1, release, tids);
}

/** Which events of which track the file lacks, and whose run it is. */
function aboutTrace(trace: RunTrace, heading: TraceHeading): object {
  const about = ({ events, dropped, sinceNs }: Recorded<unknown>): object => ({
    events: events.length,
    dropped,
    completeSinceUs: sinceNs / 1000,
  });
  const tracks = trace.tracks.map((track) => [track.name, about(track)]);
  return {
    ...heading,
    protocol: trace.protocol,
    recorded: 'setup and main phase',
    eventsMax: trace.eventsMax,
    tracks: Object.fromEntries([...tracks, ['grace periods', about(trace.gracePeriods)]]),
  };
}

/** Where a slice is drawn. */
interface Track {
  readonly pid: number;
  readonly tid: number;
}

function* machineEvents(trace: RunTrace): Generator<ExportedEvent> {
  const at = { pid: MACHINE, tid: PHASES_TID };
  yield* named(MACHINE, 'machine');
  yield* namedTrack(at, 'phases');
  const phases = trace.phases.map((phase): Slice => ({ ...phase, category: 'phase', details: {} }));
  yield* nested(at, phases);
  for (const { kind, message } of trace.violations)
    yield instant(
      at,
      { name: kind, category: 'violation', ns: trace.endNs, details: { message } },
      'g',
    );
  for (const { ns, vmpteKiB, rssKiB, rcuBacklog } of trace.samples) {
    const counter = (name: string, args: Details): ExportedEvent => ({
      ...{ ph: 'C', name, pid: MACHINE, ts: ns / 1000, args },
    });
    yield counter('VmPTE', { KiB: vmpteKiB });
    yield counter('RSS', { KiB: rssKiB });
    yield counter('RCU backlog', { callbacks: rcuBacklog });
  }
  yield* gracePeriods(trace);
}

/** One that nobody saw end lasts to the end; one that was asked for earlier, from the beginning. */
function* gracePeriods({ gracePeriods: recorded, endNs }: RunTrace): Generator<ExportedEvent> {
  const { events, dropped, sinceNs } = recorded;
  const began = new Map<number, number>();
  for (const { ns, kind, epoch } of events) {
    if (kind === 'wanted') {
      if (!began.has(epoch)) began.set(epoch, ns);
      continue;
    }
    const beganNs = began.get(epoch) ?? (dropped > 0 && began.size === 0 ? sinceNs : null);
    began.delete(epoch);
    if (beganNs !== null) yield* gracePeriod(epoch, beganNs, ns, {});
  }
  for (const [epoch, beganNs] of began)
    yield* gracePeriod(epoch, beganNs, Math.max(beganNs, endNs), { unfinished: true });
}

function* gracePeriod(
  epoch: number,
  beganNs: number,
  endedNs: number,
  details: Details,
): Generator<ExportedEvent> {
  const event = { name: 'grace period', cat: 'rcu', id: epoch, pid: MACHINE, tid: MACHINE };
  yield { ph: 'b', ...event, ts: beganNs / 1000, args: { epoch, ...details } };
  yield { ph: 'e', ...event, ts: endedNs / 1000 };
}

/** The tracks of one CPU; `tids` learns where each hold and each wait is drawn. */
function* trackEvents(
  pid: number,
  track: TraceTrack,
  slices: Slices,
  tids: Map<Slice, Track>,
): Generator<ExportedEvent> {
  yield* named(pid, track.name);
  const groups: [name: string, slices: readonly Slice[]][] = [
    [track.name, slices.doings],
    ['RCU read sections', slices.sections],
    ...byClass(slices),
  ];
  let tid = pid;
  for (const [name, group] of groups) {
    // The first lane of the first group is there in any case: instants are drawn on it.
    const lanes = tid === pid && group.length === 0 ? [[]] : lanesOf(group);
    for (const [i, lane] of lanes.entries()) {
      const at = { pid, tid: tid++ };
      yield* namedTrack(at, i === 0 ? name : `${name} (${i + 1})`);
      for (const slice of lane) if ('lock' in slice) tids.set(slice, at);
      yield* nested(at, lane);
    }
  }
  for (const event of [...droppedMark(track), ...slices.instants])
    yield instant({ pid, tid: pid }, event, 't');
}

/** Holds of locks by their class, in the order in which the classes are met. */
function byClass({ holds }: Slices): [name: string, holds: Slice[]][] {
  const classes = new Map<string, Slice[]>();
  for (const hold of holds) {
    const name = `holds ${hold.lock.class}`;
    const known = classes.get(name);
    if (known === undefined) classes.set(name, [hold]);
    else known.push(hold);
  }
  return [...classes];
}

/** Where a track begins that lacks something. */
function droppedMark({ dropped, sinceNs }: TraceTrack): Instant[] {
  if (dropped === 0) return [];
  const details = { dropped };
  return [{ name: `${dropped} earlier events dropped`, category: 'trace', ns: sinceNs, details }];
}

/**
 * From a release to the wait that it ended. Each end lies inside of its slice, a nanosecond before
 * that is over; but a hold that lasted no time has no inside, and if it was where the wait ended,
 * the arrow is there too.
 */
function* arrow(
  id: number,
  { hold, wait }: Release,
  tids: ReadonlyMap<Slice, Track>,
): Generator<ExportedEvent> {
  const event = { name: 'released', cat: 'lock', id };
  const from = Math.max(hold.beganNs, hold.endedNs - 1);
  const to = Math.max(from, wait.beganNs, wait.endedNs - 1);
  yield { ph: 's', ...event, ...tids.get(hold)!, ts: from / 1000 };
  yield { ph: 'f', bp: 'e', ...event, ...tids.get(wait)!, ts: to / 1000 };
}

function* named(pid: number, name: string): Generator<ExportedEvent> {
  yield { ph: 'M', name: 'process_name', pid, args: { name } };
  yield { ph: 'M', name: 'process_sort_index', pid, args: { sort_index: pid } };
}

function* namedTrack({ pid, tid }: Track, name: string): Generator<ExportedEvent> {
  yield { ph: 'M', name: 'thread_name', pid, tid, args: { name } };
  yield { ph: 'M', name: 'thread_sort_index', pid, tid, args: { sort_index: tid } };
}

/**
 * The slices of a lane, outer ones before inner ones. A reader may add a duration to its beginning,
 * so the sum as a computer makes it must not be beyond the end of the outer slice, nor of this one.
 */
function* nested(at: Track, lane: readonly Slice[]): Generator<ExportedEvent> {
  const open: number[] = [];
  for (const { name, category, beganNs, endedNs, details } of lane) {
    const ts = beganNs / 1000;
    while (open.length > 0 && open.at(-1)! <= ts) open.pop();
    const end = Math.min(endedNs / 1000, open.at(-1) ?? Number.POSITIVE_INFINITY);
    const dur = durationUs(ts, end, (endedNs - beganNs) / 1000);
    open.push(ts + dur);
    const event = { ph: 'X', name, cat: category, ...at, ts, dur };
    yield Object.keys(details).length === 0 ? event : { ...event, args: details };
  }
}

/** `us` where it fits, else the most that does. */
function durationUs(from: number, to: number, us: number): number {
  let most = from + us <= to ? us : to - from;
  while (from + most > to) most *= 1 - Number.EPSILON / 2;
  return most;
}

function instant(at: Track, { name, category, ns, details }: Instant, s: string): ExportedEvent {
  return { ph: 'i', s, name, cat: category, ...at, ts: ns / 1000, args: details };
}
