/**
 * References to pages beside their mapping, which GUP takes so that somebody (a device, say) may
 * use the page while its owner unmaps it. Whoever frees a page that is referenced only marks it
 * free; the last reference returns it to the free frames.
 */
import type { Cpu } from '#arch/cpu';
import { pageAt } from '#arena/arena';
import {
  PAGE,
  PAGE_GENERATION_SHIFT,
  PAGE_REFERENCE,
  PAGE_REFERENCES_MASK,
  PAGE_STATE,
  PAGE_STATE_MASK,
} from '#arena/layout/page';
import { add, load, peek } from '#arena/word';
import { FACT, noteFact } from '#trace/fact';
import { returnPage } from './page-alloc.ts';
import { tryPageState } from './page-state.ts';

/**
 * Takes a reference to page `pfn` unless it is out of use (Linux's `try_get_folio`: the mapping's
 * own reference lasts until the flush). Returns its state word before, or 0. What the page is by
 * then the caller must find out.
 */
export function tryGetFolio(cpu: Cpu, pfn: number): number {
  const at = pageAt(pfn) + PAGE.state;
  for (;;) {
    const state = load(cpu, at);
    const is = state & PAGE_STATE_MASK;
    if (is !== PAGE_STATE.mapped && is !== PAGE_STATE.gathered) return 0;
    if (tryPageState(cpu, at, state, state + PAGE_REFERENCE)) return state;
  }
}

/** Takes a reference to page `pfn`, which an entry maps whose ptl the caller holds. */
export function getFolio(cpu: Cpu, pfn: number): void {
  const state = add(cpu, pageAt(pfn) + PAGE.state, PAGE_REFERENCE);
  if ((state & PAGE_STATE_MASK) !== PAGE_STATE.mapped)
    noteFact(cpu, FACT.pageMismatch, pfn, state, PAGE_STATE.mapped, 0, 0);
}

/** Returns a reference; the last one to a page that was freed meanwhile frees it. */
export function putFolio(cpu: Cpu, pfn: number): void {
  const left = add(cpu, pageAt(pfn) + PAGE.state, -PAGE_REFERENCE) - PAGE_REFERENCE;
  if ((left & (PAGE_STATE_MASK | PAGE_REFERENCES_MASK)) === PAGE_STATE.free) returnPage(cpu, pfn);
}

/** Which life of its frame page `pfn` lives now: pages that share a frame differ in it. */
export function pageLife(pfn: number): number {
  return peek(pageAt(pfn) + PAGE.state) >>> PAGE_GENERATION_SHIFT;
}
