/**
 * mmap, munmap and exit. Ranges are (slot, index) pairs, half open. All under the mmap lock for
 * writing; each VMA that changes is write-locked first, so that faults under the VMA lock have left
 * it.
 */

import { type Cpu, enterActor, leaveActor } from '#arch/cpu';
import { vmaAt } from '#arena/arena';
import { MM, VMA } from '#arena/layout/mm';
import { peek, write } from '#arena/word';
import { ACTOR } from '#trace/vocabulary';
import { freePgtables } from './free-pgtables.ts';
import { type Mm, mmapWriteLock, mmapWriteUnlock, slotsOfAddressSpace } from './mm.ts';
import { tlbFinishMmu, tlbGatherMmu } from './mmu-gather.ts';
import { pteFreeDefer } from './rcu-free.ts';
import { unlinkAnonVmas } from './rmap.ts';
import {
  firstEndingAfter,
  insertVma,
  isBefore,
  removeVma,
  setVmaBounds,
  startsBefore,
  vmaInMap,
  vmaStartWrite,
} from './vma.ts';
import { allocLike, MERGE, mapRange } from './vma-merge.ts';
import { unmapPageRange } from './zap.ts';
import { ZAP } from './zap-entry.ts';

/** Maps the range afresh (MAP_FIXED: what was there goes first); merges with equal neighbours. */
export function mmapRegion(
  cpu: Cpu,
  mm: Mm,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
  flags: number,
): void {
  const before = enterActor(cpu, ACTOR.munmap);
  mmapWriteLock(cpu, mm);
  unmapLocked(cpu, mm, startSlot, startIndex, endSlot, endIndex);
  const mapping = { flags, anonVma: 0, shift: 0 };
  mapRange(cpu, mm, startSlot, startIndex, endSlot, endIndex, mapping, MERGE.both);
  mmapWriteUnlock(cpu, mm);
  leaveActor(cpu, before);
}

/** Unmaps the range: VMAs are cut or removed, entries zapped, tables freed that only it used. */
export function munmap(
  cpu: Cpu,
  mm: Mm,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): void {
  const before = enterActor(cpu, ACTOR.munmap);
  mmapWriteLock(cpu, mm);
  unmapLocked(cpu, mm, startSlot, startIndex, endSlot, endIndex);
  mmapWriteUnlock(cpu, mm);
  leaveActor(cpu, before);
}

/** The end of the process: everything is unmapped, and the top-level table is freed. */
export function exitMmap(cpu: Cpu, mm: Mm): void {
  const before = enterActor(cpu, ACTOR.exit);
  mmapWriteLock(cpu, mm);
  unmapLocked(cpu, mm, 0, 0, slotsOfAddressSpace(), 0);
  mmapWriteUnlock(cpu, mm);
  pteFreeDefer(cpu, peek(mm.at + MM.pgd));
  leaveActor(cpu, before);
}

/** The same, with the mmap lock held for writing. */
export function unmapLocked(
  cpu: Cpu,
  mm: Mm,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): void {
  if (!isBefore(startSlot, startIndex, endSlot, endIndex)) return;
  let any = false;
  for (;;) {
    const vma = vmaInMap(cpu, mm, firstEndingAfter(cpu, mm, startSlot, startIndex));
    if (vma === 0 || !startsBefore(vma, endSlot, endIndex)) break;
    vmaStartWrite(cpu, mm, vma);
    cutVma(cpu, mm, vma, startSlot, startIndex, endSlot, endIndex);
    any = true;
  }
  if (!any) return;
  tlbGatherMmu(cpu, mm);
  unmapPageRange(cpu, mm, startSlot, startIndex, endSlot, endIndex, ZAP.dropMarkers);
  unlinkAnonVmas(cpu, mm);
  const after = firstEndingAfter(cpu, mm, startSlot, startIndex);
  freePgtables(cpu, mm, slotAfter(vmaInMap(cpu, mm, after - 1)), slotOf(vmaInMap(cpu, mm, after)));
  tlbFinishMmu(cpu, mm);
}

/**
 * Takes [start, end) out of VMA `vma`, which overlaps it and is write-locked: keeps a head, a tail,
 * both, or none.
 */
function cutVma(
  cpu: Cpu,
  mm: Mm,
  vma: number,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): void {
  const at = vmaAt(vma);
  const lastSlot = peek(at + VMA.endSlot);
  const lastIndex = peek(at + VMA.endIndex);
  const keepsHead = startsBefore(vma, startSlot, startIndex);
  const keepsTail = isBefore(endSlot, endIndex, lastSlot, lastIndex);
  if (keepsHead) {
    write(cpu, at + VMA.endSlot, startSlot);
    write(cpu, at + VMA.endIndex, startIndex);
    if (keepsTail) {
      const tail = allocLike(cpu, mm, vma);
      setVmaBounds(cpu, tail, endSlot, endIndex, lastSlot, lastIndex);
      insertVma(cpu, mm, tail);
    }
  } else if (keepsTail) {
    write(cpu, at + VMA.startSlot, endSlot);
    write(cpu, at + VMA.startIndex, endIndex);
  } else {
    removeVma(cpu, mm, vma);
  }
}

/** First slot of VMA `vma`; of none: the end of the address space. */
function slotOf(vma: number): number {
  return vma === 0 ? slotsOfAddressSpace() : peek(vmaAt(vma) + VMA.startSlot);
}

/** First slot that VMA `vma` does not touch; of none: 0. */
function slotAfter(vma: number): number {
  if (vma === 0) return 0;
  return peek(vmaAt(vma) + VMA.endSlot) + (peek(vmaAt(vma) + VMA.endIndex) === 0 ? 0 : 1);
}
