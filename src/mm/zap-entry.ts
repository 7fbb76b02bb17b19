/**
 * One entry under a zap: whether something survives in its place, and the page that it lets go
 * (after `zap_present_ptes` and `zap_nonpresent_ptes`).
 */
import type { Cpu } from '#arch/cpu';
import {
  MARKER,
  mkNonPresent,
  PTE_KIND,
  PTE_NONE,
  type Pte,
  pteKind,
  ptePfn,
  ptePresent,
  pteUffdWp,
} from '#arch/pte';
import { ZERO_PFN } from '#arena/layout/page';
import { releaseMigrating, releaseSwap } from './swap.ts';

/**
 * What a zap is for (Linux's `zap_details`), as bits. `reclaim`: one after which empty tables may
 * be freed (MADV_DONTNEED only); `dropMarkers`: markers go as well (munmap and exit); `keepUffdWp`:
 * the VMA is one in which a page write-protected by userfaultfd leaves a marker.
 */
export const ZAP = { reclaim: 1, dropMarkers: 2, keepUffdWp: 4 } as const;

/**
 * What stands in the place of `value` after a zap with `details` (bits of `ZAP`): none, the entry
 * itself, or a marker that recalls it.
 */
export function survivorOf(value: Pte, details: number): Pte {
  if (ptePresent(value)) {
    if ((details & ZAP.keepUffdWp) === 0 || !pteUffdWp(value)) return PTE_NONE;
    return mkNonPresent(PTE_KIND.marker, MARKER.uffdWp);
  }
  if (pteKind(value) !== PTE_KIND.marker || (details & ZAP.dropMarkers) !== 0) return PTE_NONE;
  const kept = ptePfn(value) === MARKER.uffdWp ? (details & ZAP.keepUffdWp) !== 0 : true;
  return kept ? value : PTE_NONE;
}

/**
 * The page that goes into the gather when `value` goes, or 0. A swap entry gives its space back at
 * once, and the page of a migration entry is left to whoever migrates it.
 */
export function pageOfEntry(cpu: Cpu, value: Pte): number {
  const pfn = ptePfn(value);
  const own = pfn === ZERO_PFN ? 0 : pfn;
  if (ptePresent(value)) return own;
  switch (pteKind(value)) {
    case PTE_KIND.protNone:
      return own;
    case PTE_KIND.swap:
      releaseSwap(cpu, pfn);
      return 0;
    case PTE_KIND.migration:
      releaseMigrating(cpu, pfn);
      return 0;
    default:
      return 0;
  }
}
