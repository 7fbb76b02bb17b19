/** A CPU's private state while it runs its column, and what all of its operations ask for. */

import type { Cpu } from '#arch/cpu';
import { Halted } from '#arena/halt';
import { CONTROL } from '#arena/layout/control';
import { peek } from '#arena/word';
import { indexOfPage, slotOfPage } from '#mm/place';
import { choosePages, type PageRange } from '#scenario/extent';
import type { Where } from '#scenario/plan';
import { actWord, NO_REGION } from '#trace/act';
import { EVENT, recordEvent } from '#trace/ring';
import type { Machine } from './bind.ts';
import { type Ownership, ownershipOf } from './touch.ts';
import { UserMemory } from './user-memory.ts';

/** A range as mm takes it: (slot, index) pairs, half open. */
export interface Span {
  startSlot: number;
  startIndex: number;
  endSlot: number;
  endIndex: number;
}

export class Task {
  readonly machine: Machine;
  readonly memory: UserMemory;
  readonly owned: Ownership;
  /** The running sweep's chunk, and the pages of the operation in hand. */
  readonly chunk: PageRange = { start: 0, end: 0 };
  readonly range: PageRange = { start: 0, end: 0 };
  readonly span: Span = { startSlot: 0, startIndex: 0, endSlot: 0, endIndex: 0 };
  /** Rounds of outermost loops that are left. */
  roundsLeft: number;

  constructor(cpu: Cpu, machine: Machine) {
    this.machine = machine;
    this.memory = new UserMemory(cpu, machine.plan.ownership === 'shared');
    this.owned = ownershipOf(machine.plan, machine.regionStarts, cpu.id);
    this.roundsLeft = machine.plan.opsMax ?? Number.POSITIVE_INFINITY;
  }
}

/** Whether the run goes on; throws `Halted` once the machine has halted. */
export function goesOn(): boolean {
  if (peek(CONTROL.halt) !== 0) throw new Halted();
  return peek(CONTROL.stop) === 0;
}

/** The pages that `where` means now, in the task's own record. */
export function pagesOf(cpu: Cpu, task: Task, where: Where): PageRange {
  const { plan, regionStarts } = task.machine;
  choosePages(cpu.prng, cpu.id, plan, regionStarts, where, task.chunk, task.range);
  return task.range;
}

/** The pages [start, end) as (slot, index) pairs, in the task's own record. */
export function spanOf(task: Task, start: number, end: number): Span {
  const { span } = task;
  span.startSlot = slotOfPage(start);
  span.startIndex = indexOfPage(start);
  span.endSlot = slotOfPage(end);
  span.endIndex = indexOfPage(end);
  return span;
}

/** Notes in the ring what is about to be done to the pages [start, end) of `region`. */
export function noteAct(
  cpu: Cpu,
  task: Task,
  act: number,
  count: number,
  region: number,
  start: number,
  end: number,
): void {
  const first = task.machine.regionStarts[region]!;
  recordEvent(cpu, actWord(EVENT.operation, act, count, region), start - first, end - start);
}

/** The same of what is of no region; `amount`: of what comes in amounts. */
export function noteActAlone(cpu: Cpu, act: number, amount: number): void {
  recordEvent(cpu, actWord(EVENT.operation, act, 0, NO_REGION), 0, amount);
}
