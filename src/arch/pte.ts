/**
 * A PTE in one 32-bit word, so that it changes atomically, as on hardware.
 *
 *     bits 4-31  pfn (2^28 frames: 1 TiB of memory) or payload
 *     bit 0 = 1  present; bit 1 writable, bit 2 dirty, bit 3 write-protected by userfaultfd
 *     bit 0 = 0  bits 1-3 say which non-present entry: swap, migration, marker, prot-none
 *
 * Payloads: of swap, migration and prot-none the frame that holds the page (there is no swap
 * device: a page that is swapped out keeps its frame, which then counts as swap space); of a marker
 * which one it is.
 *
 * `PTE_NONE` is exactly zero, and no other entry is. The accessed bit lives in the TLB model alone.
 */
import { ZERO_PFN } from '#arena/layout/page';

declare const pte: unique symbol;
/** An entry's value. */
export type Pte = number & { readonly [pte]: true };
declare const ptep: unique symbol;
/** An entry's place in the arena. */
export type Ptep = number & { readonly [ptep]: true };

export const PTE_NONE = 0 as Pte;
export const PFN_MAX = 2 ** 28 - 1;

const PRESENT = 1;
const WRITE = 2;
const DIRTY = 4;
const UFFD_WP = 8;
const PAYLOAD_SHIFT = 4;
const KIND_MASK = 0xf;

/** Non-present kinds, as they stand in bits 0-3. */
export const PTE_KIND = { swap: 2, migration: 4, marker: 6, protNone: 8 } as const;
/** Payloads of markers. */
export const MARKER = { uffdWp: 1, guard: 2, poison: 3 } as const;

export function mkPte(pfn: number, write: boolean, dirty: boolean): Pte {
  return ((pfn << PAYLOAD_SHIFT) | PRESENT | (write ? WRITE : 0) | (dirty ? DIRTY : 0)) as Pte;
}

/** A non-present entry of `kind` (a value of `PTE_KIND`) with 28 bits of payload. */
export function mkNonPresent(kind: number, payload: number): Pte {
  return ((payload << PAYLOAD_SHIFT) | kind) as Pte;
}

export function pteNone(value: Pte): boolean {
  return value === 0;
}

export function ptePresent(value: Pte): boolean {
  return (value & PRESENT) !== 0;
}

export function pteWrite(value: Pte): boolean {
  return (value & (PRESENT | WRITE)) === (PRESENT | WRITE);
}

export function pteDirty(value: Pte): boolean {
  return (value & (PRESENT | DIRTY)) === (PRESENT | DIRTY);
}

/** The non-present kind, or 0 for none and for present entries. */
export function pteKind(value: Pte): number {
  return (value & PRESENT) === 0 ? value & KIND_MASK : 0;
}

/** The same present entry, to be written again: writable and dirty. */
export function pteMkwriteDirty(value: Pte): Pte {
  return ((value | WRITE | DIRTY) & ~UFFD_WP) as Pte;
}

export function pteMkdirty(value: Pte): Pte {
  return (value | DIRTY) as Pte;
}

export function pteMkclean(value: Pte): Pte {
  return (value & ~DIRTY) as Pte;
}

export function pteWrprotect(value: Pte): Pte {
  return (value & ~WRITE) as Pte;
}

export function pteUffdWp(value: Pte): boolean {
  return (value & (PRESENT | UFFD_WP)) === (PRESENT | UFFD_WP);
}

/** The same present entry, write-protected on behalf of userfaultfd. */
export function pteMkuffdWp(value: Pte): Pte {
  return ((value & ~WRITE) | UFFD_WP) as Pte;
}

/** Whether the entry maps the shared zero page. */
export function pteZeroPage(value: Pte): boolean {
  return (value & PRESENT) !== 0 && value >>> PAYLOAD_SHIFT === ZERO_PFN;
}

export function ptePfn(value: Pte): number {
  return value >>> PAYLOAD_SHIFT;
}

export function pteSame(a: Pte, b: Pte): boolean {
  return a === b;
}
