/**
 * What is mapped where in a recorded program, as far as its calls tell: private anonymous memory,
 * by protection, and everything else, which is opaque.
 */
import type { Protection } from '../plan.ts';
import type { Pages, RecordedCall } from './recording.ts';

export type Content = Protection | 'opaque';

/** The pages [start, end). */
export interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly content: Content;
}

export class AddressSpace {
  /** In ascending order; neighbours that touch differ in their content. */
  private readonly stretches: Stretch[] = [];
  private heap: Pages | null = null;

  /** Carries out a call. What it says of touches and advice changes nothing here. */
  apply(call: RecordedCall): void {
    const { page, pages } = call;
    switch (call.kind) {
      case 'mmap':
        this.put(page, page + pages, call.protection);
        break;
      case 'opaque':
        this.put(page, page + pages, 'opaque');
        break;
      case 'munmap':
        this.put(page, page + pages, null);
        break;
      case 'mprotect':
        for (const { start, end } of this.anonymous(page, page + pages))
          this.put(start, end, call.protection);
        break;
      case 'mremap':
        this.remap(call);
        break;
      case 'brk':
        this.setHeap(call);
        break;
    }
  }

  /** The heap as the last brk left it. */
  heapPages(): Pages | null {
    return this.heap;
  }

  /** Whether page `page` is in private anonymous memory. */
  isAnonymous(page: number): boolean {
    const found = this.stretches[this.firstEndingAfter(page)];
    return found !== undefined && found.start <= page && found.content !== 'opaque';
  }

  /** Whether all of [start, end) is opaque. */
  isOpaque(start: number, end: number): boolean {
    const found = this.stretches[this.firstEndingAfter(start)];
    return found !== undefined && found.start <= start && found.end >= end
      ? found.content === 'opaque'
      : false;
  }

  isFree(start: number, end: number): boolean {
    const found = this.stretches[this.firstEndingAfter(start)];
    return found === undefined || found.start >= end;
  }

  /** What is mapped in [start, end), cut to it, in ascending order. */
  within(start: number, end: number): Stretch[] {
    const found: Stretch[] = [];
    for (let i = this.firstEndingAfter(start); i < this.stretches.length; i++) {
      const each = this.stretches[i]!;
      if (each.start >= end) break;
      const { content } = each;
      found.push({ start: Math.max(start, each.start), end: Math.min(end, each.end), content });
    }
    return found;
  }

  /** Its private anonymous memory, of whatever protection: stretches that do not touch. */
  anonymous(start: number, end: number): { start: number; end: number }[] {
    const joined: { start: number; end: number }[] = [];
    for (const each of this.within(start, end)) {
      if (each.content === 'opaque') continue;
      const last = joined.at(-1);
      if (last?.end === each.start) last.end = each.end;
      else joined.push({ start: each.start, end: each.end });
    }
    return joined;
  }

  private remap({ page, pages, to, newPages }: RecordedCall & { kind: 'mremap' }): void {
    const moved = this.within(page, page + pages);
    const last = moved.at(-1)?.content ?? null;
    this.put(page, page + pages, null);
    this.put(to, to + newPages, null);
    for (const { start, end, content } of moved) {
      const from = to + start - page;
      this.put(from, Math.min(to + end - page, to + newPages), content);
    }
    this.put(to + pages, to + newPages, last);
  }

  private setHeap({ page, pages }: Pages): void {
    const before = this.heap?.page === page ? this.heap.pages : 0;
    this.heap = { page, pages };
    this.put(page + before, page + pages, 'write');
    this.put(page + pages, page + before, null);
  }

  /** `content` null: nothing is mapped there any more. An empty range changes nothing. */
  private put(start: number, end: number, content: Content | null): void {
    if (start >= end) return;
    const { stretches } = this;
    const from = this.firstEndingAfter(start);
    let to = from;
    while (to < stretches.length && stretches[to]!.start < end) to++;
    const first = stretches[from];
    const last = stretches[to - 1];
    const fresh: Stretch[] = [];
    if (to > from && first!.start < start) fresh.push({ ...first!, end: start });
    if (content !== null) fresh.push({ start, end, content });
    if (to > from && last!.end > end) fresh.push({ ...last!, start: end });
    const before = stretches[from - 1];
    const after = stretches[to];
    const joined = join([...(before ? [before] : []), ...fresh, ...(after ? [after] : [])]);
    const left = before ? from - 1 : from;
    stretches.splice(left, (after ? to + 1 : to) - left, ...joined);
  }

  /** Index of the first stretch that ends after `page`. */
  private firstEndingAfter(page: number): number {
    let low = 0;
    let high = this.stretches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.stretches[middle]!.end > page) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Neighbours of one content become one. */
function join(stretches: readonly Stretch[]): Stretch[] {
  const joined: Stretch[] = [];
  for (const each of stretches) {
    const last = joined.at(-1);
    if (last?.end === each.start && last.content === each.content)
      joined[joined.length - 1] = { ...last, end: each.end };
    else joined.push(each);
  }
  return joined;
}
