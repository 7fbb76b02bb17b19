/**
 * Has V8 map and touch what a thread will need of its heap, before anything is read: what it maps
 * later would move the figures.
 */

/** Objects of about 100 bytes: more than the heap for the young holds, and a few MiB of the old. */
const YOUNG_OBJECTS = 1_500_000;
const OLD_OBJECTS = 50_000;

/** Kept, so that the heap keeps its room: one of two objects of each page of the old. */
let old: (number[] | null)[] = [];

/**
 * All of the heap for the young, and pages of the old of which every other object goes again, so
 * that there is room in them.
 */
export function settleHeap(): void {
  for (let i = 0; i < YOUNG_OBJECTS; i++) new Array<number>(10).fill(i);
  old = Array.from({ length: OLD_OBJECTS }, (_, i) => new Array<number>(10).fill(i));
  gc!();
  gc!();
  for (let i = 0; i < OLD_OBJECTS; i += 2) old[i] = null;
  gc!();
}
