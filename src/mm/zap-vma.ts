/** A zap within one VMA, with a gather of its own (Linux's `zap_page_range_single`). */

import type { Cpu } from '#arch/cpu';
import { vmaAt } from '#arena/arena';
import { VMA, VMA_FLAG } from '#arena/layout/mm';
import { peek } from '#arena/word';
import type { Mm } from './mm.ts';
import { tlbFinishMmu, tlbGatherMmu } from './mmu-gather.ts';
import { boundProtocol, HOOK, hasHook } from './reclaim-protocol.ts';
import { unmapPageRange } from './zap.ts';
import { ZAP } from './zap-entry.ts';

/** VMAs in which a zap leaves markers where userfaultfd had write-protected. */
const WP_MARKED = VMA_FLAG.uffdWp | VMA_FLAG.shared;

/** `reclaim`: empty tables may be freed afterwards. The caller holds the VMA or mmap lock. */
export function zapPageRangeSingle(
  cpu: Cpu,
  mm: Mm,
  vma: number,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
  reclaim: boolean,
): void {
  tlbGatherMmu(cpu, mm);
  const details = detailsOf(vma, reclaim);
  unmapPageRange(cpu, mm, startSlot, startIndex, endSlot, endIndex, details);
  if (reclaim && hasHook(HOOK.rangeDone))
    boundProtocol().rangeDone(cpu, mm, vma, startSlot, startIndex, endSlot, endIndex);
  tlbFinishMmu(cpu, mm);
}

/** Zaps entry `index` of each of the slots [startSlot, endSlot), which lie in VMA `vma`. */
export function zapPageOfSlots(
  cpu: Cpu,
  mm: Mm,
  vma: number,
  startSlot: number,
  endSlot: number,
  index: number,
): void {
  const details = detailsOf(vma, true);
  tlbGatherMmu(cpu, mm);
  for (let slot = startSlot; slot < endSlot; slot++)
    unmapPageRange(cpu, mm, slot, index, slot, index + 1, details);
  tlbFinishMmu(cpu, mm);
}

function detailsOf(vma: number, reclaim: boolean): number {
  const uffdWp = (peek(vmaAt(vma) + VMA.flags) & WP_MARKED) === WP_MARKED;
  return (reclaim ? ZAP.reclaim : 0) | (uffdWp ? ZAP.keepUffdWp : 0);
}
