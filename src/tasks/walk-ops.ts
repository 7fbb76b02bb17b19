/** Walks of page tables that are neither a fault nor a zap. */

import type { Cpu } from '#arch/cpu';
import { WALKER, walkRange } from '#mm/walkers/walk';
import type { Op } from '#scenario/plan';
import { EVENT, recordEvent } from '#trace/ring';
import { pagesOf, spanOf, type Task } from './task.ts';

export function runWalk(cpu: Cpu, task: Task, op: Op & { op: 'walk' }): void {
  const { start, end } = pagesOf(cpu, task, op);
  recordEvent(cpu, EVENT.operation, op.region, end - start);
  if (start >= end) return;
  const { startSlot, startIndex, endSlot, endIndex } = spanOf(task, start, end);
  const { mm } = task.machine;
  walkRange(cpu, mm, WALKER[op.walker], startSlot, startIndex, endSlot, endIndex);
}
