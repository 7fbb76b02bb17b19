/**
 * What a swap fault reads ahead: the swap entries next to its own (after `swap_vma_readahead`).
 * There is no swap cache, so nothing comes in; what is simulated is the look at the table, and that
 * reading a page in may sleep. The fault holds no reference to the table here.
 */
import type { Cpu } from '#arch/cpu';
import { type Pmdp, pmdMatchesFrame, pmdTable } from '#arch/pmd';
import { PTE_KIND, type Pte, type Ptep, pteKind } from '#arch/pte';
import { ptdescAt, ptrsMask } from '#arena/arena';
import { PTDESC } from '#arena/layout/ptdesc';
import { peek } from '#arena/word';
import { COUNTER, count } from '#trace/counters';
import type { Mm } from './mm.ts';
import { checkFrame, ptepGet } from './pgtable.ts';
import { pteOffsetMap, pteOffsetMapHeld, pteUnmap } from './pte-offset-map.ts';
import { scheduledAway } from './scheduled-away.ts';
import { reactsAsPosted } from './walkers/reactions.ts';

/** Entries of one window, of which the fault's is one. */
const WINDOW = 4;

/** Reads ahead for a swap fault at (slot, index). */
export function swapVmaReadahead(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, index: number): void {
  const first = index & ~(WINDOW - 1);
  const end = Math.min(first + WINDOW, ptrsMask() + 1);
  if (reactsAsPosted()) readaheadPosted(cpu, mm, pmdp, first, end, index);
  else readahead(cpu, mm, pmdp, slot, first, end, index);
}

/** A table that is gone has nothing to read; it is let go while a page is read in. */
function readahead(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  first: number,
  end: number,
  index: number,
): void {
  for (let at = first; at < end; at++) {
    if (at === index) continue;
    const ptep = pteOffsetMap(cpu, mm, pmdp, slot, at);
    if (ptep === 0) return;
    const { pmdval } = cpu;
    const value = ptepGet(cpu, ptep);
    pteUnmap(cpu, mm, pmdp, slot, pmdval);
    readIn(cpu, value);
  }
}

/**
 * As posted: the table is mapped once, without a reference, and its entries are read on while pages
 * are read in (S-23).
 */
function readaheadPosted(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  first: number,
  end: number,
  index: number,
): void {
  const ptep = pteOffsetMapHeld(cpu, mm, pmdp, first);
  const { pmdval } = cpu;
  const statep = ptdescAt(pmdTable(pmdval)) + PTDESC.state;
  for (let at = first; at < end; at++) {
    if (at === index) continue;
    const value = ptepGet(cpu, (ptep + at - first) as Ptep);
    if (!pmdMatchesFrame(pmdval, peek(statep))) checkFrame(cpu, pmdval, 0);
    readIn(cpu, value);
  }
}

/** Reads in the page of a swap entry; of others there is none. */
function readIn(cpu: Cpu, value: Pte): void {
  if (pteKind(value) !== PTE_KIND.swap) return;
  count(cpu, COUNTER.swapReadahead, 1);
  scheduledAway(cpu);
}
