/**
 * When an anonymous VMA is written to first it is given an `anon_vma`, after `anon_vma_prepare` and
 * `find_mergeable_anon_vma` (mm/rmap.c, mm/vma.c): that of a neighbour with which it might be one
 * but for the protection, the next one first, so that the two can merge one day; else one of its
 * own. Here it is a number, which only merging looks at.
 *
 * The caller holds the VMA lock or the mmap lock for reading, so others may do the same at once,
 * and the neighbours may be changing: the first to set the number wins, and a number that was taken
 * of a neighbour which goes only keeps two VMAs from merging, or lets them.
 */

import { boundMap, vmaAt } from '#arena/arena';
import { MM, VMA } from '#arena/layout/mm';
import { peek, quietAdd, quietCompareExchange } from '#arena/word';
import type { Mm } from './mm.ts';
import { ACCESS_FLAGS } from './protection.ts';
import { vmaShift } from './vma.ts';

/** Has VMA `vma` be one that was written to. */
export function anonVmaPrepare(mm: Mm, vma: number): void {
  const word = vmaAt(vma) + VMA.anonVma;
  if (peek(word) !== 0) return;
  const found = findMergeableAnonVma(mm, vma);
  quietCompareExchange(word, 0, found !== 0 ? found : quietAdd(mm.at + MM.anonVmas, 1) + 1);
}

function findMergeableAnonVma(mm: Mm, vma: number): number {
  const { vmaMaps, vmaMapWords } = boundMap();
  const map = vmaMaps + peek(mm.at + MM.vmaMap) * vmaMapWords;
  const count = peek(map);
  for (let i = 1; i <= count; i++) {
    if (peek(map + i) !== vma) continue;
    const next = i < count ? reusableAnonVma(peek(map + i + 1), vma, peek(map + i + 1)) : 0;
    if (next !== 0) return next;
    return i > 1 ? reusableAnonVma(peek(map + i - 1), peek(map + i - 1), vma) : 0;
  }
  return 0;
}

/** The number of `of`, one of two neighbours, if they differ in nothing but protection; or 0. */
function reusableAnonVma(of: number, first: number, second: number): number {
  const [a, b] = [vmaAt(first), vmaAt(second)];
  const touch =
    peek(a + VMA.endSlot) === peek(b + VMA.startSlot) &&
    peek(a + VMA.endIndex) === peek(b + VMA.startIndex);
  const differ = (peek(a + VMA.flags) ^ peek(b + VMA.flags)) & ~ACCESS_FLAGS;
  if (!touch || differ !== 0 || vmaShift(first) !== vmaShift(second)) return 0;
  return peek(vmaAt(of) + VMA.anonVma);
}
