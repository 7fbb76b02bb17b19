/**
 * A model of mappings, by lists and sets: which VMAs there are, which tables, and what each page
 * holds, after any sequence of calls. It knows Linux's rules of merging and moving, and nothing of
 * locks, entries or protocols.
 */
import type { Protection } from '#scenario/plan';

/** Half open, in pages. */
export interface ModelVma {
  readonly start: number;
  readonly end: number;
  readonly protection: Protection;
  readonly accounted: boolean;
  /** What its pages' offsets are beyond their addresses; its `anon_vma`, or 0. */
  readonly shift: number;
  readonly anonVma: number;
}

type Mapping = Omit<ModelVma, 'start' | 'end'>;

/** What of a table is freed when: with its last entry, or after a zap of its whole slot. */
export interface Frees {
  readonly empty: boolean;
  readonly zapped: boolean;
}

export class MappingModel {
  vmas: ModelVma[] = [];
  /** Page -> value; 0 is the zero page. */
  entries = new Map<number, number>();
  /** Slots with a table. */
  readonly tables = new Set<number>();
  private anonVmas = 0;
  private heapPages = 0;
  private readonly ptrs: number;
  private readonly frees: Frees;

  constructor(ptrs: number, frees: Frees) {
    this.ptrs = ptrs;
    this.frees = frees;
  }

  mmap(start: number, end: number, protection: Protection): void {
    this.munmap(start, end);
    const accounted = protection === 'write';
    this.insert({ start, end, protection, accounted, shift: 0, anonVma: 0 }, true, true);
  }

  munmap(start: number, end: number): void {
    if (start >= end || !this.vmas.some((vma) => vma.start < end && start < vma.end)) return;
    this.split(start);
    this.split(end);
    this.vmas = this.vmas.filter((vma) => vma.end <= start || vma.start >= end);
    for (let page = start; page < end; page++) this.entries.delete(page);
    for (const slot of this.tables)
      if (!this.vmas.some((vma) => this.touches(vma, slot))) this.tables.delete(slot);
    this.freeEmpty();
  }

  mprotect(start: number, end: number, protection: Protection): boolean {
    for (let page = start; page < end; ) {
      const vma = this.vmaOf(page);
      if (vma === undefined) return false;
      const to = Math.min(vma.end, end);
      if (vma.protection !== protection) {
        const kept = protection !== 'write' && vma.accounted && vma.anonVma !== 0;
        const accounted = protection === 'write' || kept;
        this.split(page);
        this.split(to);
        const changed = this.vmas.findIndex(({ start: first }) => first === page);
        this.vmas[changed] = { ...this.vmas[changed]!, protection, accounted };
        this.mergeAt(page);
        this.mergeAt(to);
      }
      page = to;
    }
    return true;
  }

  mremap(from: number, pages: number, to: number | null, newPages: number): boolean {
    if (to === null) return this.resize(from, pages, newPages);
    if (to < from + pages && from < to + newPages) return false;
    const vma = this.vmaOf(from);
    if (vma === undefined) return false;
    if (pages !== newPages) {
      if (from + pages > vma.end) return false;
      this.move(from, pages, to, newPages);
      return true;
    }
    for (let page = from; page < from + pages; page++) {
      const part = this.vmaOf(page);
      if (part === undefined) continue;
      const length = Math.min(part.end, from + pages) - page;
      this.move(page, length, to + page - from, length);
      page += length - 1;
    }
    return true;
  }

  brk(start: number, pages: number): boolean {
    const old = start + this.heapPages;
    const end = start + pages;
    const isMapped = (first: number, last: number): boolean =>
      this.vmas.some((vma) => vma.start < last && first < vma.end);
    if (end < old && !isMapped(end, old)) return false;
    if (end > old && isMapped(old, end + 1)) return false;
    if (end < old) this.munmap(end, old);
    const mapping = { protection: 'write', accounted: true, shift: 0, anonVma: 0 } as const;
    if (end > old) this.insert({ start: old, end, ...mapping }, this.heapPages > 0, false);
    this.heapPages = pages;
    return true;
  }

  dontneed(start: number, end: number): void {
    for (const vma of this.vmas) {
      const [first, last] = [Math.max(start, vma.start), Math.min(end, vma.end)];
      for (let page = first; page < last; page++) this.entries.delete(page);
      for (const slot of this.tables)
        if (this.frees.zapped && first <= slot * this.ptrs && last >= (slot + 1) * this.ptrs)
          this.tables.delete(slot);
    }
    this.freeEmpty();
  }

  /** Whether it is allowed. */
  store(page: number, value: number): boolean {
    const vma = this.vmaOf(page);
    if (vma?.protection !== 'write') return false;
    this.writeFirst(vma);
    this.entries.set(page, value);
    this.tables.add(Math.floor(page / this.ptrs));
    return true;
  }

  /** The value, or -1. */
  load(page: number): number {
    const vma = this.vmaOf(page);
    if (vma === undefined || vma.protection === 'none') return -1;
    if (!this.entries.has(page)) this.entries.set(page, 0);
    this.tables.add(Math.floor(page / this.ptrs));
    return this.entries.get(page)!;
  }

  rss(): number {
    return [...this.entries.values()].filter((value) => value !== 0).length;
  }

  /** The first store to a VMA gives it an `anon_vma`: that of a neighbour it might merge with. */
  private writeFirst(vma: ModelVma): void {
    if (vma.anonVma !== 0) return;
    const at = this.vmas.indexOf(vma);
    const isNear = (a: ModelVma | undefined, b: ModelVma | undefined): boolean =>
      a !== undefined &&
      b !== undefined &&
      a.end === b.start &&
      a.shift === b.shift &&
      a.accounted === b.accounted;
    const [before, after] = [this.vmas[at - 1], this.vmas[at + 1]];
    let anonVma = isNear(vma, after) ? after!.anonVma : 0;
    if (anonVma === 0 && isNear(before, vma)) anonVma = before!.anonVma;
    this.vmas[at] = { ...vma, anonVma: anonVma || ++this.anonVmas };
  }

  private resize(from: number, pages: number, newPages: number): boolean {
    const vma = this.vmaOf(from);
    if (vma === undefined) return false;
    if (newPages <= pages) {
      this.munmap(from + newPages, from + pages);
      return true;
    }
    const next = this.vmas[this.vmas.indexOf(vma) + 1];
    if (vma.end !== from + pages || (next?.start ?? Infinity) < from + newPages) return false;
    this.insert({ ...vma, start: vma.end, end: from + newPages }, true, true);
    return true;
  }

  private move(from: number, pages: number, to: number, newPages: number): void {
    this.munmap(to, to + newPages);
    const kept = Math.min(pages, newPages);
    this.munmap(from + kept, from + pages);
    const vma = this.vmaOf(from)!;
    const shift = vma.anonVma === 0 ? 0 : vma.shift + from - to;
    this.insert({ ...vma, shift, start: to, end: to + newPages }, true, true);
    for (let i = 0; i < kept; ) {
      const [source, target] = [from + i, to + i];
      const indexes = [source % this.ptrs, target % this.ptrs];
      const length = Math.min(this.ptrs - Math.max(...indexes), kept - i);
      this.moveEntries(source, target, length);
      i += length;
    }
    this.munmap(from, from + kept);
  }

  /** Of one slot on each side. */
  private moveEntries(from: number, to: number, length: number): void {
    const [source, target] = [Math.floor(from / this.ptrs), Math.floor(to / this.ptrs)];
    if (!this.tables.has(source)) return;
    if (length === this.ptrs && !this.tables.has(target)) this.tables.delete(source);
    this.tables.add(target);
    for (let i = 0; i < length; i++) {
      const value = this.entries.get(from + i);
      this.entries.delete(from + i);
      if (value !== undefined) this.entries.set(to + i, value);
    }
  }

  private insert(vma: ModelVma, left: boolean, right: boolean): void {
    const before = this.vmas.find(({ end }) => end === vma.start);
    const after = this.vmas.find(({ start }) => start === vma.end);
    const joinsLeft = left && before !== undefined && areOne(before, vma);
    let joinsRight = right && after !== undefined && areOne(vma, after);
    if (joinsLeft && joinsRight) joinsRight = areOne(before, after!);
    let merged = vma;
    if (joinsLeft) merged = joined(before, merged);
    if (joinsRight) merged = joined(merged, after!);
    this.vmas = this.vmas.filter(
      (other) => !(joinsLeft && other === before) && !(joinsRight && other === after),
    );
    this.vmas.push(merged);
    this.vmas.sort((a, b) => a.start - b.start);
  }

  /** Merges the two VMAs that meet at `page`, if they can be one. */
  private mergeAt(page: number): void {
    const at = this.vmas.findIndex(({ start }) => start === page);
    const [before, after] = [this.vmas[at - 1], this.vmas[at]];
    if (at < 1 || before!.end !== page || !areOne(before!, after!)) return;
    this.vmas.splice(at - 1, 2, joined(before!, after!));
  }

  private split(page: number): void {
    const at = this.vmas.findIndex(({ start, end }) => start < page && page < end);
    if (at < 0) return;
    const vma = this.vmas[at]!;
    this.vmas.splice(at, 1, { ...vma, end: page }, { ...vma, start: page });
  }

  private vmaOf(page: number): ModelVma | undefined {
    return this.vmas.find(({ start, end }) => start <= page && page < end);
  }

  private touches(vma: ModelVma, slot: number): boolean {
    return vma.start < (slot + 1) * this.ptrs && slot * this.ptrs < vma.end;
  }

  private freeEmpty(): void {
    if (!this.frees.empty) return;
    const filled = new Set([...this.entries.keys()].map((page) => Math.floor(page / this.ptrs)));
    for (const slot of this.tables) if (!filled.has(slot)) this.tables.delete(slot);
  }
}

function areOne(a: Mapping, b: Mapping): boolean {
  const ids = a.anonVma === b.anonVma || a.anonVma === 0 || b.anonVma === 0;
  const flags = a.protection === b.protection && a.accounted === b.accounted;
  return flags && a.shift === b.shift && ids;
}

function joined(a: ModelVma, b: ModelVma): ModelVma {
  return { ...a, end: b.end, anonVma: a.anonVma || b.anonVma };
}
