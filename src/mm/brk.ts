/**
 * brk, after mm/mmap.c, under the mmap lock for writing: the heap is the pages from its first on,
 * up to the break. What is added merges with what is before it in the heap, and with nothing else.
 */
import { type Cpu, enterActor, leaveActor } from '#arch/cpu';
import { MM } from '#arena/layout/mm';
import { peek, poke } from '#arena/word';
import { ACTOR } from '#trace/vocabulary';
import { type Mm, mmapWriteLock, mmapWriteUnlock } from './mm.ts';
import { unmapLocked } from './mmap.ts';
import { indexOfPage, slotOfPage } from './place.ts';
import { isFreeBetween } from './vma.ts';
import { MERGE, mapRange } from './vma-merge.ts';

/**
 * Makes the heap that begins at page `start` `pages` pages long; `flags`: those of its VMA. False:
 * something else is mapped there, or in the page after.
 */
export function brk(cpu: Cpu, mm: Mm, start: number, pages: number, flags: number): boolean {
  const before = enterActor(cpu, ACTOR.munmap);
  mmapWriteLock(cpu, mm);
  const old = peek(mm.at + MM.brkPages);
  let done = true;
  if (pages < old) done = shrinks(cpu, mm, start + pages, start + old);
  else if (pages > old) done = grows(cpu, mm, start + old, start + pages, old > 0, flags);
  if (done) poke(mm.at + MM.brkPages, pages);
  mmapWriteUnlock(cpu, mm);
  leaveActor(cpu, before);
  return done;
}

/** Unmaps [end, oldEnd) if anything is mapped there. */
function shrinks(cpu: Cpu, mm: Mm, end: number, oldEnd: number): boolean {
  const [startSlot, startIndex] = [slotOfPage(end), indexOfPage(end)];
  const [endSlot, endIndex] = [slotOfPage(oldEnd), indexOfPage(oldEnd)];
  if (isFreeBetween(cpu, mm, startSlot, startIndex, endSlot, endIndex)) return false;
  unmapLocked(cpu, mm, startSlot, startIndex, endSlot, endIndex);
  return true;
}

/** Maps [oldEnd, end) if nothing is mapped there or in the page after; `merges`: to the left. */
function grows(
  cpu: Cpu,
  mm: Mm,
  oldEnd: number,
  end: number,
  merges: boolean,
  flags: number,
): boolean {
  const [startSlot, startIndex] = [slotOfPage(oldEnd), indexOfPage(oldEnd)];
  const [gapSlot, gapIndex] = [slotOfPage(end + 1), indexOfPage(end + 1)];
  if (!isFreeBetween(cpu, mm, startSlot, startIndex, gapSlot, gapIndex)) return false;
  const mapping = { flags, anonVma: 0, shift: 0 };
  const sides = merges ? MERGE.left : 0;
  mapRange(cpu, mm, startSlot, startIndex, slotOfPage(end), indexOfPage(end), mapping, sides);
  return true;
}
