/**
 * An operation as several smaller ones that do the same, one after the other: touches page by page,
 * and what goes through entries slot by slot. Whatever has a meaning as a whole stays whole.
 */
import type { Op, Plan, Where } from '#scenario/plan';

type Touch = Op & { readonly op: 'touch' };

export function inPieces(plan: Plan, op: Op): Op[] {
  const slot = 2 ** plan.ptrsShift;
  switch (op.op) {
    case 'touch':
      if (op.pages === 'every') return cut(op, 1, 0);
      return op.pages === 'one-per-slot' ? firstPages(op, slot) : [op];
    case 'dontneed':
    case 'madvise':
    case 'walk':
    case 'reclaim':
      return cut(op, slot, firstIndexOf(plan, op.region));
    default:
      return [op];
  }
}

/** Cut at every `step` pages; `first`: how many of them come before the region. */
function cut<T extends Op & Where>(op: T, step: number, first: number): T[] {
  const { extent } = op;
  if (typeof extent !== 'object') return [op];
  const end = extent.page + extent.pages;
  const pieces: T[] = [];
  for (let page = extent.page; page < end; ) {
    const next = Math.min(end, (Math.floor((page + first) / step) + 1) * step - first);
    pieces.push({ ...op, extent: { page, pages: next - page } });
    page = next;
  }
  return pieces;
}

/** Of a touch of one page per slot; slots are counted from its first page on. */
function firstPages(op: Touch, slot: number): Op[] {
  const { extent } = op;
  if (typeof extent !== 'object') return [op];
  const pieces: Op[] = [];
  for (let page = extent.page; page < extent.page + extent.pages; page += slot)
    pieces.push({ ...op, pages: 'every', extent: { page, pages: 1 } });
  return pieces;
}

/** The index of a region's first page in its slot. */
function firstIndexOf({ ptrsShift, regions }: Plan, region: number): number {
  let end = 0;
  for (const { pages, gapPages } of regions.slice(0, region)) end += gapPages + pages;
  return (end + regions[region]!.gapPages) % 2 ** ptrsShift;
}
