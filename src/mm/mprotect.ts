/**
 * mprotect, after mm/mprotect.c, under the mmap lock for writing: what lies in the range is split
 * off, gets its protection, VMA by VMA, and merges with neighbours that are now equal. Up to a hole
 * it is done; what lies beyond stays as it was.
 */
import { type Cpu, enterActor, leaveActor } from '#arch/cpu';
import { vmaAt } from '#arena/arena';
import { VMA } from '#arena/layout/mm';
import { peek, write } from '#arena/word';
import { ACTOR } from '#trace/vocabulary';
import { ADVISED, adviseTables } from './advise-tables.ts';
import { type Mm, mmapWriteLock, mmapWriteUnlock } from './mm.ts';
import { flagsWithProtection, hasProtection } from './protection.ts';
import { findVma, firstEndingAfter, isBefore, vmaInMap, vmaStartWrite } from './vma.ts';
import { mergedIntoPrevious, splitAt } from './vma-merge.ts';

/**
 * Gives [start, end), (slot, index) pairs, `protection`, a value of `PROTECTION`. False: not all of
 * it is mapped.
 */
export function mprotect(
  cpu: Cpu,
  mm: Mm,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
  protection: number,
): boolean {
  const before = enterActor(cpu, ACTOR.walker);
  mmapWriteLock(cpu, mm);
  let slot = startSlot;
  let index = startIndex;
  while (isBefore(slot, index, endSlot, endIndex)) {
    const vma = findVma(cpu, mm, slot, index);
    if (vma === 0) break;
    let toSlot = peek(vmaAt(vma) + VMA.endSlot);
    let toIndex = peek(vmaAt(vma) + VMA.endIndex);
    if (isBefore(endSlot, endIndex, toSlot, toIndex)) {
      toSlot = endSlot;
      toIndex = endIndex;
    }
    mprotectFixup(cpu, mm, vma, slot, index, toSlot, toIndex, protection);
    slot = toSlot;
    index = toIndex;
  }
  mmapWriteUnlock(cpu, mm);
  leaveActor(cpu, before);
  return !isBefore(slot, index, endSlot, endIndex);
}

/** The part [start, end) of VMA `vma`. One that has the protection stays as it is. */
function mprotectFixup(
  cpu: Cpu,
  mm: Mm,
  vma: number,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
  protection: number,
): void {
  if (hasProtection(vma, protection)) return;
  const flags = flagsWithProtection(vma, protection);
  splitAt(cpu, mm, startSlot, startIndex);
  splitAt(cpu, mm, endSlot, endIndex);
  const position = firstEndingAfter(cpu, mm, startSlot, startIndex);
  const part = vmaInMap(cpu, mm, position);
  vmaStartWrite(cpu, mm, part);
  write(cpu, vmaAt(part) + VMA.flags, flags);
  const what = ADVISED.protect + protection;
  adviseTables(cpu, mm, what, startSlot, startIndex, endSlot, endIndex);
  const isOne = position > 0 && mergedIntoPrevious(cpu, mm, position);
  const next = isOne ? position : position + 1;
  if (vmaInMap(cpu, mm, next) !== 0) mergedIntoPrevious(cpu, mm, next);
}
