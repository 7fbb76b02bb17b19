/**
 * Swap space and migration, as far as entries refer to them. There is no swap device: a page that
 * is swapped out keeps its frame, in state `swapped`, and its entry names the frame.
 */
import type { Cpu } from '#arch/cpu';
import { COUNTER, count } from '#trace/counters';
import { freeSwappedPage } from './page-alloc.ts';

/** A swap entry has gone: its space is free. */
export function releaseSwap(cpu: Cpu, pfn: number): void {
  freeSwappedPage(cpu, pfn);
  count(cpu, COUNTER.swapUsed, -1);
}

/** A migration entry has gone: whoever migrates the page finds nothing to restore, and frees it. */
export function releaseMigrating(cpu: Cpu, _pfn: number): void {
  count(cpu, COUNTER.rss, -1);
}
