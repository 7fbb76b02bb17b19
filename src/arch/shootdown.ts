/**
 * TLB shootdown: no CPU translates by what it remembered of a range before the flush, once the
 * flush has returned (Linux's `flush_tlb_mm_range`).
 *
 * `freedTables`: page tables were unhooked as well. Then the paging-structure caches are dropped
 * too, and CPUs in lazy TLB mode are interrupted like all others, since their hardware may walk at
 * any time; without it they may sleep on, and catch up when they come back.
 *
 * Where hardware broadcasts flushes (arm64; x86 with INVLPGB), no CPU is interrupted, lazy ones are
 * reached like all others, and what has interrupts off is not waited for, unless it is an access.
 */
import { COUNTER, count } from '#trace/counters';
import type { Cpu } from './cpu.ts';
import {
  carryOutFlushes,
  flushesAreBroadcast,
  interruptOthers,
  numberFlush,
  waitForAccesses,
} from './interrupts.ts';

/** Flushes [start, end), given as (slot, index) pairs, on all CPUs, and waits for them. */
export function flushTlbRange(
  cpu: Cpu,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
  freedTables: boolean,
): void {
  numberFlush(cpu, startSlot, startIndex, endSlot, endIndex, freedTables);
  count(cpu, COUNTER.tlbFlushes, 1);
  carryOutFlushes(cpu); // @flush-own
  if (flushesAreBroadcast()) {
    waitForAccesses(cpu); // @broadcast-wait
    return;
  }
  interruptOthers(cpu, freedTables); // @flush-others
}
