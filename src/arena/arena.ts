/**
 * Binding: makes a buffer this thread's arena. One machine per thread at a time; the hot path then
 * uses functions over branded indices, so that no object stands between a CPU and its words.
 */
import { atLoad } from './at-load.ts';
import { LOCK_SPACING_SHIFT, PROTOCOL_LOCK_SPACING_SHIFT } from './layout/lock-stat.ts';
import { VMA } from './layout/mm.ts';
import { PAGE_DESC_SHIFT } from './layout/page.ts';
import { PTDESC_SHIFT } from './layout/ptdesc.ts';
import { type ArenaMap, arenaMap, type Geometry } from './map.ts';
import { bindWords } from './word.ts';

// The free-running form makes constants of these (at-load.ts).
let map: ArenaMap = arenaMap(atLoad.geometry); // constant at load
let ptdescs = map.ptdescs; // constant at load
let pages = map.pages; // constant at load
let bodies = map.bodies; // constant at load
let owners = map.owners; // constant at load
let shift = map.geometry.ptrsShift; // constant at load
let mask = (1 << shift) - 1; // constant at load
let vmas = map.vmas; // constant at load
let tableWords = map.tableWords; // constant at load
let lockOwners = map.lockOwners; // constant at load

/**
 * Binds `buffer`, laid out for `geometry`. `spins`: busy-wait iterations before a waiter sleeps.
 */
export function bindArena(buffer: SharedArrayBuffer, geometry: Geometry, spins: number): ArenaMap {
  const next = arenaMap(geometry);
  bindWords(new Int32Array(buffer, 0, next.sizeWords), spins);
  map = next;
  ptdescs = next.ptdescs;
  pages = next.pages;
  bodies = next.bodies;
  owners = next.owners;
  vmas = next.vmas;
  tableWords = next.tableWords;
  lockOwners = next.lockOwners;
  shift = geometry.ptrsShift;
  mask = (1 << shift) - 1;
  return next;
}

export function boundMap(): ArenaMap {
  return map;
}

/** Place of table `table`'s descriptor. */
export function ptdescAt(table: number): number {
  return ptdescs + (table << PTDESC_SHIFT);
}

/** Place of page frame `pfn`'s descriptor. */
export function pageAt(pfn: number): number {
  return pages + (pfn << PAGE_DESC_SHIFT);
}

/** Place of the first entry of body `body`. */
export function bodyAt(body: number): number {
  return bodies + (body << shift);
}

/** Place of the word that names body `body`'s table. */
export function ownerAt(body: number): number {
  return owners + body;
}

/** The body in which the entry at `place` lies. */
export function bodyOfPlace(place: number): number {
  return (place - bodies) >> shift;
}

/** Place of VMA record `vma`. */
export function vmaAt(vma: number): number {
  return vmas + vma * VMA.sizeWords;
}

/** Place of the word that tells who took the lock at `lockp` last. */
export function lockOwnerAt(lockp: number): number {
  if (lockp < pages) return lockOwners + (lockp >> LOCK_SPACING_SHIFT);
  const inWords = (lockp - tableWords) >> PROTOCOL_LOCK_SPACING_SHIFT;
  return lockOwners + (pages >> LOCK_SPACING_SHIFT) + inWords;
}

/** log2 of the entries per table. */
export function ptrsShift(): number {
  return shift;
}

/** Entries per table less one: the mask of an index. */
export function ptrsMask(): number {
  return mask;
}
