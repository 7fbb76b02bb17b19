/**
 * The life of a CPU: boot (CPU 0 alone, with the setup operations), the hostile main phase, and the
 * fair phase in which there is no new work, scanners run without delay, and every callback must
 * come to its end.
 */

import { type Cpu, enterActor } from '#arch/cpu';
import { enterMm, leaveMm, waitUntilChanged } from '#arch/interrupts';
import { boundMap } from '#arena/arena';
import { nowMs } from '#arena/clock';
import { Halted } from '#arena/halt';
import { CONTROL, PHASE } from '#arena/layout/control';
import { MM } from '#arena/layout/mm';
import { addAndWake, load, peek, poke, quietStore, storeAndWake } from '#arena/word';
import { exitMmap } from '#mm/mmap';
import { rcuBarrier, rcuDrain, rcuOperationEnd } from '#mm/rcu-free';
import { boundProtocol, HOOK, hasHook } from '#mm/reclaim-protocol';
import { rcuOffline, rcuOnline } from '#sync/rcu';
import { ACTOR } from '#trace/vocabulary';
import { bootMachine, type Machine } from './bind.ts';
import { runOps, Task } from './run-ops.ts';

/** How a CPU's life ended. */
export type CpuEnd = 'done' | 'halted';

/** Runs CPU `cpu` of `machine` through all phases; every CPU of the machine does the same. */
export function cpuMain(cpu: Cpu, machine: Machine): CpuEnd {
  try {
    const task = new Task(cpu, machine);
    if (cpu.id === 0) boot(cpu, machine, task);
    rendezvous(cpu, machine);
    if (cpu.id === 0) enterPhase(PHASE.main);
    rcuOnline(cpu);
    enterMm(cpu);
    runOps(cpu, task, machine.plan.columns[cpu.id] ?? [], 0);
    rcuOperationEnd(cpu);
    leaveMm(cpu);
    rcuOffline(cpu);
    rendezvous(cpu, machine);
    if (cpu.id === 0) enterPhase(PHASE.fair);
    fairPhase(cpu, machine);
    rendezvous(cpu, machine);
    if (cpu.id === 0) enterPhase(PHASE.exit);
    return 'done';
  } catch (error) {
    if (error instanceof Halted) return 'halted';
    throw error;
  }
}

/** The end of the process, on one CPU, after all others have ended. */
export function cpuExit(cpu: Cpu, machine: Machine): CpuEnd {
  try {
    rcuOnline(cpu);
    exitMmap(cpu, machine.mm);
    rcuDrain(cpu);
    rcuOffline(cpu);
    enterPhase(PHASE.done);
    return 'done';
  } catch (error) {
    if (error instanceof Halted) return 'halted';
    throw error;
  }
}

function boot(cpu: Cpu, machine: Machine, task: Task): void {
  enterActor(cpu, ACTOR.boot);
  bootMachine(cpu, machine);
  enterPhase(PHASE.setup);
  rcuOnline(cpu);
  enterMm(cpu);
  enterActor(cpu, ACTOR.access);
  runOps(cpu, task, machine.plan.setup, 1);
  leaveMm(cpu);
  rcuOffline(cpu);
}

function fairPhase(cpu: Cpu, machine: Machine): void {
  rcuOnline(cpu);
  if (cpu.id === 0 && hasHook(HOOK.scan)) scanUntilIdle(cpu, machine);
  if (cpu.id === 0) rcuBarrier(cpu);
  else rcuDrain(cpu);
  rcuOffline(cpu);
}

/** Passes over the whole address space until one finds nothing. */
function scanUntilIdle(cpu: Cpu, machine: Machine): void {
  const { levels, ptrsShift } = boundMap().geometry;
  const slots = 1 << ((levels - 1) * ptrsShift);
  poke(CONTROL.scanOffset, 0);
  while (boundProtocol().scan(cpu, machine.mm, slots) !== 0) {
    rcuOperationEnd(cpu);
    poke(CONTROL.scanOffset, 0);
  }
}

/**
 * Waits until all CPUs of the plan have come here; the last to come lets them go. Not online for
 * RCU.
 */
function rendezvous(cpu: Cpu, machine: Machine): void {
  enterActor(cpu, ACTOR.access);
  const round = load(cpu, CONTROL.round);
  if (addAndWake(cpu, CONTROL.arrived, 1) + 1 === machine.plan.cpus) {
    storeAndWake(cpu, CONTROL.arrived, 0);
    storeAndWake(cpu, CONTROL.round, round + 1);
  } else {
    waitUntilChanged(cpu, CONTROL.round, round);
  }
}

function enterPhase(phase: number): void {
  const { mm } = boundMap();
  poke(CONTROL.phaseBegan + phase, nowMs());
  poke(
    CONTROL.phaseTables + phase,
    peek(mm + MM.nrPtes) + peek(mm + MM.nrPmds) + peek(mm + MM.nrPuds),
  );
  quietStore(CONTROL.phase, phase);
}
