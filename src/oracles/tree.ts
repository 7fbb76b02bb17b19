/**
 * The audit's own walk of the page tables, from the pgd over all levels. It takes nothing on trust:
 * an entry that is not what it should be becomes a misfit, for a judge to name, and the walk goes
 * on where that makes sense.
 */

import { type Pmd, pmdMatchesFrame, pmdTable, pmdTablePresent } from '#arch/pmd';
import { MARKER, PTE_KIND, type Pte, pteKind, ptePfn, ptePresent } from '#arch/pte';
import { MM } from '#arena/layout/mm';
import { ZERO_PFN } from '#arena/layout/page';
import { FRAME, frameLevelOf, frameStateOf, PTDESC, PTDESC_SHIFT } from '#arena/layout/ptdesc';
import { type Evidence, framesOf } from './evidence.ts';
import { type Coverage, firstEndingAfter } from './vma-map.ts';

const MARKERS: ReadonlySet<number> = new Set(Object.values(MARKER));
/** Kinds of entries that name a page; 0: present. */
const NAMES_PAGE: ReadonlySet<number> = new Set([
  0,
  PTE_KIND.swap,
  PTE_KIND.migration,
  PTE_KIND.protNone,
]);
/** Misfits of one kind that are kept. */
const KEPT_MAX = 16;

/**
 * - `pgd`: the mm's pgd is no table of the top level
 * - `upper`: an upper entry is neither none nor a table
 * - `zero`: an upper entry names table 0, or a PTE page 0
 * - `beyond`: an upper entry or PTE names a frame that has never been handed out
 * - `frame`: the frame's state, level or generation is not what the entry says
 * - `twice`: a table is hooked a second time
 * - `body`: a table's body does not exist or says that it belongs to another table
 * - `body-twice`: two tables have the same body
 * - `stray-entry`, `stray-table`: outside every VMA
 * - `kind`: a PTE is of no kind, or a marker of nothing
 * - `migration`: a migration entry, though nobody migrates any more
 */
export type MisfitKind =
  | ('pgd' | 'upper' | 'zero' | 'beyond' | 'frame' | 'twice')
  | ('body' | 'body-twice' | 'stray-entry' | 'stray-table')
  | ('kind' | 'migration');

export interface Misfit {
  readonly what: MisfitKind;
  /** The table that holds the entry, and the entry; of a body, `entry` is its number. */
  readonly table: number;
  readonly level: number;
  readonly index: number;
  readonly entry: number;
  readonly slot: number;
}

export interface Tree {
  /**
   * How often the walk came to each table, body and page (at 255 it stops counting); to pages by
   * entries that map them, and by swap entries.
   */
  readonly tables: Uint8Array;
  readonly bodies: Uint8Array;
  readonly pages: Uint8Array;
  readonly swaps: Uint8Array;
  /**
   * Entries that are not none, per PTE table; -1: not walked. And the slot of each table walked.
   */
  readonly entries: Int16Array;
  readonly slots: Int32Array;
  /** Tables hooked, by level; the pgd is not. */
  readonly hooked: readonly number[];
  /** Entries that map a page other than the zero page, present or not; and swap entries. */
  readonly mapped: number;
  readonly swapped: number;
  readonly misfits: readonly Misfit[];
  /** False: a misfit kept the walk from going on, so what it did not reach proves nothing. */
  readonly isComplete: boolean;
}

/** Walks the tree; at exit there is none left, and nothing is reached. */
export function walkTree(evidence: Evidence, coverage: Coverage): Tree {
  const walk = new Walk(evidence, coverage);
  if (evidence.moment !== 'exit') walk.begin();
  return walk;
}

class Walk implements Tree {
  readonly tables: Uint8Array;
  readonly bodies: Uint8Array;
  readonly pages: Uint8Array;
  readonly swaps: Uint8Array;
  readonly entries: Int16Array;
  readonly slots: Int32Array;
  readonly hooked = [0, 0, 0, 0];
  mapped = 0;
  swapped = 0;
  readonly misfits: Misfit[] = [];
  isComplete = true;
  private readonly evidence: Evidence;
  private readonly coverage: Coverage;
  private readonly shift: number;
  private readonly kept = new Map<MisfitKind, number>();

  constructor(evidence: Evidence, coverage: Coverage) {
    this.evidence = evidence;
    this.coverage = coverage;
    this.shift = evidence.map.geometry.ptrsShift;
    const tables = framesOf(evidence, 'table').fresh;
    this.tables = new Uint8Array(tables);
    this.bodies = new Uint8Array(framesOf(evidence, 'body').fresh);
    this.pages = new Uint8Array(framesOf(evidence, 'page').fresh);
    this.swaps = new Uint8Array(this.pages.length);
    this.entries = new Int16Array(tables).fill(-1);
    this.slots = new Int32Array(tables);
  }

  begin(): void {
    const { words, map } = this.evidence;
    const pgd = words[map.mm + MM.pgd]!;
    const top = map.geometry.levels - 1;
    const exists = pgd > 0 && pgd < this.tables.length;
    const state = exists ? words[this.descriptor(pgd) + PTDESC.state]! : 0;
    if (frameStateOf(state) !== FRAME.table || frameLevelOf(state) !== top) {
      this.refuse('pgd', pgd, top, 0, state, 0);
    } else {
      this.tables[pgd] = 1;
      this.upper(pgd, top, 0);
    }
  }

  /** All entries of upper table `table`, whose first reaches slot `base`. */
  private upper(table: number, level: number, base: number): void {
    const { words, map } = this.evidence;
    const at = this.descriptor(table);
    if (level === 1) this.takeBody(table, level, words[at + PTDESC.use]!, base);
    if (!this.takeBody(table, level, words[at + PTDESC.body]!, base)) return;
    const first = map.bodies + (words[at + PTDESC.body]! << this.shift);
    const reach = 2 ** (this.shift * (level - 1));
    for (let i = 0; i < 1 << this.shift; i++) {
      const entry = words[first + i]!;
      if (entry === 0) continue;
      const slot = base + i * reach;
      if (!this.enter(table, level, i, entry as Pmd, slot)) continue;
      if (level === 1) this.ptes(pmdTable(entry as Pmd), slot);
      else this.upper(pmdTable(entry as Pmd), level - 1, slot);
    }
  }

  /** Checks that an upper entry leads to the right table; false: the walk does not go there. */
  private enter(table: number, level: number, index: number, entry: Pmd, slot: number): boolean {
    const misfit = (what: MisfitKind): false => {
      this.refuse(what, table, level, index, entry, slot);
      return false;
    };
    if (!pmdTablePresent(entry)) return misfit('upper');
    const child = pmdTable(entry);
    if (child === 0) return misfit('zero');
    if (child >= this.tables.length) return misfit('beyond');
    if (this.tables[child] !== 0) {
      this.note('twice', table, level, index, entry, slot);
      return false;
    }
    this.tables[child] = 1;
    this.hooked[level - 1]!++;
    this.slots[child] = slot;
    const { words } = this.evidence;
    const state = words[this.descriptor(child) + PTDESC.state]!;
    const isAlive = frameStateOf(state) !== FRAME.free && frameLevelOf(state) === level - 1;
    if (!isAlive) return misfit('frame');
    if (!pmdMatchesFrame(entry, state)) this.note('frame', table, level, index, entry, slot);
    const start = slot * 2 ** this.shift;
    const reach = 2 ** (this.shift * level);
    const next = firstEndingAfter(this.coverage, start);
    if (next === this.coverage.ends.length || this.coverage.starts[next]! >= start + reach)
      this.note('stray-table', child, level - 1, 0, entry, slot);
    return true;
  }

  /** All entries of PTE table `table`. */
  private ptes(table: number, slot: number): void {
    const { words, map } = this.evidence;
    const body = words[this.descriptor(table) + PTDESC.body]!;
    this.entries[table] = 0;
    if (body === 0 && map.geometry.backing === 'on-demand') return;
    if (!this.takeBody(table, 0, body, slot)) return;
    const first = map.bodies + (body << this.shift);
    const { pages } = this;
    let entries = 0;
    let mapped = 0;
    for (let i = 0; i < 1 << this.shift; i++) {
      const entry = words[first + i]!;
      if (entry === 0) continue;
      entries++;
      const pfn = ptePfn(entry as Pte);
      if (!ptePresent(entry as Pte) || pfn === 0 || pfn >= pages.length)
        this.unusual(table, i, entry as Pte, slot);
      else if (pfn !== ZERO_PFN) {
        mapped++;
        if (pages[pfn]! < 255) pages[pfn]!++;
      }
    }
    this.entries[table] = entries;
    this.mapped += mapped;
    if (entries !== 0) this.checkCover(table, slot, first);
  }

  /** An entry that is not present, or that maps no page that exists. */
  private unusual(table: number, index: number, entry: Pte, slot: number): void {
    const kind = pteKind(entry);
    const isMarker = kind === PTE_KIND.marker;
    if (isMarker ? !MARKERS.has(ptePfn(entry)) : !NAMES_PAGE.has(kind)) {
      this.note('kind', table, 0, index, entry, slot);
      return;
    }
    const isZeroPage = kind === PTE_KIND.protNone && ptePfn(entry) === ZERO_PFN;
    if (isMarker || isZeroPage) return;
    if (kind === PTE_KIND.migration) this.note('migration', table, 0, index, entry, slot);
    if (kind === PTE_KIND.swap) this.swapped++;
    else this.mapped++;
    const counts = kind === PTE_KIND.swap ? this.swaps : this.pages;
    const pfn = ptePfn(entry);
    if (pfn === 0) this.note('zero', table, 0, index, entry, slot);
    else if (pfn >= counts.length) this.note('beyond', table, 0, index, entry, slot);
    else if (counts[pfn]! < 255) counts[pfn]!++;
  }

  /** Every entry of a PTE table lies in a VMA. */
  private checkCover(table: number, slot: number, first: number): void {
    const { words } = this.evidence;
    const { starts, ends } = this.coverage;
    const start = slot * 2 ** this.shift;
    let vma = firstEndingAfter(this.coverage, start);
    if (vma < ends.length && starts[vma]! <= start && ends[vma]! >= start + 2 ** this.shift) return;
    for (let i = 0; i < 1 << this.shift; i++) {
      const entry = words[first + i]!;
      if (entry === 0) continue;
      while (vma < ends.length && ends[vma]! <= start + i) vma++;
      if (vma === ends.length || starts[vma]! > start + i)
        this.note('stray-entry', table, 0, i, entry, slot);
    }
  }

  /** Counts `body` as in use by `table`; false: it cannot be read. */
  private takeBody(table: number, level: number, body: number, slot: number): boolean {
    const { words, map } = this.evidence;
    if (body <= 0 || body >= this.bodies.length) {
      this.refuse('body', table, level, 0, body, slot);
      return false;
    }
    if (this.bodies[body] !== 0) this.note('body-twice', table, level, 0, body, slot);
    else if (words[map.owners + body] !== table) this.note('body', table, level, 0, body, slot);
    this.bodies[body] = 1;
    return true;
  }

  private refuse(
    what: MisfitKind,
    table: number,
    level: number,
    index: number,
    entry: number,
    slot: number,
  ): void {
    this.isComplete = false;
    this.note(what, table, level, index, entry, slot);
  }

  private note(
    what: MisfitKind,
    table: number,
    level: number,
    index: number,
    entry: number,
    slot: number,
  ): void {
    const before = this.kept.get(what) ?? 0;
    this.kept.set(what, before + 1);
    if (before < KEPT_MAX) this.misfits.push({ what, table, level, index, entry, slot });
  }

  private descriptor(table: number): number {
    return this.evidence.map.ptdescs + (table << PTDESC_SHIFT);
  }
}
