/**
 * An entry of an upper-level table (pmd, pud, pgd: one format) in one 32-bit word.
 *
 *     bits 0-1   type: none, table, huge leaf, migration
 *     bits 2-6   of a table: low bits of its frame's generation when it was hooked
 *     bits 7-31  table number (2^25 tables: 64 TiB mapped by PTE tables), or the leaf's payload
 *
 * The generation makes stale values visible: type and generation stand where the frame's state word
 * has state and generation (arena/layout/ptdesc.ts). The kernel's pmd has no such bits, so
 * `pmdSame` does not look at them.
 */
import { FRAME_IDENTITY_MASK } from '#arena/layout/ptdesc';

declare const pmd: unique symbol;
/** An upper-level entry's value. */
export type Pmd = number & { readonly [pmd]: true };
declare const pmdp: unique symbol;
/** An upper-level entry's place in the arena. */
export type Pmdp = number & { readonly [pmdp]: true };

export const PMD_NONE = 0 as Pmd;
export const TABLES_MAX = 2 ** 25 - 1;

const TYPE_MASK = 0x3;
const TYPE_TABLE = 1;
const TYPE_HUGE = 2;
const TABLE_SHIFT = 7;
const GENERATION_MASK = FRAME_IDENTITY_MASK & ~TYPE_MASK;

/** The entry for `table`, whose state word is `frame`. */
export function mkPmd(table: number, frame: number): Pmd {
  return ((table << TABLE_SHIFT) | (frame & GENERATION_MASK) | TYPE_TABLE) as Pmd;
}

export function mkHugePmd(payload: number): Pmd {
  return ((payload << TABLE_SHIFT) | TYPE_HUGE) as Pmd;
}

export function pmdNone(value: Pmd): boolean {
  return value === 0;
}

/** Whether the entry points to a table (neither none nor leaf nor non-present). */
export function pmdTablePresent(value: Pmd): boolean {
  return (value & TYPE_MASK) === TYPE_TABLE;
}

export function pmdLeaf(value: Pmd): boolean {
  return (value & TYPE_MASK) === TYPE_HUGE;
}

/** Number of the table that the entry points to. */
export function pmdTable(value: Pmd): number {
  return value >>> TABLE_SHIFT;
}

/** Whether two values mean the same, by what the kernel's entry holds: type and table. */
export function pmdSame(a: Pmd, b: Pmd): boolean {
  return ((a ^ b) & ~GENERATION_MASK) === 0;
}

/**
 * Whether `frame` is the state word of a live table with the generation that `value` was hooked
 * with.
 */
export function pmdMatchesFrame(value: Pmd, frame: number): boolean {
  return ((value ^ frame) & FRAME_IDENTITY_MASK) === 0;
}
