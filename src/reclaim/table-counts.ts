/**
 * Counts per PTE table: the entries that are not none, and those that map the shared zero page. One
 * plain word, changed under the ptl with each change of an entry, so that nobody has to look at all
 * entries to know whether a table is empty. 512 fit into the ten bits of each.
 */
import type { Cpu } from '#arch/cpu';
import { boundMap } from '#arena/arena';
import { COUNTS_MASK, COUNTS_ZEROS_SHIFT, TABLE_COUNTS } from '#arena/layout/protocol-words';
import { peek, poke, read, write } from '#arena/word';

/** A table that is about to be used has no entries. */
export function resetCounts(table: number): void {
  poke(countsAt(table), 0);
}

/** `entries` more (or fewer) are not none, `zeros` of them map the zero page; under the ptl. */
export function countEntries(cpu: Cpu, table: number, entries: number, zeros: number): void {
  const at = countsAt(table);
  write(cpu, at, peek(at) + entries + (zeros << COUNTS_ZEROS_SHIFT));
}

/** The word as it stands; stable only under the ptl. */
export function countsOf(cpu: Cpu, table: number): number {
  return read(cpu, countsAt(table));
}

/** Entries of `table` that are not none; stable only under the ptl. */
export function mappedEntries(cpu: Cpu, table: number): number {
  return mappedOf(countsOf(cpu, table));
}

/** Entries that are not none, by the word `counts`. */
export function mappedOf(counts: number): number {
  return counts & COUNTS_MASK;
}

/** Entries that map the zero page, by the word `counts`. */
export function zerosOf(counts: number): number {
  return (counts >>> COUNTS_ZEROS_SHIFT) & COUNTS_MASK;
}

function countsAt(table: number): number {
  return boundMap().tableWords + table * TABLE_COUNTS.sizeWords;
}
