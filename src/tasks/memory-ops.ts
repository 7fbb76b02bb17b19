/** Operations on the memory of a region: user accesses, mmap, munmap and madvise. */

import type { Cpu } from '#arch/cpu';
import { ptrsMask } from '#arena/arena';
import { VMA_FLAG } from '#arena/layout/mm';
import { brk } from '#mm/brk';
import { MADV, madvise, madviseDontneed, processMadviseDontneed } from '#mm/madvise';
import { mmapRegion, munmap } from '#mm/mmap';
import { mprotect } from '#mm/mprotect';
import { IN_PLACE, mremap } from '#mm/mremap';
import { flagsOfProtection, PROTECTION } from '#mm/protection';
import { rcuOperationEnd } from '#mm/rcu-free';
import type { Op, VmaFlag } from '#scenario/plan';
import { ACT, ACT_COUNT, ADVICE_ACT, MMAP_ACT, MPROTECT_ACT } from '#trace/act';
import { COUNTER, count } from '#trace/counters';
import { goesOn, noteAct, pagesOf, spanOf, type Task } from './task.ts';
import { touchEvery, touchOne } from './touch.ts';
import { freeBegins, moveBegins, movesEnd, zapBegins, zapEnds } from './zap-log.ts';

export function runTouch(cpu: Cpu, task: Task, op: Op & { op: 'touch' }): void {
  const { machine, memory, owned } = task;
  const write = op.access === 'write';
  count(cpu, COUNTER.opTouch, 1);
  const { start, end } = pagesOf(cpu, task, op);
  noteAct(cpu, task, write ? ACT.touchWrite : ACT.touchRead, countOf(op), op.region, start, end);
  if (start >= end) return;
  if (op.pages === 'every') {
    touchEvery(cpu, machine.mm, memory, owned, op.region, start, end, write);
  } else if (op.pages === 'one-per-slot') {
    const ptrs = ptrsMask() + 1;
    for (let page = start; page < end && goesOn(); page += ptrs)
      touchOne(cpu, machine.mm, memory, owned, op.region, page, write);
  } else {
    for (let i = 0; i < op.pages; i++) {
      const page = start + cpu.prng.below(end - start);
      touchOne(cpu, machine.mm, memory, owned, op.region, page, write);
    }
  }
}

function countOf({ pages }: Op & { op: 'touch' }): number {
  if (pages === 'every') return ACT_COUNT.every;
  return pages === 'one-per-slot' ? ACT_COUNT.onePerSlot : Math.min(pages, ACT_COUNT.max);
}

export function runDontneed(cpu: Cpu, task: Task, op: Op & { op: 'dontneed' }): void {
  const { start, end } = pagesOf(cpu, task, op);
  noteAct(cpu, task, ACT.dontneed, 0, op.region, start, end);
  dontneedPages(cpu, task, start, end);
  count(cpu, COUNTER.opDontneed, 1);
}

function dontneedPages(cpu: Cpu, task: Task, start: number, end: number): void {
  if (start >= end) return;
  const { startSlot, startIndex, endSlot, endIndex } = spanOf(task, start, end);
  zapBegins(cpu, startSlot, startIndex, endSlot, endIndex);
  madviseDontneed(cpu, task.machine.mm, startSlot, startIndex, endSlot, endIndex);
  zapEnds(cpu);
}

/** Logged like MADV_FREE, since the range has pages that stay. */
export function runPurge(cpu: Cpu, task: Task, op: Op & { op: 'purge' }): void {
  const { start, end } = pagesOf(cpu, task, op);
  noteAct(cpu, task, ACT.purge, 0, op.region, start, end);
  if (start >= end) return;
  const { startSlot, startIndex, endSlot, endIndex } = spanOf(task, start, end);
  freeBegins(cpu, startSlot, startIndex, endSlot, endIndex);
  // The last slot has such a page only if the range reaches beyond it.
  const slots = endIndex > startIndex ? endSlot + 1 : endSlot;
  processMadviseDontneed(cpu, task.machine.mm, startSlot, slots, startIndex);
  zapEnds(cpu);
  count(cpu, COUNTER.opDontneed, 1);
}

export function runPunch(cpu: Cpu, task: Task, op: Op & { op: 'punch' }): void {
  const { start, end } = pagesOf(cpu, task, op);
  noteAct(cpu, task, ACT.punch, 0, op.region, start, end);
  for (let page = start; page < end && goesOn(); page++) {
    if (cpu.prng.below(100) >= op.percent) continue;
    dontneedPages(cpu, task, page, page + 1);
    rcuOperationEnd(cpu);
  }
  count(cpu, COUNTER.opPunch, 1);
}

export function runMadvise(cpu: Cpu, task: Task, op: Op & { op: 'madvise' }): void {
  const { start, end } = pagesOf(cpu, task, op);
  noteAct(cpu, task, ADVICE_ACT[op.advice], 0, op.region, start, end);
  if (start >= end) return;
  const { startSlot, startIndex, endSlot, endIndex } = spanOf(task, start, end);
  // Where memory is short a guard leaves the content in its place, so it is logged like MADV_FREE.
  const mayEmpty = op.advice === 'free' || op.advice === 'guard-install';
  if (mayEmpty) freeBegins(cpu, startSlot, startIndex, endSlot, endIndex);
  madvise(cpu, task.machine.mm, MADV[op.advice], startSlot, startIndex, endSlot, endIndex);
  if (mayEmpty) zapEnds(cpu);
}

export function runMmap(cpu: Cpu, task: Task, op: Op & { op: 'mmap' }): void {
  const { plan, mm } = task.machine;
  const { start, end } = pagesOf(cpu, task, op);
  noteAct(cpu, task, MMAP_ACT[op.protection], 0, op.region, start, end);
  if (start >= end) return;
  const { startSlot, startIndex, endSlot, endIndex } = spanOf(task, start, end);
  const region = plan.regions[op.region]!;
  const flags = vmaFlags(region.flags) | flagsOfProtection(PROTECTION[op.protection]);
  zapBegins(cpu, startSlot, startIndex, endSlot, endIndex);
  mmapRegion(cpu, mm, startSlot, startIndex, endSlot, endIndex, flags);
  zapEnds(cpu);
  count(cpu, COUNTER.opMmap, 1);
}

export function runMprotect(cpu: Cpu, task: Task, op: Op & { op: 'mprotect' }): void {
  const { start, end } = pagesOf(cpu, task, op);
  noteAct(cpu, task, MPROTECT_ACT[op.protection], 0, op.region, start, end);
  if (start >= end) return;
  const { startSlot, startIndex, endSlot, endIndex } = spanOf(task, start, end);
  const protection = PROTECTION[op.protection];
  mprotect(cpu, task.machine.mm, startSlot, startIndex, endSlot, endIndex, protection);
  count(cpu, COUNTER.opMprotect, 1);
}

export function runMunmap(cpu: Cpu, task: Task, op: Op & { op: 'munmap' }): void {
  const { start, end } = pagesOf(cpu, task, op);
  noteAct(cpu, task, ACT.munmap, 0, op.region, start, end);
  if (start >= end) return;
  const { startSlot, startIndex, endSlot, endIndex } = spanOf(task, start, end);
  zapBegins(cpu, startSlot, startIndex, endSlot, endIndex);
  munmap(cpu, task.machine.mm, startSlot, startIndex, endSlot, endIndex);
  zapEnds(cpu);
  count(cpu, COUNTER.opMunmap, 1);
}

/** Logged as a move, of what goes and of where it comes to, whether it could be done or not. */
export function runMremap(cpu: Cpu, task: Task, op: Op & { op: 'mremap' }): void {
  const { plan, mm, regionStarts } = task.machine;
  const { start, end } = pagesOf(cpu, task, op);
  const first = regionStarts[op.region]!;
  const to = op.to === null ? start : first + op.to;
  noteAct(cpu, task, ACT.mremap, 0, op.region, start, end);
  noteAct(cpu, task, ACT.mremapTo, 0, op.region, to, to + op.newPages);
  if (start >= end) return;
  const pages = end - start;
  const { startSlot, startIndex, endSlot, endIndex } = spanOf(task, start, end);
  moveBegins(cpu, startSlot, startIndex, endSlot, endIndex);
  const there = spanOf(task, to, to + op.newPages);
  moveBegins(cpu, there.startSlot, there.startIndex, there.endSlot, there.endIndex);
  const isMoved = mremap(cpu, mm, start, pages, op.to === null ? IN_PLACE : to, op.newPages);
  movesEnd(cpu, 2);
  // Others may be at the new place already, so that only who is alone knows what is there.
  if (isMoved && plan.cpus === 1) task.memory.move(start, to, Math.min(pages, op.newPages));
  count(cpu, COUNTER.opMremap, 1);
}

export function runBrk(cpu: Cpu, task: Task, op: Op & { op: 'brk' }): void {
  const { plan, mm, regionStarts } = task.machine;
  const region = plan.regions[op.region]!;
  const start = regionStarts[op.region]!;
  noteAct(cpu, task, ACT.brk, 0, op.region, start, start + op.pages);
  const { startSlot, startIndex, endSlot, endIndex } = spanOf(
    task,
    start + op.pages,
    start + region.pages,
  );
  zapBegins(cpu, startSlot, startIndex, endSlot, endIndex);
  brk(cpu, mm, start, op.pages, vmaFlags(region.flags));
  zapEnds(cpu);
  count(cpu, COUNTER.opBrk, 1);
}

const FLAGS: Readonly<Record<VmaFlag, number>> = {
  hugetlb: VMA_FLAG.hugetlb,
  hugepage: VMA_FLAG.hugepage,
  'uffd-wp': VMA_FLAG.uffdWp,
  'uffd-missing': VMA_FLAG.uffdMissing,
  shared: VMA_FLAG.shared,
  'pt-scan': VMA_FLAG.ptScan,
  noreserve: VMA_FLAG.noReserve | VMA_FLAG.noAccount,
};

/** A region's flags as a VMA has them. */
export function vmaFlags(flags: readonly VmaFlag[]): number {
  let mask = 0;
  for (const flag of flags) mask |= FLAGS[flag];
  return mask;
}
