/** Operations that ask for memory back: of pages, and of the page tables that map none. */

import type { Cpu } from '#arch/cpu';
import { CONTROL } from '#arena/layout/control';
import { peek, poke } from '#arena/word';
import { type Mm, slotsOfAddressSpace } from '#mm/mm';
import { rcuOperationEnd } from '#mm/rcu-free';
import { boundProtocol, HOOK, hasHook } from '#mm/reclaim-protocol';
import { shrinkRange } from '#mm/shrink';
import type { Op } from '#scenario/plan';
import { ACT } from '#trace/act';
import { COUNTER, count } from '#trace/counters';
import { goesOn, noteAct, noteActAlone, pagesOf, spanOf, type Task } from './task.ts';

/** Memory reclaim of a range, through the rmap. */
export function runReclaim(cpu: Cpu, task: Task, op: Op & { op: 'reclaim' }): void {
  const { start, end } = pagesOf(cpu, task, op);
  noteAct(cpu, task, ACT.reclaim, 0, op.region, start, end);
  if (start >= end) return;
  const { startSlot, startIndex, endSlot, endIndex } = spanOf(task, start, end);
  shrinkRange(cpu, task.machine.mm, startSlot, startIndex, endSlot, endIndex);
}

export function runPressure(cpu: Cpu, task: Task): void {
  noteActAlone(cpu, ACT.pressure, 0);
  if (hasHook(HOOK.pressure)) boundProtocol().pressure(cpu, task.machine.mm);
}

export function runScan(cpu: Cpu, task: Task): void {
  if (!hasHook(HOOK.scan)) return;
  noteActAlone(cpu, ACT.scan, 0);
  boundProtocol().scan(cpu, task.machine.mm, peek(CONTROL.scanSlots));
  count(cpu, COUNTER.opScan, 1);
}

/** Ends with the pass in hand when the run is told to stop. */
export function runScanUntilIdle(cpu: Cpu, task: Task): void {
  if (!hasHook(HOOK.scan)) return;
  noteActAlone(cpu, ACT.scanUntilIdle, 0);
  while (scanAll(cpu, task.machine.mm) !== 0 && goesOn()) rcuOperationEnd(cpu);
  count(cpu, COUNTER.opScan, 1);
}

/** A pass over the whole address space; what it returns is as for `scan`. */
export function scanAll(cpu: Cpu, mm: Mm): number {
  poke(CONTROL.scanOffset, 0);
  return boundProtocol().scan(cpu, mm, slotsOfAddressSpace());
}
