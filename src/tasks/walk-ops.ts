/** Walks of page tables that are neither a fault nor a zap. */

import type { Cpu } from '#arch/cpu';
import { WALKER, walkRange } from '#mm/walkers/walk';
import type { Op } from '#scenario/plan';
import { WALKER_ACT } from '#trace/act';
import { noteAct, pagesOf, spanOf, type Task } from './task.ts';

export function runWalk(cpu: Cpu, task: Task, op: Op & { op: 'walk' }): void {
  const { start, end } = pagesOf(cpu, task, op);
  noteAct(cpu, task, WALKER_ACT[op.walker], 0, op.region, start, end);
  if (start >= end) return;
  const { startSlot, startIndex, endSlot, endIndex } = spanOf(task, start, end);
  const { mm } = task.machine;
  walkRange(cpu, mm, WALKER[op.walker], startSlot, startIndex, endSlot, endIndex);
}
