/**
 * For tests: what a trace file is, by the published description of the trace-event format as far as
 * we use it, and the rules that a viewer relies on and no schema can say.
 */
import { z } from 'zod';
import type { RunTrace } from '#result/run-trace';
import { traceEventText } from './trace-event.ts';

const us = z.number().nonnegative();
const id = z.int().positive();
const track = { pid: id, tid: id };
const details = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const naming = z.strictObject({ name: z.string().min(1) });
const sorting = z.strictObject({ sort_index: z.int() });

const metadata = z.union([
  z.strictObject({ ph: z.literal('M'), name: z.literal('process_name'), pid: id, args: naming }),
  z.strictObject({
    ...{ ph: z.literal('M'), name: z.literal('process_sort_index'), pid: id, args: sorting },
  }),
  z.strictObject({ ph: z.literal('M'), name: z.literal('thread_name'), ...track, args: naming }),
  z.strictObject({
    ...{ ph: z.literal('M'), name: z.literal('thread_sort_index'), ...track, args: sorting },
  }),
]);
const complete = z.strictObject({
  ...{ ph: z.literal('X'), name: z.string().min(1), ...track, ts: us, dur: us },
  cat: z.enum(['operation', 'actor', 'wait', 'lock', 'rcu', 'phase']),
  args: details.optional(),
});
const instant = z.strictObject({
  ...{ ph: z.literal('i'), s: z.enum(['t', 'g']), name: z.string().min(1), ...track, ts: us },
  cat: z.enum(['race', 'fact', 'table', 'violation', 'trace']),
  args: details,
});
const counter = z.strictObject({
  ...{ ph: z.literal('C'), name: z.string().min(1), pid: id, ts: us },
  args: z.record(z.string(), z.number()),
});
const asynchronous = { name: z.string().min(1), cat: z.string(), id: z.int(), ...track, ts: us };
const begin = z.strictObject({ ph: z.literal('b'), ...asynchronous, args: details });
const end = z.strictObject({ ph: z.literal('e'), ...asynchronous });
const flowFrom = z.strictObject({ ph: z.literal('s'), ...asynchronous });
const flowTo = z.strictObject({ ph: z.literal('f'), bp: z.literal('e'), ...asynchronous });

const ring = z.strictObject({
  events: z.int(),
  dropped: z.int().nonnegative(),
  completeSinceUs: us,
});

export const traceFile = z.strictObject({
  displayTimeUnit: z.literal('ns'),
  otherData: z.looseObject({
    protocol: z.string(),
    recorded: z.string(),
    eventsMax: id,
    tracks: z.record(z.string(), ring),
  }),
  traceEvents: z.array(
    z.union([metadata, complete, instant, counter, begin, end, flowFrom, flowTo]),
  ),
});

export type TraceFile = z.infer<typeof traceFile>;
type Event = TraceFile['traceEvents'][number];
type Of<Phase extends Event['ph']> = Extract<Event, { ph: Phase }>;

/** The file that a trace comes to, read back. */
export function fileOf(trace: RunTrace): TraceFile {
  return traceFile.parse(JSON.parse([...traceEventText(trace, { command: 'test' })].join('')));
}

export function eventsOf<Phase extends Event['ph']>(file: TraceFile, ph: Phase): Of<Phase>[] {
  return file.traceEvents.filter((event): event is Of<Phase> => event.ph === ph);
}

/** Every breach of a rule, in words; none for a file that viewers draw as it is meant. */
export function problemsOf(file: TraceFile): string[] {
  return [
    ...unnamed(file),
    ...unnested(file),
    ...unpaired(file, 'b', 'e'),
    ...unpaired(file, 's', 'f'),
    ...looseArrows(file),
    ...wrongCounters(file),
  ];
}

const ns = (time: number): number => Math.round(time * 1000);
const place = ({ pid, tid }: { pid: number; tid: number }): string => `${pid}/${tid}`;

function unnamed(file: TraceFile): string[] {
  const processes = new Map<number, number>();
  const tracks = new Map<number, number>();
  for (const event of eventsOf(file, 'M')) {
    if (event.name === 'process_name')
      processes.set(event.pid, 1 + (processes.get(event.pid) ?? 0));
    if (event.name !== 'thread_name') continue;
    if (tracks.has(event.tid)) return [`track ${event.tid} is named twice`];
    tracks.set(event.tid, event.pid);
  }
  return file.traceEvents.flatMap((event) => {
    if (processes.get(event.pid) !== 1) return [`process ${event.pid} has not one name`];
    if (event.ph === 'M' || event.ph === 'C') return [];
    return tracks.get(event.tid) === event.pid ? [] : [`track ${place(event)} has no name`];
  });
}

/**
 * The slices of each track come in order, and what begins inside another ends inside it, in whole
 * nanoseconds and also as a reader finds that adds durations to beginnings as they stand.
 */
function unnested(file: TraceFile): string[] {
  return [
    ...unnestedIn(file, ({ ts, dur }) => [ns(ts), ns(ts) + ns(dur)]),
    ...unnestedIn(file, ({ ts, dur }) => [ts, ts + dur]),
  ];
}

function unnestedIn(file: TraceFile, span: (slice: Of<'X'>) => [number, number]): string[] {
  const open = new Map<string, { began: number; ends: number[] }>();
  return eventsOf(file, 'X').flatMap((slice) => {
    const [began, ended] = span(slice);
    const lane = open.get(place(slice)) ?? { began: 0, ends: [] };
    open.set(place(slice), lane);
    if (began < lane.began) return [`"${slice.name}" on ${place(slice)} is out of order`];
    lane.began = began;
    while (lane.ends.length > 0 && lane.ends.at(-1)! <= began) lane.ends.pop();
    const outer = lane.ends.at(-1) ?? Number.POSITIVE_INFINITY;
    lane.ends.push(ended);
    return ended > outer ? [`"${slice.name}" on ${place(slice)} outlasts what it is in`] : [];
  });
}

/** Each `id` begins once and ends once, not before. */
function unpaired(file: TraceFile, first: 'b' | 's', second: 'e' | 'f'): string[] {
  const began = new Map<number, number>();
  const ended = new Map<number, number>();
  for (const event of eventsOf(file, first)) {
    if (began.has(event.id)) return [`${first} ${event.id} is there twice`];
    began.set(event.id, event.ts);
  }
  for (const event of eventsOf(file, second)) {
    if (ended.has(event.id)) return [`${second} ${event.id} is there twice`];
    ended.set(event.id, event.ts);
  }
  const loose = [...began.keys()].filter((each) => !ended.has(each));
  return [
    ...loose.map((each) => `${first} ${each} has no ${second}`),
    ...[...ended].flatMap(([each, ts]) => {
      const from = began.get(each);
      if (from === undefined) return [`${second} ${each} has no ${first}`];
      return ts < from ? [`${second} ${each} comes before its ${first}`] : [];
    }),
  ];
}

/** Each end of an arrow lies in a slice of its track: from a hold to a wait of another process. */
function looseArrows(file: TraceFile): string[] {
  const slices = eventsOf(file, 'X');
  const holds = slices.filter(({ cat }) => cat === 'lock');
  const waits = slices.filter(({ cat }) => cat === 'wait');
  const isIn = (event: Of<'s'> | Of<'f'>, of: readonly Of<'X'>[]): boolean =>
    of.some(
      (slice) =>
        place(slice) === place(event) &&
        ns(slice.ts) <= ns(event.ts) &&
        ns(event.ts) <= ns(slice.ts) + ns(slice.dur),
    );
  const from = new Map(eventsOf(file, 's').map((event) => [event.id, event.pid]));
  return [
    ...eventsOf(file, 's').flatMap((event) =>
      isIn(event, holds) ? [] : [`arrow ${event.id} begins in no hold`],
    ),
    ...eventsOf(file, 'f').flatMap((event) => [
      ...(isIn(event, waits) ? [] : [`arrow ${event.id} ends in no wait`]),
      ...(from.get(event.id) === event.pid ? [`arrow ${event.id} leads to its own process`] : []),
    ]),
  ];
}

function wrongCounters(file: TraceFile): string[] {
  const latest = new Map<string, number>();
  return eventsOf(file, 'C').flatMap(({ name, ts, args }) => {
    const before = latest.get(name) ?? -1;
    latest.set(name, ts);
    const values = Object.values(args);
    return [
      ...(ts > before ? [] : [`counter "${name}" goes back in time`]),
      ...(values.every((value) => value >= 0) ? [] : [`counter "${name}" is negative`]),
    ];
  });
}
