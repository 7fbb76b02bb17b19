/**
 * A CPU that is the only one of its machine and lives on its caller's thread: it does one operation
 * when it is told to, and in between its machine can be looked at.
 */

import { becomeActor, type Cpu } from '#arch/cpu';
import { enterMm } from '#arch/interrupts';
import { Halted } from '#arena/halt';
import { PHASE } from '#arena/layout/control';
import type { Op } from '#scenario/plan';
import { rcuOnline } from '#sync/rcu';
import { ACTOR } from '#trace/vocabulary';
import type { Machine } from './bind.ts';
import { type CpuEnd, cpuPart, enterPhase } from './cpu-main.ts';
import { runOps } from './run-ops.ts';
import { Task } from './task.ts';

/** Boots `machine`, which is bound to a zeroed arena; the CPU is where a column would begin. */
export function bootAlone(cpu: Cpu, machine: Machine): Task {
  const task = new Task(cpu, machine);
  cpuPart(cpu, machine, task, 'boot');
  enterPhase(PHASE.main);
  becomeActor(cpu, ACTOR.access);
  rcuOnline(cpu);
  enterMm(cpu);
  return task;
}

/** Does `ops`; `halted`: something happened after which nothing goes on. */
export function doAlone(cpu: Cpu, task: Task, ops: readonly Op[]): CpuEnd {
  try {
    runOps(cpu, task, ops, 0);
    return 'done';
  } catch (error) {
    if (error instanceof Halted) return 'halted';
    throw error;
  }
}
