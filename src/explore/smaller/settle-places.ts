/** Where an operation applies, drawn once: from a share and an extent to pages of the region. */
import type { Prng } from '#base/prng';
import type { PageSpan, Plan, Share, Where } from '#scenario/plan';

/** Pages of a region; there may be none. */
export type Span = PageSpan;

/** Slots that one `slots` extent covers at most. */
const SLOTS_RUN_MAX = 8;

/** The places of one CPU's operations. */
export class Places {
  private readonly plan: Plan;
  private readonly cpu: number;
  private readonly prng: Prng;

  constructor(plan: Plan, cpu: number, prng: Prng) {
    this.plan = plan;
    this.cpu = cpu;
    this.prng = prng;
  }

  /** This CPU's share of a region: all of it, or an equal, slot-aligned part. */
  share(region: number, share: Share): Span {
    const { pages } = this.plan.regions[region]!;
    if (share === 'all') return { page: 0, pages };
    const { cpus } = this.plan;
    const { ptrs, first, slots } = this.slotsOf(region);
    const from = Math.floor((slots * this.cpu) / cpus) * ptrs - first;
    const to = Math.floor((slots * (this.cpu + 1)) / cpus) * ptrs - first;
    const page = Math.max(0, from);
    return { page, pages: Math.max(0, Math.min(pages, to) - page) };
  }

  /** Draws the pages that `where`, which is no chunk, means. */
  draw({ region, extent, share }: Where): Span {
    if (typeof extent === 'object') return extent;
    const all = this.share(region, share);
    if (extent === 'whole' || all.pages === 0) return all;
    if (extent === 'page') return { page: all.page + this.prng.below(all.pages), pages: 1 };
    const { ptrs, first } = this.slotsOf(region);
    const firstSlot = Math.floor((first + all.page) / ptrs);
    const slots = Math.ceil((first + all.page + all.pages) / ptrs) - firstSlot;
    const slot = firstSlot + this.prng.below(slots);
    const run = extent === 'slots' ? 1 + this.prng.below(SLOTS_RUN_MAX) : 1;
    const start = Math.max(all.page, slot * ptrs - first);
    const end = Math.min(all.page + all.pages, (slot + run) * ptrs - first);
    if (extent !== 'part') return { page: start, pages: end - start };
    const length = 1 + this.prng.below(end - start);
    return { page: start + this.prng.below(end - start - length + 1), pages: length };
  }

  /** Entries per table, the index of the region's first page in its slot, and its slots. */
  private slotsOf(region: number): { ptrs: number; first: number; slots: number } {
    const ptrs = 2 ** this.plan.ptrsShift;
    let start = 0;
    for (const { pages, gapPages } of this.plan.regions.slice(0, region)) start += gapPages + pages;
    const { pages, gapPages } = this.plan.regions[region]!;
    const first = (start + gapPages) % ptrs;
    return { ptrs, first, slots: Math.ceil((first + pages) / ptrs) };
  }
}
