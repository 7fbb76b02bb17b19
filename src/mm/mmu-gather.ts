/**
 * The mmu gather: what a zap has unmapped, held until it is safe to let go. The order is the
 * sentence that the whole project tests:
 *
 *     1. unhook or clear the entry, so that nobody new finds the page or table;
 *     2. flush, so that no CPU uses an old translation;
 *     3. then free: pages at once, tables after a grace period (lockless walkers may be inside).
 *
 * One gather per CPU at a time; its state is in the CPU's block. No TLB is modelled yet: the flush
 * is counted and does nothing.
 */

import type { Cpu } from '#arch/cpu';
import { boundMap } from '#arena/arena';
import { GATHER_TABLES_MAX, PERCPU } from '#arena/layout/percpu';
import { bump, peek, poke } from '#arena/word';
import { assert } from '#base/assert';
import { COUNTER, count } from '#trace/counters';
import { freePage, gatherPage } from './page-alloc.ts';
import { pteFreeDefer } from './rcu-free.ts';

/** Begins a gather on this CPU. */
export function tlbGatherMmu(cpu: Cpu): void {
  assert(peek(cpu.block + PERCPU.gatherFlags) === 0, 'one gather per CPU at a time');
  poke(cpu.block + PERCPU.gatherFlags, 1);
}

/** Pages that still fit in. */
export function tlbRoom(cpu: Cpu): number {
  return boundMap().geometry.gatherPages - peek(cpu.block + PERCPU.gatherPages);
}

/** Place in the gather for the next page. */
export function tlbNextPage(cpu: Cpu): number {
  return cpu.block + boundMap().gatheredPages + peek(cpu.block + PERCPU.gatherPages);
}

/** Takes a page whose entry has just been cleared, under the ptl, at `place`; see `tlbAddPages`. */
export function tlbRemovePage(cpu: Cpu, pfn: number, place: number): void {
  gatherPage(cpu, pfn);
  poke(place, pfn);
}

/** Counts `pages` that have been put at `tlbNextPage` and the places after it. */
export function tlbAddPages(cpu: Cpu, pages: number): void {
  bump(cpu.block + PERCPU.gatherPages, pages);
}

/** Takes a table that has just been unhooked. Not under a page-table lock: may flush. */
export function pteFreeTlb(cpu: Cpu, table: number): void {
  let held = peek(cpu.block + PERCPU.gatherTables);
  if (held === GATHER_TABLES_MAX) {
    tlbFlushMmu(cpu);
    held = 0;
  }
  poke(cpu.block + boundMap().gatheredTables + held, table);
  poke(cpu.block + PERCPU.gatherTables, held + 1);
}

/** Flushes, then lets go of everything gathered so far. Not under a page-table lock. */
export function tlbFlushMmu(cpu: Cpu): void {
  const { gatheredPages, gatheredTables } = boundMap();
  const pages = peek(cpu.block + PERCPU.gatherPages);
  const tables = peek(cpu.block + PERCPU.gatherTables);
  if (pages + tables === 0) return;
  count(cpu, COUNTER.tlbFlushes, 1);
  for (let i = 0; i < pages; i++) freePage(cpu, peek(cpu.block + gatheredPages + i));
  poke(cpu.block + PERCPU.gatherPages, 0);
  for (let i = 0; i < tables; i++) pteFreeDefer(cpu, peek(cpu.block + gatheredTables + i));
  poke(cpu.block + PERCPU.gatherTables, 0);
}

/** Ends the gather. */
export function tlbFinishMmu(cpu: Cpu): void {
  tlbFlushMmu(cpu);
  poke(cpu.block + PERCPU.gatherFlags, 0);
}
