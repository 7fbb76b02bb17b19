/**
 * A plan cut down to a few slots of its address space: those slots close up, regions and operations
 * keep what they have of them, and what has nothing goes.
 */
import type { Op, PageSpan, Plan, Region } from '#scenario/plan';
import { regionStarts } from '#scenario/regions';

export interface FewSlots {
  readonly regions: readonly Region[];
  /** Operations on what is left. */
  cutOps(ops: readonly Op[]): Op[];
  /** What is left of pages of a region, and that region's new number; null: nothing. */
  cutSpan(region: number, page: number, pages: number): (PageSpan & { region: number }) | null;
}

/** `slots`: by their numbers in the address space. */
export function fewSlots(plan: Plan, slots: readonly number[]): FewSlots {
  const ptrs = 2 ** plan.ptrsShift;
  // A page's place once the slots have closed up: so many of their pages lie before it.
  const closedUp = (page: number): number =>
    slots.reduce((sum, slot) => sum + Math.min(ptrs, Math.max(0, page - slot * ptrs)), 0);
  const starts = regionStarts(plan);
  const numbers: number[] = [];
  const regions: Region[] = [];
  let end = 0;
  for (const [i, region] of plan.regions.entries()) {
    const first = closedUp(starts[i]!);
    const pages = closedUp(starts[i]! + region.pages) - first;
    numbers.push(pages === 0 ? -1 : regions.length);
    if (pages === 0) continue;
    regions.push({ ...region, pages, gapPages: first - end });
    end = first + pages;
  }
  const cutSpan: FewSlots['cutSpan'] = (region, page, pages) => {
    const start = starts[region]! + page;
    const left = closedUp(start + pages) - closedUp(start);
    if (left === 0) return null;
    const from = closedUp(start) - closedUp(starts[region]!);
    return { region: numbers[region]!, page: from, pages: left };
  };
  const cutOps: FewSlots['cutOps'] = (ops) => ops.flatMap((op) => cutOp(op, numbers, cutSpan));
  return { regions, cutOps, cutSpan };
}

type Mremap = Op & { readonly op: 'mremap' };

function cutOp(op: Op, numbers: readonly number[], cutSpan: FewSlots['cutSpan']): Op[] {
  const all = (ops: readonly Op[]): Op[] => ops.flatMap((each) => cutOp(each, numbers, cutSpan));
  if (op.op === 'mix') {
    const choices = op.choices.map((choice) => ({ ...choice, do: all(choice.do) }));
    const left = choices.filter((choice) => choice.do.length > 0);
    return left.length === 0 ? [] : [{ ...op, choices: left }];
  }
  if ('region' in op && numbers[op.region] === -1) return [];
  if ('do' in op) {
    const left = all(op.do);
    if (left.length === 0) return [];
    return op.op === 'loop'
      ? [{ ...op, do: left }]
      : [{ ...op, do: left, region: numbers[op.region]!, share: 'all' }];
  }
  if (!('region' in op)) return [op];
  if (op.op === 'brk') {
    const heap = cutSpan(op.region, 0, op.pages);
    return [{ ...op, region: numbers[op.region]!, pages: heap?.pages ?? 0 }];
  }
  if (typeof op.extent !== 'object') return [{ ...op, region: numbers[op.region]!, share: 'all' }];
  const span = cutSpan(op.region, op.extent.page, op.extent.pages);
  if (span === null) return [];
  const { region, ...extent } = span;
  if (op.op === 'mremap') return cutMremap({ ...op, region, extent }, op, cutSpan);
  return [{ ...op, region, extent }];
}

/** `whole`: as it was. Where nothing is left of the new place, it is unmapped. */
function cutMremap(op: Mremap, whole: Mremap, cutSpan: FewSlots['cutSpan']): Op[] {
  const from = whole.to ?? (whole.extent as PageSpan).page;
  const place = cutSpan(whole.region, from, whole.newPages);
  const { region, extent, share } = op;
  if (place === null) return [{ op: 'munmap', region, extent, share }];
  return [{ ...op, to: whole.to === null ? null : place.page, newPages: place.pages }];
}
