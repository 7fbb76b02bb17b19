/** Where the machine puts the regions of a plan. */
import type { Plan } from './plan.ts';

/**
 * First page of each region; the first begins where a PMD table does, 1 GiB above zero on x86-64.
 */
export function regionStarts({
  levels,
  ptrsShift,
  regions,
}: Pick<Plan, 'levels' | 'ptrsShift' | 'regions'>): number[] {
  const starts: number[] = [];
  let end = 2 ** (Math.min(2, levels - 1) * ptrsShift);
  for (const { gapPages, pages } of regions) {
    starts.push(end + gapPages);
    end += gapPages + pages;
  }
  return starts;
}
