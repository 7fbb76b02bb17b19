/**
 * Binding: makes a buffer this thread's arena. One machine per thread at a time; the hot path then uses
 * functions over branded indices, so that no object stands between a CPU and its words.
 */
import { type ArenaMap, arenaMap, type Geometry } from './map.ts';
import { PAGE_DESC_SHIFT } from './layout/page.ts';
import { PTDESC_SHIFT } from './layout/ptdesc.ts';
import { VMA } from './layout/mm.ts';
import { bindWords } from './word.ts';

let map: ArenaMap | null = null;
let ptdescs = 0;
let pages = 0;
let bodies = 0;
let owners = 0;
let shift = 9;
let mask = 511;
let vmas = 0;

/** Binds `buffer`, laid out for `geometry`. `spins`: busy-wait iterations before a waiter sleeps. */
export function bindArena(buffer: SharedArrayBuffer, geometry: Geometry, spins: number): ArenaMap {
  map = arenaMap(geometry);
  bindWords(new Int32Array(buffer, 0, map.sizeWords), spins);
  ptdescs = map.ptdescs;
  pages = map.pages;
  bodies = map.bodies;
  owners = map.owners;
  vmas = map.vmas;
  shift = geometry.ptrsShift;
  mask = (1 << shift) - 1;
  return map;
}

export function boundMap(): ArenaMap {
  if (map === null) throw new Error('no arena is bound to this thread');
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

/** log2 of the entries per table. */
export function ptrsShift(): number {
  return shift;
}

/** Entries per table less one: the mask of an index. */
export function ptrsMask(): number {
  return mask;
}
