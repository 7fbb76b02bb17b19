/** Page frames: allocation and release, with a check of the frame's state on the way. */

import type { Cpu } from '#arch/cpu';
import { boundMap, pageAt } from '#arena/arena';
import { CONTROL } from '#arena/layout/control';
import {
  FIRST_PFN,
  PAGE,
  PAGE_DESC_SHIFT,
  PAGE_GENERATION_SHIFT,
  PAGE_STATE,
  PAGE_STATE_MASK,
} from '#arena/layout/page';
import { PERCPU } from '#arena/layout/percpu';
import { peek, poke } from '#arena/word';
import { FACT, panic } from '#trace/fact';
import { LOCK } from '#trace/vocabulary';
import { type FreeList, putFrame, takeFrame } from './free-list.ts';

let list: FreeList;

/** Binds this thread to the arena's page frames. */
export function bindPages(): void {
  const map = boundMap();
  list = {
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

/** A page frame whose word is `content`, or 0 when there is none. */
export function allocPage(cpu: Cpu, content: number): number {
  const pfn = takeFrame(cpu, list);
  if (pfn === 0) return 0;
  const at = pageAt(pfn);
  const state = peek(at + PAGE.state);
  if ((state & PAGE_STATE_MASK) !== PAGE_STATE.free)
    panic(cpu, FACT.pageMismatch, pfn, state, PAGE_STATE.free, 0, 0);
  poke(at + PAGE.state, (state + (1 << PAGE_GENERATION_SHIFT)) | PAGE_STATE.allocated);
  poke(at + PAGE.content, content);
  return pfn;
}

/** Releases a page that is `allocated` (never mapped) or `gathered` (unmapped and flushed). */
export function freePage(cpu: Cpu, pfn: number): void {
  const at = pageAt(pfn);
  const state = peek(at + PAGE.state);
  const kind = state & PAGE_STATE_MASK;
  if (kind !== PAGE_STATE.allocated && kind !== PAGE_STATE.gathered)
    panic(cpu, FACT.doubleFree, 1, pfn, state, 0, 0);
  poke(at + PAGE.state, state & ~PAGE_STATE_MASK);
  putFrame(cpu, list, pfn);
}

/**
 * Moves a page from one state to another (values of `PAGE_STATE`), or halts if it is in neither.
 */
export function movePage(cpu: Cpu, pfn: number, from: number, to: number): void {
  const at = pageAt(pfn);
  const state = peek(at + PAGE.state);
  if ((state & PAGE_STATE_MASK) !== from) panic(cpu, FACT.pageMismatch, pfn, state, from, 0, 0);
  poke(at + PAGE.state, state ^ (from ^ to));
}
