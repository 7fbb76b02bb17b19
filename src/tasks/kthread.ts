/**
 * Bodies of the kernel threads, one pass at a time: their service sleeps in between
 * (workers/kthread.ts).
 */

import { becomeActor, type Cpu } from '#arch/cpu';
import { waitAsync } from '#arena/atomics-wait';
import { Halted } from '#arena/halt';
import { CONTROL } from '#arena/layout/control';
import { boundWords, peek, quietAdd, quietLoad, quietStore } from '#arena/word';
import { rcuDrain, rcuOperationEnd } from '#mm/rcu-free';
import { boundProtocol } from '#mm/reclaim-protocol';
import { rcuAdvance, rcuOffline, rcuOnline } from '#sync/rcu';
import { ACT } from '#trace/act';
import { traceOperationEnd } from '#trace/tracing';
import { ACTOR } from '#trace/vocabulary';
import type { Machine } from './bind.ts';
import { noteActAlone } from './task.ts';

/** Pause of the grace-period thread, in milliseconds. */
const GRACE_PAUSE_MS = 1;

/** What a kernel thread does. */
export type KthreadRole = 'scanner' | 'rcu';

/**
 * One pass: of the scanner, the tables unhooked (-1: it gave up); of RCU, the steps of the epoch.
 */
export function kthreadPass(cpu: Cpu, machine: Machine, role: KthreadRole): number {
  try {
    return role === 'scanner' ? scanPass(cpu, machine) : gracePass(cpu);
  } catch (error) {
    if (error instanceof Halted) return 0;
    throw error;
  }
}

/** Ends the pause of all kernel threads. */
export function kthreadWake(): void {
  quietStore(CONTROL.kthreadWake, quietAdd(CONTROL.kthreadWake, 1) + 1);
}

/** To be read before a pass: a wake-up after it ends the pause that follows. */
export function kthreadWakeCount(): number {
  return quietLoad(CONTROL.kthreadWake);
}

/** The pause after a pass of `role`, without blocking the event loop. */
export async function kthreadPause(role: KthreadRole, wakeCount: number): Promise<void> {
  const ms = role === 'rcu' ? GRACE_PAUSE_MS : quietLoad(CONTROL.scanDelay);
  if (ms > 0) await waitAsync(boundWords(), CONTROL.kthreadWake, wakeCount, ms);
}

/** Before the thread ends: its callbacks. */
export function kthreadEnd(cpu: Cpu): void {
  try {
    rcuOnline(cpu);
    rcuDrain(cpu);
    rcuOffline(cpu);
  } catch (error) {
    if (!(error instanceof Halted)) throw error;
  }
}

function scanPass(cpu: Cpu, machine: Machine): number {
  becomeActor(cpu, ACTOR.scanner);
  rcuOnline(cpu);
  noteActAlone(cpu, ACT.scan, 0);
  const unhooked = boundProtocol().scan(cpu, machine.mm, peek(CONTROL.scanSlots));
  rcuOperationEnd(cpu);
  traceOperationEnd(cpu);
  rcuOffline(cpu);
  return unhooked;
}

function gracePass(cpu: Cpu): number {
  let steps = 0;
  while (rcuAdvance(cpu)) steps++;
  return steps;
}
