/**
 * MADV_DONTNEED: zaps a range, under the per-VMA lock where one VMA contains it (Linux 6.17), else
 * under the mmap lock for reading. Parts that no VMA maps are passed over.
 */

import { type Cpu, enterActor } from '#arch/cpu';
import { vmaAt } from '#arena/arena';
import { VMA } from '#arena/layout/mm';
import { read } from '#arena/word';
import { countRace } from '#trace/race';
import { ACTOR, RACE } from '#trace/vocabulary';
import { type Mm, mmapReadLock, mmapReadUnlock } from './mm.ts';
import { tlbFinishMmu, tlbGatherMmu } from './mmu-gather.ts';
import {
  findVma,
  firstEndingAfter,
  isBefore,
  lockVmaUnderRcu,
  vmaEndRead,
  vmaInMap,
} from './vma.ts';
import { unmapPageRange } from './zap.ts';

export function madviseDontneed(
  cpu: Cpu,
  mm: Mm,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): void {
  const before = enterActor(cpu, ACTOR.madvise);
  const vma = lockVmaUnderRcu(cpu, mm, startSlot, startIndex);
  if (vma !== 0 && !endsBefore(cpu, vma, endSlot, endIndex)) {
    zapPageRangeSingle(cpu, mm, startSlot, startIndex, endSlot, endIndex);
    vmaEndRead(cpu, vma);
  } else {
    if (vma !== 0) vmaEndRead(cpu, vma);
    mmapReadLock(cpu, mm);
    if (vma === 0 && findVma(cpu, mm, startSlot, startIndex) !== 0)
      countRace(cpu, RACE.vmaLockFallback, ACTOR.munmap);
    dontneedByVma(cpu, mm, startSlot, startIndex, endSlot, endIndex);
    mmapReadUnlock(cpu, mm);
  }
  enterActor(cpu, before);
}

/** Zaps a range within one VMA, with a gather of its own. */
function zapPageRangeSingle(
  cpu: Cpu,
  mm: Mm,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): void {
  tlbGatherMmu(cpu);
  unmapPageRange(cpu, mm, startSlot, startIndex, endSlot, endIndex, true);
  tlbFinishMmu(cpu);
}

function dontneedByVma(
  cpu: Cpu,
  mm: Mm,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): void {
  for (let i = firstEndingAfter(cpu, mm, startSlot, startIndex); ; i++) {
    const vma = vmaInMap(cpu, mm, i);
    if (vma === 0) return;
    const at = vmaAt(vma);
    let fromSlot = read(cpu, at + VMA.startSlot);
    let fromIndex = read(cpu, at + VMA.startIndex);
    if (!isBefore(fromSlot, fromIndex, endSlot, endIndex)) return;
    if (isBefore(fromSlot, fromIndex, startSlot, startIndex)) {
      fromSlot = startSlot;
      fromIndex = startIndex;
    }
    if (endsBefore(cpu, vma, endSlot, endIndex)) {
      const toSlot = read(cpu, at + VMA.endSlot);
      zapPageRangeSingle(cpu, mm, fromSlot, fromIndex, toSlot, read(cpu, at + VMA.endIndex));
    } else zapPageRangeSingle(cpu, mm, fromSlot, fromIndex, endSlot, endIndex);
  }
}

function endsBefore(cpu: Cpu, vma: number, slot: number, index: number): boolean {
  const at = vmaAt(vma);
  return isBefore(read(cpu, at + VMA.endSlot), read(cpu, at + VMA.endIndex), slot, index);
}
