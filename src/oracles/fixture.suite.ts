/**
 * A machine at rest, built by hand: the words that a clean run leaves, written directly, so that a
 * test can corrupt one of them. Nothing of the tested wing takes part.
 */

import { mkPmd, type Pmd, pmdTable } from '#arch/pmd';
import { mkPte } from '#arch/pte';
import { CONTROL } from '#arena/layout/control';
import { MM, VMA } from '#arena/layout/mm';
import {
  FIRST_PFN,
  PAGE,
  PAGE_DESC_SHIFT,
  PAGE_GENERATION_SHIFT,
  PAGE_STATE,
} from '#arena/layout/page';
import { FACT_RECORD, PERCPU } from '#arena/layout/percpu';
import { FRAME, frameState, PTDESC, PTDESC_SHIFT, USE_COUNT_MASK } from '#arena/layout/ptdesc';
import { type ArenaMap, arenaMap, type Geometry } from '#arena/map';
import type { Words } from '#arena/word';
import { COUNTER } from '#trace/counters';
import { FACT, type FactName } from '#trace/fact';
import type { Evidence } from './evidence.ts';
import { judge } from './judges.ts';

const POISON = 0x5a5a5a58;

export const SMALL: Geometry = {
  cpus: 3,
  ptrsShift: 3,
  levels: 3,
  tables: 32,
  bodies: 64,
  pages: 64,
  vmas: 8,
  gatherPages: 4,
  batch: 4,
  backing: 'fixed',
};

export class Fixture {
  readonly map: ArenaMap;
  readonly words: Words;
  readonly pgd: number;
  splitLocks = true;
  countsEntries = false;
  ticketClasses = 0;

  /** A booted machine without VMAs. */
  constructor(more: Partial<Geometry> = {}) {
    this.map = arenaMap({ ...SMALL, ...more });
    this.words = new Int32Array(new SharedArrayBuffer(4 * this.map.sizeWords));
    this.words[CONTROL.tableFresh] = 1;
    this.words[CONTROL.bodyFresh] = 1;
    this.words[CONTROL.zoneFresh] = FIRST_PFN;
    this.words[CONTROL.rcuEpoch] = 1;
    this.words[this.map.mm + MM.lockSeq] = 1;
    this.pgd = this.table(this.map.geometry.levels - 1);
    this.words[this.map.mm + MM.pgd] = this.pgd;
  }

  judge(moment: Evidence['moment'] = 'fair'): string[] {
    return this.verdicts(moment).map(({ kind }) => kind);
  }

  verdicts(moment: Evidence['moment'] = 'fair') {
    const { words, map, splitLocks, countsEntries, ticketClasses } = this;
    return judge({ words, map, splitLocks, countsEntries, ticketClasses, moment });
  }

  descriptor(table: number): number {
    return this.map.ptdescs + (table << PTDESC_SHIFT);
  }

  page(pfn: number): number {
    return this.map.pages + (pfn << PAGE_DESC_SHIFT);
  }

  block(cpu: number): number {
    return this.map.percpu + cpu * this.map.percpuWords;
  }

  /** Place of entry `index` of `table`. */
  entry(table: number, index: number): number {
    const body = this.words[this.descriptor(table) + PTDESC.body]!;
    return this.map.bodies + (body << this.map.geometry.ptrsShift) + index;
  }

  body(owner: number): number {
    const body = this.words[CONTROL.bodyFresh]++;
    this.words[this.map.owners + body] = owner;
    return body;
  }

  /** A table that is not hooked yet. */
  table(level: number): number {
    const table = this.words[CONTROL.tableFresh]++;
    const at = this.descriptor(table);
    this.words[at + PTDESC.state] = frameState(FRAME.table, level, 1 + (table % 40));
    if (level !== 0 || this.map.geometry.backing === 'fixed')
      this.words[at + PTDESC.body] = this.body(table);
    if (level === 1) this.words[at + PTDESC.use] = this.body(table);
    return table;
  }

  hook(parent: number, index: number, child: number): void {
    const state = this.words[this.descriptor(child) + PTDESC.state]!;
    this.words[this.entry(parent, index)] = mkPmd(child, state);
    const level = (state >>> 7) & 3;
    this.words[this.map.mm + [MM.nrPtes, MM.nrPmds, MM.nrPuds][level]!]!++;
  }

  /** The PTE table of `slot`, with all that is needed above it. */
  pteTable(slot: number): number {
    const { ptrsShift, levels } = this.map.geometry;
    let table = this.pgd;
    for (let level = levels - 1; level > 0; level--) {
      const index = (slot >>> ((level - 1) * ptrsShift)) & ((1 << ptrsShift) - 1);
      if (this.words[this.entry(table, index)] === 0)
        this.hook(table, index, this.table(level - 1));
      table = pmdTable(this.words[this.entry(table, index)] as Pmd);
    }
    return table;
  }

  /** Maps `pfn` (a fresh page by default) at (slot, index); returns the entry's place. */
  mapPage(slot: number, index: number, pfn = this.words[CONTROL.zoneFresh]++): number {
    const table = this.pteTable(slot);
    const at = this.descriptor(table);
    if (this.words[at + PTDESC.body] === 0) this.words[at + PTDESC.body] = this.body(table);
    // Filled by cpu1, as a madvise in its operation 17.
    const count = (this.words[at + PTDESC.use]! & USE_COUNT_MASK) + 1;
    this.words[at + PTDESC.use] = count | (3 << 10) | (1 << 16) | (17 << 24);
    this.words[this.entry(table, index)] = mkPte(pfn, pfn !== 1, pfn !== 1);
    if (pfn !== 1) {
      this.words[this.page(pfn) + PAGE.state] = PAGE_STATE.mapped | (1 << PAGE_GENERATION_SHIFT);
      this.words[this.block(pfn % this.map.geometry.cpus) + COUNTER.rss]!++;
    }
    return this.entry(table, index);
  }

  /** A VMA of whole slots, [from, to). */
  vma(vma: number, from: number, to: number): void {
    const at = this.map.vmas + vma * VMA.sizeWords;
    this.words[at + VMA.startSlot] = from;
    this.words[at + VMA.endSlot] = to;
    this.words[at + VMA.attached] = 1;
    const count = this.words[this.map.vmaMaps]++;
    this.words[this.map.vmaMaps + 1 + count] = vma;
  }

  /** A free table, body and page, in the shared lists or in `cpu`'s caches. */
  freeFrames(cpu: number | null): { table: number; body: number; page: number } {
    const { words, map } = this;
    const { ptrsShift } = map.geometry;
    const table = words[CONTROL.tableFresh]++;
    words[this.descriptor(table) + PTDESC.state] = frameState(FRAME.free, 0, 3);
    const body = this.body(table);
    words.fill(POISON, map.bodies + (body << ptrsShift), map.bodies + ((body + 1) << ptrsShift));
    const page = words[CONTROL.zoneFresh]++;
    words[this.page(page) + PAGE.state] = PAGE_STATE.free | (3 << PAGE_GENERATION_SHIFT);
    if (cpu === null) {
      words[this.descriptor(table) + PTDESC.use] = words[CONTROL.tableHead]!;
      words[map.owners + body] = words[CONTROL.bodyHead]!;
      words[this.page(page) + PAGE.content] = words[CONTROL.zoneHead]!;
      words[CONTROL.tableHead] = table;
      words[CONTROL.bodyHead] = body;
      words[CONTROL.zoneHead] = page;
    } else {
      const block = this.block(cpu);
      words[block + PERCPU.tables + words[block + PERCPU.tableCount]++] = table;
      words[block + PERCPU.bodies + words[block + PERCPU.bodyCount]++] = body;
      words[block + map.pcp + words[block + PERCPU.pageCount]++] = page;
    }
    return { table, body, page };
  }

  /** Notes a fact of CPU `cpu`, which is at a fault in its operation 17. */
  fact(cpu: number, kind: FactName, ...words: number[]): void {
    const block = this.block(cpu);
    const at =
      block + PERCPU.facts + this.words[block + PERCPU.factCount]++ * FACT_RECORD.sizeWords;
    this.words[at + FACT_RECORD.kind] = FACT[kind];
    this.words[at + FACT_RECORD.actor] = 2;
    this.words[at + FACT_RECORD.operation] = 17;
    for (const [i, word] of words.entries()) this.words[at + FACT_RECORD.a + i] = word;
  }
}

/** Two VMAs, four PTE tables, pages, the zero page, an empty table, and frames in all lists. */
export function balanced(more: Partial<Geometry> = {}): Fixture {
  const fixture = new Fixture(more);
  fixture.vma(2, 8, 11);
  fixture.vma(1, 16, 18);
  fixture.mapPage(8, 0);
  fixture.mapPage(8, 7);
  fixture.mapPage(9, 3);
  fixture.mapPage(9, 4, 1);
  fixture.pteTable(10);
  fixture.mapPage(17, 1);
  for (const cpu of [null, null, 0, 1, 1, null]) fixture.freeFrames(cpu);
  return fixture;
}
