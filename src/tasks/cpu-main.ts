/**
 * The life of a CPU: boot (CPU 0 alone, with the setup operations), the hostile main phase, and the
 * fair phase in which there is no new work, scanners run without delay, and every callback must
 * come to its end.
 */

import { becomeActor, type Cpu } from '#arch/cpu';
import { enterMm, leaveMm } from '#arch/interrupts';
import { tlbFlushLocal } from '#arch/tlb';
import { nowMs } from '#arena/clock';
import type { EnforcedGate } from '#arena/enforced';
import { Halted } from '#arena/halt';
import { CONTROL, PHASE } from '#arena/layout/control';
import { poke, quietStore } from '#arena/word';
import { checkRemembered } from '#mm/check-remembered';
import { exitMmap } from '#mm/mmap';
import { rcuBarrier, rcuDrain, rcuOperationEnd } from '#mm/rcu-free';
import { boundProtocol, HOOK, hasHook } from '#mm/reclaim-protocol';
import { retireFromUserfaults } from '#mm/userfault-wait';
import { rcuOffline, rcuOnline } from '#sync/rcu';
import { tracePhase } from '#trace/tracing';
import { ACTOR } from '#trace/vocabulary';
import { bootMachine, type Machine } from './bind.ts';
import { scanAll } from './reclaim-ops.ts';
import { liveTables, rendezvous, watchesUserfaults } from './rendezvous.ts';
import { runOps } from './run-ops.ts';
import { Task } from './task.ts';

/** How a part of a CPU's life ended. */
export type CpuEnd = 'done' | 'halted';

export type CpuPart = 'boot' | 'hostile' | 'fair';

/** Runs CPU `cpu` of `machine` through all phases; every CPU of the machine does the same. */
export function cpuMain(cpu: Cpu, machine: Machine): CpuEnd {
  try {
    const task = new Task(cpu, machine);
    if (cpu.id === 0) boot(cpu, machine, task);
    rendezvous(cpu, machine);
    if (cpu.id === 0) enterPhase(PHASE.main);
    hostilePhase(cpu, machine, task);
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

/**
 * The same life with its hostile phase in a recorded order: `gate`, this thread's, says when the
 * columns begin and end, so that no step of a rendezvous comes between boot and the first of them.
 */
export function cpuEnforced(cpu: Cpu, machine: Machine, gate: EnforcedGate): CpuEnd {
  try {
    const task = new Task(cpu, machine);
    if (cpu.id === 0) boot(cpu, machine, task);
    if (cpu.id === 0) enterPhase(PHASE.main);
    gate.enterHostile(cpu);
    hostilePhase(cpu, machine, task);
    gate.leaveHostile(cpu);
    if (cpu.id === 0) enterPhase(PHASE.fair);
    fairPhase(cpu, machine);
    rendezvous(cpu, machine);
    if (cpu.id === 0) enterPhase(PHASE.exit);
    return 'done';
  } catch (error) {
    if (!(error instanceof Halted)) throw error;
    gate.noteHalted(cpu);
    return 'halted';
  }
}

/**
 * One part of that life, for whoever lets CPUs meet without a rendezvous: CPU 0 boots alone, each
 * CPU runs its column, and once all columns have ended, its part of the fair phase.
 */
export function cpuPart(cpu: Cpu, machine: Machine, task: Task, part: CpuPart): CpuEnd {
  try {
    if (part === 'boot') boot(cpu, machine, task);
    else if (part === 'hostile') hostilePhase(cpu, machine, task);
    else fairPhase(cpu, machine);
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
  becomeActor(cpu, ACTOR.boot);
  bootMachine(cpu, machine);
  enterPhase(PHASE.setup);
  rcuOnline(cpu);
  enterMm(cpu);
  becomeActor(cpu, ACTOR.access);
  runOps(cpu, task, machine.plan.setup, 1);
  leaveMm(cpu);
  // Columns begin alike on all CPUs: with nothing cached of the setup.
  tlbFlushLocal(cpu);
  rcuOffline(cpu);
}

function hostilePhase(cpu: Cpu, machine: Machine, task: Task): void {
  becomeActor(cpu, ACTOR.access);
  rcuOnline(cpu);
  enterMm(cpu);
  runOps(cpu, task, machine.plan.columns[cpu.id] ?? [], 0);
  rcuOperationEnd(cpu);
  if (watchesUserfaults(machine)) retireFromUserfaults(cpu, machine.mm);
  checkRemembered(cpu, machine.mm);
  leaveMm(cpu);
  rcuOffline(cpu);
}

function fairPhase(cpu: Cpu, machine: Machine): void {
  rcuOnline(cpu);
  if (cpu.id === 0 && hasHook(HOOK.scan))
    while (scanAll(cpu, machine.mm) !== 0) rcuOperationEnd(cpu);
  // All CPUs ask, and share the work.
  if (hasHook(HOOK.pressure))
    while (boundProtocol().pressure(cpu, machine.mm) > 0) rcuOperationEnd(cpu);
  if (cpu.id === 0) rcuBarrier(cpu);
  else rcuDrain(cpu);
  rcuOffline(cpu);
}

/** Phase `phase` (a value of `PHASE`) begins. One CPU says so for all. */
export function enterPhase(phase: number): void {
  poke(CONTROL.phaseBegan + phase, nowMs());
  poke(CONTROL.phaseTables + phase, liveTables());
  tracePhase(phase);
  quietStore(CONTROL.phase, phase);
}
