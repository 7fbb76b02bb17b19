/**
 * The mmu gather: what a zap has unmapped, held until it is safe to let go. The order is the
 * sentence that the whole project tests:
 *
 *     1. unhook or clear the entry, so that nobody new finds the page or table;
 *     2. flush, so that no CPU uses an old translation;
 *     3. then free: pages at once, tables after a grace period (lockless walkers may be inside).
 *
 * One gather per CPU at a time; its state is in the CPU's block: the pages and tables, and the
 * range that must be flushed for them. While gathers overlap on one mm, entries that one has
 * cleared may still be in TLBs when the other looks at them, finds them clear and records nothing;
 * so whoever finishes while another is in progress flushes everything (Linux's
 * `tlb_flush_pending`).
 */

import type { Cpu } from '#arch/cpu';
import { interruptOthers, interruptPoint } from '#arch/interrupts';
import { flushTlbRange } from '#arch/shootdown';
import { boundMap } from '#arena/arena';
import { MM } from '#arena/layout/mm';
import { PERCPU } from '#arena/layout/percpu';
import { add, bump, load, peek, poke } from '#arena/word';
import { assert } from '#base/assert';
import { synchronizeRcu } from '#sync/rcu';
import { COUNTER, count } from '#trace/counters';
import { allocationFails } from './choices.ts';
import { type Mm, slotsOfAddressSpace } from './mm.ts';
import { freePage, gatherPage } from './page-alloc.ts';
import { pteFreeDefer } from './rcu-free.ts';
import { freeTable } from './table-alloc.ts';

/** How a table is freed alone when there is no memory for a batch; see `configureGather`. */
export const TABLE_FREE = { rcu: 0, ipi: 1, sync: 2, now: 3 } as const;

/** Pages let go between two points at which the CPU can be interrupted. */
const PAGES_PER_POINT = 64;

let batchMax = 1;
let tableFree: number = TABLE_FREE.rcu;

/**
 * `tables`: how many one gather holds. `alone`: what happens to a table when the batch cannot be
 * allocated: it is queued to RCU by itself (Linux 6.14), freed after an interrupt to all others
 * (older kernels: enough for walkers with interrupts off only), freed after waiting for a grace
 * period, or freed at once, which is wrong.
 */
export function configureGather(tables: number, alone: number): void {
  batchMax = tables;
  tableFree = alone;
}

/** Begins a gather on this CPU. */
export function tlbGatherMmu(cpu: Cpu, mm: Mm): void {
  assert(!tlbGathers(cpu), 'one gather per CPU at a time');
  poke(cpu.block + PERCPU.gatherFlags, 1);
  add(cpu, mm.at + MM.tlbFlushPending, 1);
}

/** Whether this CPU has a gather open. */
export function tlbGathers(cpu: Cpu): boolean {
  return peek(cpu.block + PERCPU.gatherFlags) !== 0;
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

/** The flush must cover the entries [start, end) of `slot` as well; `end` is at least 1. */
export function tlbAdjustRange(cpu: Cpu, slot: number, start: number, end: number): void {
  const { block } = cpu;
  const lastSlot = peek(block + PERCPU.gatherEndSlot);
  const isEmpty = lastSlot === 0 && peek(block + PERCPU.gatherEndIndex) === 0;
  const firstSlot = peek(block + PERCPU.gatherStartSlot);
  if (isEmpty || slot < firstSlot) {
    poke(block + PERCPU.gatherStartSlot, slot);
    poke(block + PERCPU.gatherStartIndex, start);
  } else if (slot === firstSlot && start < peek(block + PERCPU.gatherStartIndex)) {
    poke(block + PERCPU.gatherStartIndex, start);
  }
  if (isEmpty || slot > lastSlot) {
    poke(block + PERCPU.gatherEndSlot, slot);
    poke(block + PERCPU.gatherEndIndex, end);
  } else if (slot === lastSlot && end > peek(block + PERCPU.gatherEndIndex)) {
    poke(block + PERCPU.gatherEndIndex, end);
  }
}

/**
 * Takes a table that has just been unhooked and maps the slots [slot, slot + slots). Not under a
 * page-table lock: may flush and sleep.
 */
export function pteFreeTlb(cpu: Cpu, table: number, slot: number, slots: number): void {
  const entries = 1 << boundMap().geometry.ptrsShift;
  tlbAdjustRange(cpu, slot, 0, entries);
  if (slots > 1) tlbAdjustRange(cpu, slot + slots - 1, 0, entries);
  poke(cpu.block + PERCPU.gatherFreedTables, 1); // @freed-tables
  const held = peek(cpu.block + PERCPU.gatherTables);
  if (held === 0 && allocationFails(cpu)) {
    tlbFlushMmuTlbonly(cpu);
    tlbRemoveTableOne(cpu, table);
    return;
  }
  poke(cpu.block + boundMap().gatheredTables + held, table);
  poke(cpu.block + PERCPU.gatherTables, held + 1);
  if (held + 1 >= batchMax) tlbFlushMmu(cpu);
}

/** Flushes what has been gathered so far, and lets nothing go yet. */
export function tlbFlushMmuTlbonly(cpu: Cpu): void {
  const { block } = cpu;
  const endSlot = peek(block + PERCPU.gatherEndSlot);
  const endIndex = peek(block + PERCPU.gatherEndIndex);
  if (endSlot === 0 && endIndex === 0) return;
  flushTlbRange(
    cpu,
    peek(block + PERCPU.gatherStartSlot),
    peek(block + PERCPU.gatherStartIndex),
    endSlot,
    endIndex,
    peek(block + PERCPU.gatherFreedTables) !== 0,
  );
  poke(block + PERCPU.gatherEndSlot, 0);
  poke(block + PERCPU.gatherEndIndex, 0);
  poke(block + PERCPU.gatherFreedTables, 0);
}

/** Flushes, then lets go of everything gathered so far. Not under a page-table lock. */
export function tlbFlushMmu(cpu: Cpu): void {
  tlbFlushMmuTlbonly(cpu); // @gather-flush
  const { gatheredPages, gatheredTables } = boundMap();
  const pages = peek(cpu.block + PERCPU.gatherPages);
  for (let i = 0; i < pages; i++) {
    freePage(cpu, peek(cpu.block + gatheredPages + i));
    if (i % PAGES_PER_POINT === PAGES_PER_POINT - 1) interruptPoint(cpu);
  }
  poke(cpu.block + PERCPU.gatherPages, 0);
  const tables = peek(cpu.block + PERCPU.gatherTables);
  for (let i = 0; i < tables; i++) {
    pteFreeDefer(cpu, peek(cpu.block + gatheredTables + i));
    interruptPoint(cpu);
  }
  poke(cpu.block + PERCPU.gatherTables, 0);
}

/** Ends the gather. */
export function tlbFinishMmu(cpu: Cpu, mm: Mm): void {
  const nested = load(cpu, mm.at + MM.tlbFlushPending) > 1; // @nested-flush
  if (nested) gatherEverything(cpu);
  tlbFlushMmu(cpu);
  add(cpu, mm.at + MM.tlbFlushPending, -1);
  poke(cpu.block + PERCPU.gatherFlags, 0);
}

/**
 * Another gather is in progress: whatever it has cleared and not yet flushed, this flush covers.
 */
function gatherEverything(cpu: Cpu): void {
  poke(cpu.block + PERCPU.gatherStartSlot, 0);
  poke(cpu.block + PERCPU.gatherStartIndex, 0);
  poke(cpu.block + PERCPU.gatherEndSlot, slotsOfAddressSpace());
  poke(cpu.block + PERCPU.gatherEndIndex, 0);
  poke(cpu.block + PERCPU.gatherFreedTables, 1);
  count(cpu, COUNTER.tlbNestedFlushes, 1);
}

/** Frees one table that has been unhooked and flushed, without a batch. */
function tlbRemoveTableOne(cpu: Cpu, table: number): void {
  if (tableFree === TABLE_FREE.rcu) {
    pteFreeDefer(cpu, table);
    return;
  }
  if (tableFree === TABLE_FREE.ipi) interruptOthers(cpu, true);
  else if (tableFree === TABLE_FREE.sync) synchronizeRcu(cpu);
  freeTable(cpu, table);
}
