/**
 * What the CPUs do: a look at each of them, and a copy of all rings as long as the main phase
 * lasts. Of the last copy a window is told in which nothing is missing: it begins where the first
 * of the rings has been overwritten.
 */
import { CONTROL } from '#arena/layout/control';
import { EVENT_RECORD, EVENTS_MAX, PERCPU } from '#arena/layout/percpu';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import type { LatestActs, LatestWindow, Timeline, TimelineSample } from '#result/timeline';
import type { Plan } from '#scenario/plan';
import { ACTS, actOf, eventKindOf } from '#trace/act';
import { EVENT, EVENTS } from '#trace/ring';
import { ACTORS } from '#trace/vocabulary';
import { kthreadsOf } from './size.ts';

/** Operations that are told of each CPU, and events of tables. */
const LATEST_MAX = 160;
const RUNS = 0;
const WAITS = 1;
const WAITS_FOR_ALL = 2;

/** The ring of one CPU as it was copied: events in order, the oldest first. */
interface RingCopy {
  readonly events: readonly { kind: number; timeUs: number; a: number }[];
  /** Whether there were older ones, which are lost. */
  readonly isCut: boolean;
}

export class TimelineSampler {
  private readonly plan: Plan;
  private readonly words: Words;
  private readonly map: ArenaMap;
  private copied: { raw: Int32Array[]; before: number[]; after: number[]; ms: number } | null =
    null;

  constructor(plan: Plan, words: Words, map: ArenaMap) {
    this.plan = plan;
    this.words = words;
    this.map = map;
  }

  take(ms: number): TimelineSample {
    const sample: TimelineSample = { ms, act: [], actor: [], waits: [] };
    for (let cpu = 0; cpu < this.plan.cpus; cpu++) {
      const block = this.blockOf(cpu);
      const at = this.words[block + PERCPU.waitAt]!;
      const waits = at === 0 ? RUNS : at === CONTROL.round ? WAITS_FOR_ALL : WAITS;
      sample.act.push(this.latestAct(block));
      sample.actor.push(Math.min(this.words[block + PERCPU.actor]!, ACTORS.length - 1));
      sample.waits.push(waits);
    }
    return sample;
  }

  /** Keeps what all rings hold now. */
  copyRings(ms: number): void {
    const { words, map } = this;
    const raw: Int32Array[] = [];
    const before: number[] = [];
    const after: number[] = [];
    for (let cpu = 0; cpu < map.geometry.cpus; cpu++) {
      const block = this.blockOf(cpu);
      const first = block + PERCPU.events;
      before.push(words[block + PERCPU.eventCount]!);
      raw.push(words.slice(first, first + EVENTS_MAX * EVENT_RECORD.sizeWords));
      after.push(words[block + PERCPU.eventCount]!);
    }
    this.copied = { raw, before, after, ms };
  }

  document(samples: readonly TimelineSample[]): Timeline {
    const [acts, actors, events] = [[...ACTS], [...ACTORS], [...EVENTS]];
    return { acts, actors, events, samples: [...samples], latest: this.latest() };
  }

  /** The act of the latest operation in the ring, or -1. */
  private latestAct(block: number): number {
    const count = this.words[block + PERCPU.eventCount]!;
    for (let i = count - 1; i >= Math.max(0, count - EVENTS_MAX); i--) {
      const at = block + PERCPU.events + (i & (EVENTS_MAX - 1)) * EVENT_RECORD.sizeWords;
      const word = this.words[at + EVENT_RECORD.kind]!;
      if (eventKindOf(word) === EVENT.operation) return Math.min(actOf(word), ACTS.length - 1);
    }
    return -1;
  }

  private latest(): LatestWindow | null {
    if (this.copied === null) return null;
    const rings = this.rings();
    const newest = rings.flatMap(({ events }) => events.at(-1)?.timeUs ?? []);
    if (newest.length === 0) return null;
    const endUs = newest.reduce((a, b) => (((b - a) | 0) > 0 ? b : a));
    // Times as distances from the end, since the clock wraps.
    const lengths = rings.flatMap((ring) => coveredUs(ring, endUs) ?? []);
    const oldest = rings.flatMap(({ events }) => events.map(({ timeUs }) => (endUs - timeUs) | 0));
    const us = lengths.length === 0 ? Math.max(...oldest) : Math.min(...lengths);
    const columns = rings.map((ring, cpu) => this.columnOf(ring, cpu, endUs, us));
    return { endMs: this.copied.ms, us, columns };
  }

  private rings(): RingCopy[] {
    const { raw, before, after } = this.copied!;
    return raw.map((words, cpu): RingCopy => {
      // The one after the latest may have been half written.
      const first = Math.max(0, after[cpu]! - EVENTS_MAX + 1);
      const events = [];
      for (let i = first; i < before[cpu]!; i++) {
        const at = (i & (EVENTS_MAX - 1)) * EVENT_RECORD.sizeWords;
        const { kind, timeUs, a } = EVENT_RECORD;
        events.push({ kind: words[at + kind]!, timeUs: words[at + timeUs]!, a: words[at + a]! });
      }
      return { events, isCut: first > 0 };
    });
  }

  private columnOf({ events }: RingCopy, cpu: number, endUs: number, us: number): LatestActs {
    const kthread = kthreadsOf(this.plan)[cpu - this.plan.cpus];
    const column: LatestActs = { cpu, role: kthread ?? 'cpu', operations: [], tables: [] };
    for (const { kind, timeUs, a } of events) {
      const at = us - ((endUs - timeUs) | 0);
      if (eventKindOf(kind) === EVENT.operation) {
        const latest = column.operations.at(-1);
        if (latest !== undefined && kthread === undefined) latest[2] = Math.max(0, at);
        // What began before the window is in it as far as it lasts.
        if (at <= 0) column.operations.length = 0;
        column.operations.push([Math.min(actOf(kind), ACTS.length - 1), Math.max(0, at), null]);
      } else if (at >= 0) column.tables.push([eventKindOf(kind), at, a]);
    }
    return column;
  }

  private blockOf(cpu: number): number {
    return this.map.percpu + cpu * this.map.percpuWords;
  }
}

/**
 * How far before `endUs` all that is told of a ring reaches back; null: to the beginning of all.
 */
function coveredUs({ events, isCut }: RingCopy, endUs: number): number | null {
  const ages = (isOperation: boolean): number[] =>
    events
      .filter(({ kind }) => (eventKindOf(kind) === EVENT.operation) === isOperation)
      .map(({ timeUs }) => (endUs - timeUs) | 0);
  const limits = [ages(true), ages(false)].flatMap((each) => each.at(-LATEST_MAX) ?? []);
  if (isCut) limits.push(events.length === 0 ? 0 : (endUs - events[0]!.timeUs) | 0);
  return limits.length === 0 ? null : Math.min(...limits);
}
