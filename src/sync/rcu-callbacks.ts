/**
 * RCU callbacks: (kind, word) pairs, queued per CPU in its block and taken by the same CPU once
 * their grace period is over. Who takes them knows what the kinds mean (mm/rcu-callbacks.ts).
 */

import type { Cpu } from '#arch/cpu';
import { boundMap } from '#arena/arena';
import { nowUs } from '#arena/clock';
import { CONTROL } from '#arena/layout/control';
import { PERCPU, RCU_QUEUE_MAX, RCU_RECORD } from '#arena/layout/percpu';
import { bump, peek, poke, quietMax } from '#arena/word';
import { COUNTER, count } from '#trace/counters';
import { histogramSlot } from '#trace/histogram';
import { rcuGraceEnd, rcuGraceIsOver } from './rcu.ts';

/** One callback in so many is timed, and has the backlog summed up: both cost more than it does. */
const CALLBACKS_PER_SAMPLE = 13;

/** Kinds of callbacks. */
export const RCU_KIND = { freeTable: 1, freeBody: 2, torture: 3, refSwitch: 4 } as const;

/** Whether this CPU's queue has no room; whoever may sleep makes room before it queues more. */
export function rcuQueueFull(cpu: Cpu): boolean {
  return rcuPending(cpu) >= RCU_QUEUE_MAX;
}

/** Callbacks of this CPU that have not run. */
export function rcuPending(cpu: Cpu): number {
  return (peek(cpu.block + PERCPU.rcuHead) - peek(cpu.block + PERCPU.rcuTail)) | 0;
}

/** Queues (kind, word) to be taken after a grace period. The queue must not be full. */
export function callRcu(cpu: Cpu, kind: number, word: number): void {
  const head = peek(cpu.block + PERCPU.rcuHead);
  const at = recordAt(cpu, head);
  poke(at + RCU_RECORD.epoch, rcuGraceEnd(cpu)); // @rcu-defer
  const isTimed = head % CALLBACKS_PER_SAMPLE === 0;
  poke(at + RCU_RECORD.sinceUs, isTimed ? nowUs() | 1 : 0);
  poke(at + RCU_RECORD.kind, kind);
  poke(at + RCU_RECORD.word, word);
  poke(cpu.block + PERCPU.rcuHead, (head + 1) | 0);
  count(cpu, COUNTER.rcuCallbacks, 1);
  if (isTimed) quietMax(CONTROL.rcuBacklogPeak, rcuBacklog());
}

/** Callbacks of all CPUs that have not run. */
export function rcuBacklog(): number {
  const { percpu, percpuWords, geometry } = boundMap();
  let backlog = 0;
  for (let id = 0; id < geometry.cpus; id++) {
    const block = percpu + id * percpuWords;
    backlog += (peek(block + PERCPU.rcuHead) - peek(block + PERCPU.rcuTail)) | 0;
  }
  return backlog;
}

/**
 * Takes the oldest callback whose grace period is over: its kind, or 0 if there is none. Its word
 * is then at `rcuTakenWord`.
 */
export function rcuTake(cpu: Cpu): number {
  const tail = peek(cpu.block + PERCPU.rcuTail);
  if (tail === peek(cpu.block + PERCPU.rcuHead)) return 0;
  const at = recordAt(cpu, tail);
  if (!rcuGraceIsOver(cpu, peek(at + RCU_RECORD.epoch))) return 0;
  poke(cpu.block + PERCPU.rcuTail, (tail + 1) | 0);
  const since = peek(at + RCU_RECORD.sinceUs);
  if (since !== 0) bump(cpu.block + PERCPU.rcuLatency + histogramSlot((nowUs() - since) | 0), 1);
  return peek(at + RCU_RECORD.kind);
}

/** The word of the callback that `rcuTake` returned last. */
export function rcuTakenWord(cpu: Cpu): number {
  return peek(recordAt(cpu, peek(cpu.block + PERCPU.rcuTail) - 1) + RCU_RECORD.word);
}

/** Whether any CPU still has callbacks queued. */
export function rcuAnyPending(): boolean {
  return rcuBacklog() !== 0;
}

function recordAt(cpu: Cpu, position: number): number {
  return cpu.block + PERCPU.rcuQueue + (position & (RCU_QUEUE_MAX - 1)) * RCU_RECORD.sizeWords;
}
