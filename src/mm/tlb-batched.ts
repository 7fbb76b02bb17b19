/**
 * Flushes that page reclaim has put off (Linux's `tlb_flush_batched`): it unmaps many pages and
 * flushes once. Until then a CPU may still write to a page whose entry is gone, so whoever looks at
 * entries under a ptl, and would conclude from an empty one that the page is out of use, flushes
 * first.
 */
import type { Cpu } from '#arch/cpu';
import { flushTlbRange } from '#arch/shootdown';
import { MM } from '#arena/layout/mm';
import { add, compareExchange, read } from '#arena/word';
import { COUNTER, count } from '#trace/counters';
import { type Mm, slotsOfAddressSpace } from './mm.ts';

/** Says, under the ptl, that an entry was cleared whose flush comes later. */
export function setTlbUbcFlushPending(cpu: Cpu, mm: Mm): void {
  add(cpu, mm.at + MM.tlbBatched, 1);
}

/** Carries out whatever flush has been put off so far, if any; may be called under a ptl. */
export function flushTlbBatchedPending(cpu: Cpu, mm: Mm): void {
  const pending = read(cpu, mm.at + MM.tlbBatched);
  const flushed = read(cpu, mm.at + MM.tlbBatchedFlushed);
  if (pending !== flushed) flushBatched(cpu, mm, pending, flushed); // @flush-batched
}

function flushBatched(cpu: Cpu, mm: Mm, pending: number, flushed: number): void {
  flushTlbRange(cpu, 0, 0, slotsOfAddressSpace(), 0, false);
  count(cpu, COUNTER.tlbBatchedFlushes, 1);
  // If another CPU was faster, its number stands: at worst a flush is repeated.
  compareExchange(cpu, mm.at + MM.tlbBatchedFlushed, flushed, pending);
}
