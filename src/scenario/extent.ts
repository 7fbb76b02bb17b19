/**
 * Which addresses an operation applies to: the arithmetic from regions, shares and extents to
 * pages.
 */

import type { Prng } from '#base/prng';
import type { Extent, PageSpan, Plan, Where } from './plan.ts';

/** A range of pages, [start, end), as numbers of pages of the address space (up to 36 bits). */
export interface PageRange {
  start: number;
  end: number;
}

/** Slots that one `slots` extent covers at most. */
const SLOTS_RUN_MAX = 8;

/** The share of region `region` that CPU `cpu` has: all of it, or an equal, slot-aligned part. */
export function shareOf(
  plan: Plan,
  starts: readonly number[],
  cpu: number,
  region: number,
  share: 'all' | 'own',
): PageRange {
  const start = starts[region]!;
  const end = start + plan.regions[region]!.pages;
  if (share === 'all') return { start, end };
  const ptrs = 2 ** plan.ptrsShift;
  const firstSlot = Math.floor(start / ptrs);
  const slots = Math.ceil(end / ptrs) - firstSlot;
  const from = (firstSlot + Math.floor((slots * cpu) / plan.cpus)) * ptrs;
  const to = (firstSlot + Math.floor((slots * (cpu + 1)) / plan.cpus)) * ptrs;
  const first = Math.max(start, from);
  return { start: first, end: Math.max(first, Math.min(end, to)) };
}

/**
 * Writes the pages that `where` means now to CPU `cpu` into `out`; `chunk` is the running sweep's.
 */
export function choosePages(
  prng: Prng,
  cpu: number,
  plan: Plan,
  starts: readonly number[],
  where: Where,
  chunk: PageRange,
  out: PageRange,
): void {
  const { extent } = where;
  if (extent === 'chunk') {
    out.start = chunk.start;
    out.end = chunk.end;
    return;
  }
  if (typeof extent === 'object') {
    // Of the region, whatever the share: the scenario says nothing else than `all`.
    out.start = starts[where.region]! + extent.page;
    out.end = out.start + extent.pages;
    return;
  }
  const share = shareOf(plan, starts, cpu, where.region, where.share);
  out.start = share.start;
  out.end = share.end;
  if (extent !== 'whole' && share.end > share.start) narrow(prng, 1 << plan.ptrsShift, extent, share, out);
}

function narrow(
  prng: Prng,
  ptrs: number,
  extent: Exclude<Extent, PageSpan>,
  share: PageRange,
  out: PageRange,
): void {
  if (extent === 'page') {
    out.start = share.start + prng.below(share.end - share.start);
    out.end = out.start + 1;
    return;
  }
  const firstSlot = Math.floor(share.start / ptrs);
  const slots = Math.ceil(share.end / ptrs) - firstSlot;
  const slot = firstSlot + prng.below(slots);
  const run = extent === 'slots' ? 1 + prng.below(SLOTS_RUN_MAX) : 1;
  out.start = Math.max(share.start, slot * ptrs);
  out.end = Math.min(share.end, (slot + run) * ptrs);
  if (extent !== 'part') return;
  const length = 1 + prng.below(out.end - out.start);
  out.start += prng.below(out.end - out.start - length + 1);
  out.end = out.start + length;
}
