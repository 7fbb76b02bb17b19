/**
 * Where all CPUs of a plan meet: between the phases of a run, and where the columns say so. A CPU
 * that is told to stop leaves out what it has not begun, but not the meetings, so that all CPUs
 * come to the same ones in the same order, however the run ends.
 */

import { becomeActor, type Cpu } from '#arch/cpu';
import { enterMm, leaveMm, waitUntilChanged } from '#arch/interrupts';
import { boundMap } from '#arena/arena';
import { nowMs } from '#arena/clock';
import { CONTROL, MARKS_MAX } from '#arena/layout/control';
import { MM } from '#arena/layout/mm';
import { addAndWake, load, peek, poke, storeAndWake } from '#arena/word';
import { rcuOperationEnd } from '#mm/rcu-free';
import { wakeUserfault } from '#mm/userfault-wait';
import { rcuOffline, rcuOnline } from '#sync/rcu';
import { ROUND, traceRound } from '#trace/tracing';
import { ACTOR } from '#trace/vocabulary';
import type { Machine } from './bind.ts';

/**
 * Waits until all CPUs of the plan have come here; the last to come lets them go. Not online for
 * RCU.
 */
export function rendezvous(cpu: Cpu, machine: Machine): void {
  meetAll(cpu, machine, false);
}

/** As an operation of a column: all CPUs meet, then the next named phase begins. */
export function meetAtMark(cpu: Cpu, machine: Machine): void {
  traceRound(cpu, ROUND.rendezvous);
  rcuOperationEnd(cpu);
  leaveMm(cpu);
  rcuOffline(cpu);
  meetAll(cpu, machine, true);
  rcuOnline(cpu);
  enterMm(cpu);
}

/** Page tables of the address space, of all levels. */
export function liveTables(): number {
  const { mm } = boundMap();
  return peek(mm + MM.nrPtes) + peek(mm + MM.nrPmds) + peek(mm + MM.nrPuds);
}

function meetAll(cpu: Cpu, machine: Machine, marks: boolean): void {
  becomeActor(cpu, ACTOR.access);
  const round = load(cpu, CONTROL.round);
  if (addAndWake(cpu, CONTROL.arrived, 1) + 1 === machine.plan.cpus) {
    if (marks) setMark();
    storeAndWake(cpu, CONTROL.arrived, 0);
    storeAndWake(cpu, CONTROL.round, round + 1);
  } else {
    // Whoever waits for a monitor of userfaults must know that this CPU is none for a while.
    if (watchesUserfaults(machine)) wakeUserfault(cpu, machine.mm);
    waitUntilChanged(cpu, CONTROL.round, round);
  }
}

/** Whether a region of the plan has a userfaultfd, so that faults may wait for another CPU. */
export function watchesUserfaults({ plan }: Machine): boolean {
  return plan.regions.some(({ flags }) => flags.includes('uffd-missing'));
}

/** A named phase begins, unless the run has been told to stop: then it has no such phase. */
function setMark(): void {
  const mark = peek(CONTROL.marks);
  if (peek(CONTROL.stop) !== 0 || mark >= MARKS_MAX) return;
  poke(CONTROL.markBegan + mark, nowMs());
  poke(CONTROL.markTables + mark, liveTables());
  poke(CONTROL.marks, mark + 1);
}
