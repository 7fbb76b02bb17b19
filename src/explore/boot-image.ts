/**
 * What boot leaves: the arena's words, and what the CPUs keep outside of it. Every execution starts
 * from there, so that boot and the setup operations run once.
 *
 * The rings, queues and logs of the CPUs are most of an arena. Beyond their counts they hold
 * nothing that is read, so of these only what boot wrote is put back. Counts of races and of
 * latencies, which are large and by which nothing is decided, go on over all executions.
 */

import type { Cpu } from '#arch/cpu';
import {
  EVENT_RECORD,
  EVENTS_MAX,
  type PERCPU,
  RCU_QUEUE_MAX,
  RCU_RECORD,
  ZAP_LOG_MAX,
  ZAP_RECORD,
} from '#arena/layout/percpu';
import type { ArenaMap } from '#arena/map';
import type { Task } from '#tasks/task';

/** A stretch of words, and where it stands. */
interface Stretch {
  readonly at: number;
  readonly words: Int32Array;
}

export class BootImage {
  private readonly words: Int32Array;
  private readonly stretches: Stretch[] = [];
  private readonly registers: Registers[] = [];

  constructor(words: Int32Array, map: ArenaMap, offsets: typeof PERCPU) {
    this.words = words;
    const { cpus } = map.geometry;
    this.save(0, map.percpu);
    for (let id = 0; id < cpus; id++)
      this.saveBlock(map.percpu + id * map.percpuWords, map.percpuWords, offsets);
    this.save(map.percpu + cpus * map.percpuWords, map.sizeWords);
  }

  /** Adds what a CPU and its task keep for themselves. */
  addPrivate(cpu: Cpu, task: Task): void {
    const { memory, chunk, range, span } = task;
    for (const part of [cpu, cpu.prng, cpu.zapFacts, task, memory, chunk, range, span])
      this.registers.push(new Registers(part));
  }

  restore(): void {
    for (const { at, words } of this.stretches) this.words.set(words, at);
    for (const registers of this.registers) registers.restore();
  }

  private save(start: number, end: number): void {
    this.stretches.push({ at: start, words: new Int32Array(this.words.subarray(start, end)) });
  }

  private saveBlock(block: number, sizeWords: number, offsets: typeof PERCPU): void {
    const { eventCount, events, rcuHead, rcuQueue, zapCount, zapLog } = offsets;
    const end = (at: number, count: number, recordWords: number, max: number): number =>
      at + Math.min(this.words[block + count]!, max) * recordWords;
    // What is saved, up to here; and where it goes on.
    const gaps: readonly (readonly [to: number, from: number])[] = [
      [offsets.races, offsets.locks],
      [end(events, eventCount, EVENT_RECORD.sizeWords, EVENTS_MAX), offsets.tableCount],
      [end(rcuQueue, rcuHead, RCU_RECORD.sizeWords, RCU_QUEUE_MAX), zapCount],
      [end(zapLog, zapCount, ZAP_RECORD.sizeWords, ZAP_LOG_MAX), offsets.pageCount],
      [offsets.faultLatency, offsets.takenUnder],
    ];
    let from = 0;
    for (const [to, next] of gaps) {
      this.save(block + from, block + to);
      from = next;
    }
    this.save(block + from, block + sizeWords);
  }
}

/** The numbers and arrays of numbers that stand in one object. */
class Registers {
  private readonly owner: Record<string, unknown>;
  private readonly values: [name: string, value: unknown][];
  private readonly arrays: [array: Int32Array, copy: Int32Array][];

  constructor(owner: object) {
    this.owner = owner as Record<string, unknown>;
    const fields = Object.entries(owner);
    this.values = fields.filter(([, value]) => /^(number|boolean)$/.test(typeof value));
    this.arrays = fields.flatMap(([, value]) =>
      value instanceof Int32Array ? [[value, value.slice()]] : [],
    );
  }

  restore(): void {
    for (const [name, value] of this.values) this.owner[name] = value;
    for (const [array, copy] of this.arrays) array.set(copy);
  }
}
