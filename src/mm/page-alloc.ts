/** Page frames: allocation and release, with a check of the frame's state on the way. */

import type { Cpu } from '#arch/cpu';
import { boundMap, pageAt } from '#arena/arena';
import { CONTROL } from '#arena/layout/control';
import {
  FIRST_PFN,
  PAGE,
  PAGE_DESC_SHIFT,
  PAGE_GENERATION_SHIFT,
  PAGE_LOCKED,
  PAGE_REFERENCE,
  PAGE_REFERENCES_MASK,
  PAGE_STATE,
  PAGE_STATE_MASK,
} from '#arena/layout/page';
import { PERCPU } from '#arena/layout/percpu';
import { peek, poke } from '#arena/word';
import { FACT, panic } from '#trace/fact';
import { LOCK } from '#trace/vocabulary';
import { allocationFails } from './choices.ts';
import { type FreeList, putFrame, takeFrame } from './free-list.ts';
import { clearPageState, flipPageState } from './page-state.ts';
import { noteMemoryShort } from './truthful.ts';

// The free-running form makes constants of these (arena/at-load.ts).
let list: FreeList = pageList(); // constant at load

/** Binds this thread to the arena's page frames. */
export function bindPages(): void {
  list = pageList();
}

function pageList(): FreeList {
  const map = boundMap();
  return {
    lock: CONTROL.zoneLock,
    lockClass: LOCK.zone,
    head: CONTROL.zoneHead,
    fresh: CONTROL.zoneFresh,
    limit: map.geometry.pages,
    count: PERCPU.pageCount,
    cache: map.pcp,
    batch: map.geometry.batch,
    link: map.pages + PAGE.content,
    linkShift: PAGE_DESC_SHIFT,
  };
}

/** Boot: frame 0 is a trap, frame 1 the zero page. */
export function initializePages(): void {
  poke(CONTROL.zoneFresh, FIRST_PFN);
}

/** A page frame to be mapped, whose word is `content`, or 0 when there is none. */
export function allocPage(cpu: Cpu, content: number): number {
  if (allocationFails(cpu)) {
    noteMemoryShort(cpu);
    return 0;
  }
  const pfn = takeFrame(cpu, list);
  if (pfn === 0) return 0;
  const at = pageAt(pfn);
  const state = peek(at + PAGE.state);
  if ((state & (PAGE_STATE_MASK | PAGE_REFERENCES_MASK)) !== PAGE_STATE.free)
    panic(cpu, FACT.pageMismatch, pfn, state, PAGE_STATE.free, 0, 0);
  poke(at + PAGE.state, (state + (1 << PAGE_GENERATION_SHIFT)) | PAGE_STATE.mapped);
  poke(at + PAGE.content, content);
  return pfn;
}

/** Returns a page that was never mapped. */
export function freeUnusedPage(cpu: Cpu, pfn: number): void {
  release(cpu, pfn, PAGE_STATE.mapped);
}

/** Releases a page that has been unmapped and flushed. */
export function freePage(cpu: Cpu, pfn: number): void {
  release(cpu, pfn, PAGE_STATE.gathered);
}

/** Releases a page that was swapped out. */
export function freeSwappedPage(cpu: Cpu, pfn: number): void {
  release(cpu, pfn, PAGE_STATE.swapped);
}

/** A page that was swapped out, and that nobody has locked, is mapped again, as another page. */
export function reviveSwappedPage(cpu: Cpu, pfn: number): void {
  const at = pageAt(pfn) + PAGE.state;
  const state = peek(at);
  if ((state & (PAGE_STATE_MASK | PAGE_LOCKED)) !== PAGE_STATE.swapped)
    panic(cpu, FACT.pageMismatch, pfn, state, PAGE_STATE.swapped, 0, 0);
  poke(at, (state ^ (PAGE_STATE.swapped ^ PAGE_STATE.mapped)) + (1 << PAGE_GENERATION_SHIFT));
}

/** Marks a page whose entry has just been cleared: it waits for the flush. */
export function gatherPage(cpu: Cpu, pfn: number): void {
  const at = pageAt(pfn) + PAGE.state;
  const state = peek(at);
  if ((state & PAGE_STATE_MASK) !== PAGE_STATE.mapped)
    panic(cpu, FACT.pageMismatch, pfn, state, PAGE_STATE.mapped, 0, 0);
  flipPageState(cpu, at, state, PAGE_STATE.mapped ^ PAGE_STATE.gathered);
}

function release(cpu: Cpu, pfn: number, from: number): void {
  const at = pageAt(pfn) + PAGE.state;
  const state = peek(at);
  if ((state & PAGE_STATE_MASK) !== from) panic(cpu, FACT.doubleFree, 1, pfn, state, 0, 0);
  // Free, and neither locked nor lazyfree; references remain.
  const left = clearPageState(cpu, at, state, PAGE_REFERENCE - 1);
  if ((left & PAGE_REFERENCES_MASK) === 0) putFrame(cpu, list, pfn);
}

/** Puts a page that is free, and whose last reference has gone, back to the free frames. */
export function returnPage(cpu: Cpu, pfn: number): void {
  putFrame(cpu, list, pfn);
}
