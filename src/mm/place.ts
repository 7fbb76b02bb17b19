/** Between page numbers of the address space and the (slot, index) pairs by which mm goes. */
import { ptrsMask, vmaAt } from '#arena/arena';
import { VMA } from '#arena/layout/mm';
import { peek } from '#arena/word';

export function slotOfPage(page: number): number {
  return Math.floor(page / (ptrsMask() + 1)) | 0;
}

export function indexOfPage(page: number): number {
  return (page - slotOfPage(page) * (ptrsMask() + 1)) | 0;
}

/** First page of VMA `vma`, whose lock or the mmap lock is held. */
export function startPage(vma: number): number {
  const at = vmaAt(vma);
  return peek(at + VMA.startSlot) * (ptrsMask() + 1) + peek(at + VMA.startIndex);
}

/** The page after its last. */
export function endPage(vma: number): number {
  const at = vmaAt(vma);
  return peek(at + VMA.endSlot) * (ptrsMask() + 1) + peek(at + VMA.endIndex);
}
