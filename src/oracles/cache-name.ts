/** What a CPU's TLB and paging-structure cache come to remember, and what its flushes cover. */
import { type Pmd, pmdTable } from '#arch/pmd';
import { type Pte, ptePfn } from '#arch/pte';
import { tlbIndexOf, tlbSlotOf } from '#arch/tlb';
import {
  FLUSH_RECORD,
  PERCPU,
  PWC_ENTRY,
  PWC_SETS,
  TLB_ENTRY,
  TLB_SETS,
} from '#arena/layout/percpu';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import { pmdText, pteText } from './word-name.ts';

/** A clause with the table, page and index of the entry that it names; -1: it names none. */
export interface CacheAct {
  readonly kind: 'remembers' | 'flush-range';
  readonly text: string;
  readonly table: number;
  readonly page: number;
  readonly index: number;
}

const NOTHING = { table: -1, page: -1, index: -1 };
/** The word of a record that is stored last. */
const FLUSH_LAST = PERCPU.flush + FLUSH_RECORD.freedTables;
const PWC_LAST = PWC_ENTRY.pmd;
const TLB_LAST = TLB_ENTRY.page;

/** Whether a store to the word at `offset` of a CPU's block completes what `cacheActOf` tells. */
export function completesCacheAct(offset: number): boolean {
  if (offset === FLUSH_LAST) return true;
  const inPwc = offset - PERCPU.pwc;
  if (inPwc >= 0 && inPwc < PWC_SETS * PWC_ENTRY.sizeWords)
    return inPwc % PWC_ENTRY.sizeWords === PWC_LAST;
  const inTlb = offset - PERCPU.tlb;
  if (inTlb < 0 || inTlb >= TLB_SETS * TLB_ENTRY.sizeWords) return false;
  return inTlb % TLB_ENTRY.sizeWords === TLB_LAST;
}

/** What the store to the word at `offset` of the block at `block` has completed. */
export function cacheActOf(words: Words, map: ArenaMap, block: number, offset: number): CacheAct {
  if (offset === FLUSH_LAST)
    return { ...NOTHING, kind: 'flush-range', text: flushText(words, map, block) };
  const inTlb = offset - PERCPU.tlb;
  return inTlb >= 0 && inTlb < TLB_SETS * TLB_ENTRY.sizeWords
    ? translation(words, map, block, inTlb - TLB_LAST)
    : upperEntry(words, block + offset - PWC_LAST);
}

function translation(words: Words, map: ArenaMap, block: number, entry: number): CacheAct {
  const at = block + PERCPU.tlb + entry;
  const { ptrsShift } = map.geometry;
  const tag = words[at + TLB_ENTRY.tag]!;
  const pte = words[at + TLB_ENTRY.pte]! as Pte;
  const slot = tlbSlotOf(tag, ptrsShift);
  const index = tlbIndexOf(tag, entry / TLB_ENTRY.sizeWords, ptrsShift);
  const text = `remembers slot ${slot} entry ${index}: ${pteText(pte)}`;
  return { kind: 'remembers', text, table: -1, page: ptePfn(pte), index };
}

function upperEntry(words: Words, at: number): CacheAct {
  const pmd = words[at + PWC_ENTRY.pmd]! as Pmd;
  const text = `remembers slot ${words[at + PWC_ENTRY.tag]! - 1}: ${pmdText(pmd)}`;
  return { ...NOTHING, kind: 'remembers', text, table: pmdTable(pmd) };
}

function flushText(words: Words, { geometry }: ArenaMap, block: number): string {
  const at = block + PERCPU.flush;
  const { ptrsShift, levels } = geometry;
  const pageAt = (slot: number, index: number): number =>
    (words[at + slot]! << ptrsShift) + words[at + index]!;
  const start = pageAt(FLUSH_RECORD.startSlot, FLUSH_RECORD.startIndex);
  const end = pageAt(FLUSH_RECORD.endSlot, FLUSH_RECORD.endIndex);
  const what = words[at + FLUSH_RECORD.freedTables] === 0 ? 'pages only' : 'tables too';
  if (end - start >= 2 ** (ptrsShift * levels)) return `everything (${what})`;
  const [first, last] = [start >> ptrsShift, (end - 1) >> ptrsShift];
  const where = first === last ? `slot ${first}` : `slots ${first} to ${last}`;
  const isWhole = first << ptrsShift === start && (last + 1) << ptrsShift === end;
  return `${isWhole ? where : `entries in ${where}`} (${what})`;
}
