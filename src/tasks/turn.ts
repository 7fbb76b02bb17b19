/**
 * Turns: CPUs that run a recording in its order go one after another. Each has a word of its own,
 * into which the CPU before it writes the number of the call that is next; so a turn wakes one CPU.
 * Who waits for a turn may have been asleep for most of the program's life: it is out of the
 * address space, and offline for RCU.
 */

import type { Cpu } from '#arch/cpu';
import { enterMm, leaveMm, waitUntilChanged } from '#arch/interrupts';
import { boundMap } from '#arena/arena';
import { CONTROL } from '#arena/layout/control';
import { PERCPU } from '#arena/layout/percpu';
import { load, peek, storeAndWake } from '#arena/word';
import { rcuOperationEnd } from '#mm/rcu-free';
import { rcuOffline, rcuOnline } from '#sync/rcu';

/** What a turn says when the run has been told to stop. */
const NO_MORE = -1;

/** Waits until call `number` is the next one of all; false: the run has been told to stop. */
export function awaitTurn(cpu: Cpu, number: number): boolean {
  const at = cpu.block + PERCPU.turn;
  let seen = load(cpu, at);
  if (seen === number) return true;
  rcuOperationEnd(cpu);
  leaveMm(cpu);
  rcuOffline(cpu);
  while (seen !== number && seen !== NO_MORE) {
    waitUntilChanged(cpu, at, seen);
    seen = load(cpu, at);
  }
  rcuOnline(cpu);
  enterMm(cpu);
  return seen === number;
}

/** Call `number` is the next one, and CPU `to` has it. */
export function passTurn(cpu: Cpu, to: number, number: number): void {
  storeAndWake(cpu, turnOf(to), number);
}

/** The run has been told to stop: nobody waits any more. */
export function endTurns(cpu: Cpu, cpus: number): void {
  if (peek(CONTROL.stop) === 0) return;
  for (let id = 0; id < cpus; id++) storeAndWake(cpu, turnOf(id), NO_MORE);
}

function turnOf(id: number): number {
  const { percpu, percpuWords } = boundMap();
  return percpu + id * percpuWords + PERCPU.turn;
}
