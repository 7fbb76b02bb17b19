/**
 * A recording has the first touch of each page and no other, so that what was written would never
 * be read. Every now and then a CPU reads one of the pages that it wrote lately, if nothing has
 * taken it away since: then it is still there, so that reading it changes no figure, and what it
 * holds can be compared.
 */

import type { Cpu } from '#arch/cpu';
import { ptrsMask } from '#arena/arena';
import type { RecordedCalls } from './recorded-calls.ts';
import type { Task } from './task.ts';
import { touchOne } from './touch.ts';

/** One of so many calls is followed by a read: a look at all logs of zaps is no small thing. */
const PERIOD = 8;

/** Notes a page of the write in hand. */
export function noteWritten(cpu: Cpu, task: Task, calls: RecordedCalls): void {
  const { page, pages } = calls.pages();
  calls.noteWritten(task.machine.regionStarts[0]! + page + cpu.prng.below(pages));
}

export function rereadOne(cpu: Cpu, task: Task, calls: RecordedCalls): void {
  if (calls.writtenCount === 0 || cpu.prng.below(PERIOD) !== 0) return;
  const page = calls.written[cpu.prng.below(calls.writtenCount)]!;
  const ptrs = ptrsMask() + 1;
  const slot = Math.floor(page / ptrs) | 0;
  const index = (page - slot * ptrs) | 0;
  const { machine, memory, owned } = task;
  if (memory.isThere(slot, index)) touchOne(cpu, machine.mm, memory, owned, 0, page, false);
}
