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
import { firstEndingAfter, isBefore, startsBefore, vmaInMap, vmaStartWrite } from './vma.ts';
import { mergedIntoPrevious, splitAt } from './vma-merge.ts';

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
    if (vma === 0 || !startsBefore(vma, endSlot, endIndex)) break;
    vmaStartWrite(cpu, mm, vma);
    write(cpu, vmaAt(vma) + VMA.flags, (peek(vmaAt(vma) + VMA.flags) | on) & ~off);
  }
  for (let i = Math.max(1, from); ; ) {
    const vma = vmaInMap(cpu, mm, i);
    if (vma === 0 || isBefore(endSlot, endIndex, startSlotOf(vma), startIndexOf(vma))) return;
    if (!mergedIntoPrevious(cpu, mm, i)) i++;
  }
}

function startSlotOf(vma: number): number {
  return peek(vmaAt(vma) + VMA.startSlot);
}

function startIndexOf(vma: number): number {
  return peek(vmaAt(vma) + VMA.startIndex);
}
