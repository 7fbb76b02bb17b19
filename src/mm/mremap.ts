/**
 * mremap, after mm/mremap.c (Linux 6.17): a mapping shrinks or grows where it is, or moves to
 * another place, which loses what it had. Under the mmap lock for writing; addresses and lengths
 * are in pages.
 *
 * A move that keeps the length may span several VMAs, and holes between them: each goes by itself
 * to its place, and a hole's place stays as it was. What else is done is done within one VMA.
 *
 * Pages keep their offsets when they move, so that the VMA merges again with what it was one with
 * only if it comes back. Where nothing was written there are no offsets to keep.
 */
import { type Cpu, enterActor, leaveActor } from '#arch/cpu';
import { synchronizeRcu } from '#sync/rcu';
import { ACTOR } from '#trace/vocabulary';
import { type Mm, mmapWriteLock, mmapWriteUnlock } from './mm.ts';
import { unmapLocked } from './mmap.ts';
import { movePageTables } from './move-page-tables.ts';
import { endPage, indexOfPage, slotOfPage, startPage } from './place.ts';
import { runRcuCallbacks } from './rcu-free.ts';
import { findVma, firstEndingAfter, vmaInMap, vmaStartWrite } from './vma.ts';
import { type Mapping, MERGE, mappingOf, mapRange } from './vma-merge.ts';

/** `to` of a mapping that stays where it is. */
export const IN_PLACE = -1;

/**
 * Remaps `pages` pages from page `from` on as `newPages` pages from `to` on. False: it cannot be
 * done (EFAULT, EINVAL, ENOMEM); VMAs that a move has reached before that stay where they are.
 */
export function mremap(
  cpu: Cpu,
  mm: Mm,
  from: number,
  pages: number,
  to: number,
  newPages: number,
): boolean {
  if (to !== IN_PLACE && to < from + pages && from < to + newPages) return false;
  const before = enterActor(cpu, ACTOR.mremap);
  mmapWriteLock(cpu, mm);
  let done: boolean;
  if (to === IN_PLACE) done = resizeInPlace(cpu, mm, from, pages, newPages);
  else if (pages === newPages) done = moveAll(cpu, mm, from, pages, to);
  else done = fitsInVma(cpu, mm, from, pages) && moveOne(cpu, mm, from, pages, to, newPages);
  mmapWriteUnlock(cpu, mm);
  leaveActor(cpu, before);
  return done;
}

function resizeInPlace(cpu: Cpu, mm: Mm, from: number, pages: number, newPages: number): boolean {
  const vma = vmaOf(cpu, mm, from);
  if (vma === 0) return false;
  if (newPages <= pages) {
    unmapPages(cpu, mm, from + newPages, pages - newPages);
    return true;
  }
  const next = vmaInMap(cpu, mm, firstAfter(cpu, mm, endPage(vma)));
  if (endPage(vma) !== from + pages) return false;
  if (next !== 0 && startPage(next) < from + newPages) return false;
  vmaStartWrite(cpu, mm, vma);
  mapPages(cpu, mm, from + pages, newPages - pages, mappingOf(vma));
  return true;
}

/** Moves each VMA's part of the range. False: it does not begin with one, or memory is short. */
function moveAll(cpu: Cpu, mm: Mm, from: number, pages: number, to: number): boolean {
  if (vmaOf(cpu, mm, from) === 0) return false;
  for (let page = from; ; ) {
    const vma = vmaInMap(cpu, mm, firstAfter(cpu, mm, page));
    const start = vma === 0 ? from + pages : Math.max(page, startPage(vma));
    if (start >= from + pages) return true;
    const length = Math.min(endPage(vma), from + pages) - start;
    if (!moveOne(cpu, mm, start, length, to + start - from, length)) return false;
    page = start + length;
  }
}

/** Moves a part of one VMA; what is at its destination goes first. */
function moveOne(
  cpu: Cpu,
  mm: Mm,
  from: number,
  pages: number,
  to: number,
  newPages: number,
): boolean {
  unmapPages(cpu, mm, to, newPages);
  const kept = Math.min(pages, newPages);
  unmapPages(cpu, mm, from + kept, pages - kept);
  const vma = vmaOf(cpu, mm, from);
  vmaStartWrite(cpu, mm, vma);
  const { flags, anonVma, shift } = mappingOf(vma);
  const newShift = anonVma === 0 ? 0 : shift + from - to;
  mapPages(cpu, mm, to, newPages, { flags, anonVma, shift: newShift });
  const moved = movePageTables(cpu, mm, from, to, kept);
  if (moved === kept) {
    unmapPages(cpu, mm, from, kept);
    return true;
  }
  moveBack(cpu, mm, from, to, moved);
  unmapPages(cpu, mm, to, newPages);
  return false;
}

/** After memory was short: what has moved goes back, by memory that the move itself has freed. */
function moveBack(cpu: Cpu, mm: Mm, from: number, to: number, pages: number): void {
  for (let back = 0; back < pages; ) {
    back += movePageTables(cpu, mm, to + back, from + back, pages - back);
    if (back === pages) return;
    synchronizeRcu(cpu);
    runRcuCallbacks(cpu);
  }
}

function fitsInVma(cpu: Cpu, mm: Mm, from: number, pages: number): boolean {
  const vma = vmaOf(cpu, mm, from);
  return vma !== 0 && from + pages <= endPage(vma);
}

function mapPages(cpu: Cpu, mm: Mm, page: number, pages: number, mapping: Mapping): void {
  const [startSlot, startIndex] = [slotOfPage(page), indexOfPage(page)];
  const [endSlot, endIndex] = [slotOfPage(page + pages), indexOfPage(page + pages)];
  mapRange(cpu, mm, startSlot, startIndex, endSlot, endIndex, mapping, MERGE.both);
}

function unmapPages(cpu: Cpu, mm: Mm, page: number, pages: number): void {
  const [startSlot, startIndex] = [slotOfPage(page), indexOfPage(page)];
  unmapLocked(cpu, mm, startSlot, startIndex, slotOfPage(page + pages), indexOfPage(page + pages));
}

/** The VMA that contains page `page`, or 0. */
function vmaOf(cpu: Cpu, mm: Mm, page: number): number {
  return findVma(cpu, mm, slotOfPage(page), indexOfPage(page));
}

/** Position in the map of the first VMA that ends after page `page`. */
function firstAfter(cpu: Cpu, mm: Mm, page: number): number {
  return firstEndingAfter(cpu, mm, slotOfPage(page), indexOfPage(page));
}
