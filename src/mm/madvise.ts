/**
 * MADV_DONTNEED: zaps a range, under the per-VMA lock where one VMA contains it (Linux 6.17), else
 * under the mmap lock for reading. Parts that no VMA maps are passed over.
 */

import { type Cpu, enterActor } from '#arch/cpu';
import { vmaAt } from '#arena/arena';
import { nowNs } from '#arena/clock';
import { VMA, VMA_FLAG } from '#arena/layout/mm';
import { peek, read } from '#arena/word';
import { recordMadviseLatency } from '#trace/latency';
import { countRace } from '#trace/race';
import { ACTOR, RACE } from '#trace/vocabulary';
import { type Mm, mmapReadLock, mmapReadUnlock } from './mm.ts';
import { tlbFinishMmu, tlbGatherMmu } from './mmu-gather.ts';
import { boundProtocol, HOOK, hasHook } from './reclaim-protocol.ts';
import {
  findVma,
  firstEndingAfter,
  isBefore,
  lockVmaUnderRcu,
  vmaEndRead,
  vmaInMap,
} from './vma.ts';
import { unmapPageRange } from './zap.ts';
import { ZAP } from './zap-entry.ts';

/** VMAs in which a zap leaves markers where userfaultfd had write-protected. */
const WP_MARKED = VMA_FLAG.uffdWp | VMA_FLAG.shared;

export function madviseDontneed(
  cpu: Cpu,
  mm: Mm,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): void {
  const before = enterActor(cpu, ACTOR.madvise);
  const since = nowNs();
  const vma = lockVmaUnderRcu(cpu, mm, startSlot, startIndex);
  if (vma !== 0 && !endsBefore(cpu, vma, endSlot, endIndex)) {
    zapPageRangeSingle(cpu, mm, vma, startSlot, startIndex, endSlot, endIndex);
    vmaEndRead(cpu, vma);
  } else {
    if (vma !== 0) vmaEndRead(cpu, vma);
    mmapReadLock(cpu, mm);
    if (vma === 0 && findVma(cpu, mm, startSlot, startIndex) !== 0)
      countRace(cpu, RACE.vmaLockFallback, ACTOR.munmap);
    dontneedByVma(cpu, mm, startSlot, startIndex, endSlot, endIndex);
    mmapReadUnlock(cpu, mm);
  }
  recordMadviseLatency(cpu, since);
  enterActor(cpu, before);
}

/** Zaps a range within one VMA, with a gather of its own. */
function zapPageRangeSingle(
  cpu: Cpu,
  mm: Mm,
  vma: number,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): void {
  tlbGatherMmu(cpu, mm);
  const uffdWp = (peek(vmaAt(vma) + VMA.flags) & WP_MARKED) === WP_MARKED;
  const details = ZAP.reclaim | (uffdWp ? ZAP.keepUffdWp : 0);
  unmapPageRange(cpu, mm, startSlot, startIndex, endSlot, endIndex, details);
  if (hasHook(HOOK.rangeDone))
    boundProtocol().rangeDone(cpu, mm, vma, startSlot, startIndex, endSlot, endIndex);
  tlbFinishMmu(cpu, mm);
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
      const toIndex = read(cpu, at + VMA.endIndex);
      zapPageRangeSingle(cpu, mm, vma, fromSlot, fromIndex, toSlot, toIndex);
    } else zapPageRangeSingle(cpu, mm, vma, fromSlot, fromIndex, endSlot, endIndex);
  }
}

function endsBefore(cpu: Cpu, vma: number, slot: number, index: number): boolean {
  const at = vmaAt(vma);
  return isBefore(read(cpu, at + VMA.endSlot), read(cpu, at + VMA.endIndex), slot, index);
}
