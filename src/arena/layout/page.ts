/**
 * The descriptor of a page frame: 8 bytes. A page has no body, only the one word that user accesses
 * store and find.
 *
 *     state    bits 0-1 page state, 2 lazyfree, 3 locked, 4-11 references beside the mapping
 *              (GUP, migration), 12-31 generation
 *     content  the stamp last stored; while free: pfn of the next free page
 */
import { struct } from './struct.ts';

export const PAGE = struct({ state: 1, content: 1 });
/** `PAGE.sizeWords` is `1 << PAGE_DESC_SHIFT`. */
export const PAGE_DESC_SHIFT = 1;

/**
 * `mapped`: in an entry, or about to be; `gathered`: unmapped, waiting in a gather for the flush
 * that must precede its release; `swapped`: out of memory, its frame holds the content.
 */
export const PAGE_STATE = { free: 0, mapped: 1, gathered: 2, swapped: 3 } as const;
export const PAGE_STATE_MASK = 0x3;
export const PAGE_LAZYFREE = 1 << 2;
export const PAGE_LOCKED = 1 << 3;
export const PAGE_REFERENCE = 1 << 4;
export const PAGE_REFERENCES_MASK = 0xff0;
export const PAGE_GENERATION_SHIFT = 12;

/** pfn 0 is a trap; pfn 1 is the shared zero page. */
export const ZERO_PFN = 1;
export const FIRST_PFN = 2;
