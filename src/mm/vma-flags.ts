/**
 * Changing flags of VMAs (Linux's `madvise_update_vma`): what lies in the range is split off, gets
 * its flags, and is merged again with neighbours that are now equal. Under the mmap lock for
 * writing.
 */
import type { Cpu } from '#arch/cpu';
import { vmaAt } from '#arena/arena';
import { VMA } from '#arena/layout/mm';
import { peek, write } from '#arena/word';
import type { Mm } from './mm.ts';
import {
  allocVma,
  firstEndingAfter,
  insertVma,
  isBefore,
  removeVma,
  setVmaBounds,
  vmaCovers,
  vmaInMap,
  vmaStartWrite,
} from './vma.ts';

/** Sets the flags `on` and clears `off` for all that is mapped in [start, end). */
export function changeVmaFlags(
  cpu: Cpu,
  mm: Mm,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
  on: number,
  off: number,
): void {
  splitAt(cpu, mm, startSlot, startIndex);
  splitAt(cpu, mm, endSlot, endIndex);
  const from = firstEndingAfter(cpu, mm, startSlot, startIndex);
  for (let i = from; ; i++) {
    const vma = vmaInMap(cpu, mm, i);
    if (vma === 0 || !isBefore(startSlotOf(vma), startIndexOf(vma), endSlot, endIndex)) break;
    vmaStartWrite(cpu, mm, vma);
    write(cpu, vmaAt(vma) + VMA.flags, (peek(vmaAt(vma) + VMA.flags) | on) & ~off);
  }
  for (let i = Math.max(1, from); ; ) {
    const vma = vmaInMap(cpu, mm, i);
    if (vma === 0 || isBefore(endSlot, endIndex, startSlotOf(vma), startIndexOf(vma))) return;
    if (!mergedIntoPrevious(cpu, mm, i)) i++;
  }
}

/** Makes (slot, index) a boundary, if it lies within a VMA. */
function splitAt(cpu: Cpu, mm: Mm, slot: number, index: number): void {
  const vma = vmaInMap(cpu, mm, firstEndingAfter(cpu, mm, slot, index));
  if (vma === 0 || !vmaCovers(cpu, vma, slot, index)) return;
  const at = vmaAt(vma);
  if (startSlotOf(vma) === slot && startIndexOf(vma) === index) return;
  vmaStartWrite(cpu, mm, vma);
  const tail = allocVma(cpu, mm, peek(at + VMA.flags));
  setVmaBounds(cpu, tail, slot, index, peek(at + VMA.endSlot), peek(at + VMA.endIndex));
  write(cpu, at + VMA.endSlot, slot);
  write(cpu, at + VMA.endIndex, index);
  insertVma(cpu, mm, tail);
}

/** Merges the VMA at `position` of the map into the one before it, if they are equal and touch. */
function mergedIntoPrevious(cpu: Cpu, mm: Mm, position: number): boolean {
  const previous = vmaInMap(cpu, mm, position - 1);
  const vma = vmaInMap(cpu, mm, position);
  const [at, to] = [vmaAt(vma), vmaAt(previous)];
  const touch =
    peek(to + VMA.endSlot) === startSlotOf(vma) && peek(to + VMA.endIndex) === startIndexOf(vma);
  if (!touch || peek(to + VMA.flags) !== peek(at + VMA.flags)) return false;
  vmaStartWrite(cpu, mm, previous);
  vmaStartWrite(cpu, mm, vma);
  removeVma(cpu, mm, vma);
  write(cpu, to + VMA.endSlot, peek(at + VMA.endSlot));
  write(cpu, to + VMA.endIndex, peek(at + VMA.endIndex));
  return true;
}

function startSlotOf(vma: number): number {
  return peek(vmaAt(vma) + VMA.startSlot);
}

function startIndexOf(vma: number): number {
  return peek(vmaAt(vma) + VMA.startIndex);
}
