/**
 * What RCU callbacks mean: runs those of this CPU whose grace period is over, and waits for them.
 */

import type { Cpu } from '#arch/cpu';
import { interruptPoint, waitUntilChanged } from '#arch/interrupts';
import { boundMap } from '#arena/arena';
import { PERCPU } from '#arena/layout/percpu';
import { load, peek } from '#arena/word';
import { mightSleep } from '#sync/held';
import { percpuRefFinishAwaited, percpuRefSwitchDone } from '#sync/percpu-ref';
import { rcuBoundary, rcuIdleEnter, rcuIdleExit, synchronizeRcu } from '#sync/rcu';
import {
  callRcu,
  RCU_KIND,
  rcuPending,
  rcuQueueFull,
  rcuTake,
  rcuTakenWord,
} from '#sync/rcu-callbacks';
import { rcuTortureAge } from '#sync/rcu-torture';
import { EVENT, recordEvent } from '#trace/ring';
import { freeBody, freeTable } from './table-alloc.ts';

/** Defers the free of an unhooked table until a grace period has passed. May sleep. */
export function pteFreeDefer(cpu: Cpu, table: number): void {
  if (rcuQueueFull(cpu)) {
    synchronizeRcu(cpu);
    runRcuCallbacks(cpu);
  }
  recordEvent(cpu, EVENT.defer, table, 0);
  callRcu(cpu, RCU_KIND.freeTable, table); // @free-by-rcu
}

/** Runs this CPU's callbacks whose grace period is over. */
export function runRcuCallbacks(cpu: Cpu): void {
  for (;;) {
    const kind = rcuTake(cpu);
    if (kind === 0) return;
    const word = rcuTakenWord(cpu);
    if (kind === RCU_KIND.freeTable) freeTable(cpu, word);
    else if (kind === RCU_KIND.freeBody) freeBody(cpu, word);
    else if (kind === RCU_KIND.refSwitch) percpuRefSwitchDone(cpu, word);
    else rcuTortureAge(cpu, word);
    // There may be thousands, and somebody may be waiting for this CPU in a flush.
    interruptPoint(cpu);
  }
}

/** A quiescent operation boundary: reports to RCU and runs what is due. */
export function rcuOperationEnd(cpu: Cpu): void {
  rcuBoundary(cpu);
  if (rcuPending(cpu) !== 0) runRcuCallbacks(cpu);
  percpuRefFinishAwaited(cpu);
}

/** Runs all callbacks that this CPU has queued, waiting for their grace periods. */
export function rcuDrain(cpu: Cpu): void {
  while (rcuPending(cpu) !== 0) {
    synchronizeRcu(cpu);
    runRcuCallbacks(cpu);
  }
}

/**
 * Waits until every callback queued by any CPU before the call has run. CPUs run their own
 * callbacks, so each must go on passing operation boundaries, or drain.
 */
export function rcuBarrier(cpu: Cpu): void {
  mightSleep(cpu);
  const { percpu, percpuWords, geometry } = boundMap();
  const heads: number[] = [];
  for (let id = 0; id < geometry.cpus; id++)
    heads.push(peek(percpu + id * percpuWords + PERCPU.rcuHead));
  rcuDrain(cpu);
  const idle = rcuIdleEnter(cpu);
  for (const [id, head] of heads.entries())
    waitUntilTaken(cpu, percpu + id * percpuWords + PERCPU.rcuTail, head);
  if (idle) rcuIdleExit(cpu);
}

function waitUntilTaken(cpu: Cpu, tailp: number, head: number): void {
  for (;;) {
    const tail = load(cpu, tailp);
    if (((tail - head) | 0) >= 0) return;
    waitUntilChanged(cpu, tailp, tail);
  }
}
