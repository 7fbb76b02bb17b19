/**
 * Per-CPU rings of the latest events: what each CPU did last, for reports and for rebuilding a
 * race.
 */
import { nowUs } from '#arena/clock';
import type { CpuRef } from '#arena/gate';
import { EVENT_RECORD, EVENTS_MAX, PERCPU } from '#arena/layout/percpu';
import { peek, poke, type Words } from '#arena/word';
import { eventKindOf } from './act.ts';
import { traceEvent } from './tracing.ts';

/** Event kinds and their two words. */
export const EVENTS = [
  /** First page of the region, and pages; what was done to them stands beside the kind (act.ts). */
  'operation',
  /** Table, slot. */
  'hook',
  'unhook',
  'defer',
  'free',
] as const;
export const EVENT = { operation: 0, hook: 1, unhook: 2, defer: 3, free: 4 } as const;

/**
 * Events of one operation that share a reading of the clock, which costs as much as all of them.
 */
const EVENTS_PER_READING = 8;

/** Writes an event into this CPU's ring; the oldest goes. */
export function recordEvent(cpu: CpuRef, kind: number, a: number, b: number): void {
  const count = peek(cpu.block + PERCPU.eventCount);
  const operation = peek(cpu.block + PERCPU.operation);
  if (count % EVENTS_PER_READING === 0 || operation !== peek(cpu.block + PERCPU.eventOperation)) {
    poke(cpu.block + PERCPU.eventOperation, operation);
    poke(cpu.block + PERCPU.eventTimeUs, nowUs());
  }
  const at = cpu.block + PERCPU.events + (count & (EVENTS_MAX - 1)) * EVENT_RECORD.sizeWords;
  poke(at + EVENT_RECORD.kind, kind);
  poke(at + EVENT_RECORD.timeUs, peek(cpu.block + PERCPU.eventTimeUs));
  poke(at + EVENT_RECORD.a, a);
  poke(at + EVENT_RECORD.b, b);
  poke(cpu.block + PERCPU.eventCount, (count + 1) | 0);
  traceEvent(cpu, kind, a, b);
}

export interface DecodedEvent {
  readonly cpu: number;
  readonly kind: (typeof EVENTS)[number];
  /** As it stands in the ring. */
  readonly kindWord: number;
  readonly timeUs: number;
  readonly a: number;
  readonly b: number;
}

/** The events of the rings of `cpus` blocks, merged by time, oldest first. */
export function mergeRings(words: Words, blocks: readonly number[]): DecodedEvent[] {
  const events: DecodedEvent[] = [];
  for (const [cpu, block] of blocks.entries()) {
    const count = words[block + PERCPU.eventCount]!;
    for (let i = Math.max(0, count - EVENTS_MAX); i < count; i++) {
      const at = block + PERCPU.events + (i & (EVENTS_MAX - 1)) * EVENT_RECORD.sizeWords;
      const kindWord = words[at + EVENT_RECORD.kind]!;
      events.push({
        cpu,
        kind: EVENTS[eventKindOf(kindWord)]!,
        kindWord,
        timeUs: words[at + EVENT_RECORD.timeUs]!,
        a: words[at + EVENT_RECORD.a]!,
        b: words[at + EVENT_RECORD.b]!,
      });
    }
  }
  return events.sort((x, y) => (x.timeUs - y.timeUs) | 0 || x.cpu - y.cpu);
}
