/** Which pages are looked at one by one at a checkpoint: those that operations since have named. */
import type { Op, PageSpan } from '#scenario/plan';

/** Pages that one checkpoint looks at, at most; the rest is seen in the figures only. */
const WATCHED_PAGES_MAX = 8192;

/** Collects the spans of operations between two checkpoints. */
export class Watch {
  private spans: PageSpan[] = [];
  private readonly pagesMax: number;
  private readonly starts: readonly number[];

  /** `pagesMax`: pages that `take` returns at most. */
  constructor(starts: readonly number[], pagesMax = WATCHED_PAGES_MAX) {
    this.starts = starts;
    this.pagesMax = pagesMax;
  }

  note(op: Op): void {
    if (!('region' in op)) return;
    const start = this.starts[op.region]!;
    if ('extent' in op && typeof op.extent === 'object')
      this.spans.push({ page: start + op.extent.page, pages: op.extent.pages });
    if (op.op === 'brk') this.spans.push({ page: start, pages: op.pages });
    if (op.op === 'mremap' && op.to !== null)
      this.spans.push({ page: start + op.to, pages: op.newPages });
  }

  /** What was named since the last call: ascending, merged, and no more than is looked at. */
  take(): PageSpan[] {
    const spans = this.spans.sort((a, b) => a.page - b.page);
    this.spans = [];
    const merged: PageSpan[] = [];
    let left = this.pagesMax;
    let seen = 0;
    for (const { page, pages } of spans) {
      const from = Math.max(page, seen);
      const count = Math.min(page + pages - from, left);
      if (count <= 0) continue;
      merged.push({ page: from, pages: count });
      left -= count;
      seen = from + count;
    }
    return merged;
  }
}
