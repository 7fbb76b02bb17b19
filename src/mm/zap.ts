/**
 * Zap: clears the entries of a range, one PTE table after another, after `zap_pte_range` and
 * `unmap_page_range` (mm/memory.c). It leaves the tables in place; whether an empty one goes as
 * well is the protocol's affair.
 *
 * Between two tables, and whenever the lock is dropped, the CPU may be scheduled away and is
 * quiescent. The caller holds the mmap or VMA lock and has a gather open.
 */

import type { Cpu } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import { pmdNone } from '#arch/pmd';
import { type Ptep, pteNone, ptePfn, ptePresent } from '#arch/pte';
import { ptrsMask } from '#arena/arena';
import { ZERO_PFN } from '#arena/layout/page';
import { rcuQuiescent } from '#sync/rcu';
import { COUNTER, count } from '#trace/counters';
import { type Mm, mmDecNrTables } from './mm.ts';
import {
  pteFreeTlb,
  tlbAddPages,
  tlbFlushMmu,
  tlbNextPage,
  tlbRemovePage,
  tlbRoom,
} from './mmu-gather.ts';
import { noteCleared, pmdOffset, pmdpGet, pteClear, ptepGet } from './pgtable.ts';
import { pteOffsetMapLock, pteUnmapUnlock } from './pte-offset-map.ts';
import { boundProtocol, HOOK, hasHook, type ZapFacts } from './reclaim-protocol.ts';

let reschedPerMillion = 0;

/**
 * Chance that the loop over entries finds need-resched set, per million entries; a choice point.
 */
export function configureZap(perMillion: number): void {
  reschedPerMillion = perMillion;
}

/**
 * Clears all entries in [start, end), given as (slot, index) pairs. `reclaim`: the request is one
 * after which empty tables may be freed (`zap_details.reclaim_pt`: MADV_DONTNEED only).
 */
export function unmapPageRange(
  cpu: Cpu,
  mm: Mm,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
  reclaim: boolean,
): void {
  const ptrs = ptrsMask() + 1;
  const lastSlot = endIndex === 0 ? endSlot - 1 : endSlot;
  for (let slot = startSlot; slot <= lastSlot; slot++) {
    const pmdp = pmdOffset(cpu, mm, slot);
    // Where an upper entry is none, so are all that it would lead to.
    if (pmdp === 0) slot = lastOfUpper(slot);
    else if (!pmdNone(pmdpGet(cpu, pmdp))) {
      const first = slot === startSlot ? startIndex : 0;
      const end = slot === endSlot ? endIndex : ptrs;
      zapPteRange(cpu, mm, pmdp, slot, first, end, reclaim);
      rcuQuiescent(cpu);
    }
  }
}

function lastOfUpper(slot: number): number {
  return slot | ptrsMask();
}

function zapPteRange(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  first: number,
  end: number,
  reclaim: boolean,
): void {
  const facts: ZapFacts = cpu.zapFacts;
  facts.whole = reclaim && first === 0 && end === ptrsMask() + 1;
  facts.direct = true;
  facts.anySkipped = false;
  let unhooked = 0;
  for (let at = first; at < end; ) {
    const ptep = pteOffsetMapLock(cpu, mm, pmdp, at);
    // The table has gone: what it mapped was zapped by whoever made it empty.
    if (ptep === 0) return;
    const { ptl, table } = cpu;
    at += zapEntries(cpu, table, ptep, end - at);
    if (at < end || tlbRoom(cpu) === 0) facts.direct = false; // @zap-direct
    if (at === end && facts.whole && hasHook(HOOK.zapLocked))
      if (boundProtocol().zapLocked(cpu, mm, pmdp, slot, table, facts)) unhooked = table;
    pteUnmapUnlock(cpu, ptl);
    if (tlbRoom(cpu) === 0) tlbFlushMmu(cpu);
    if (at < end) rcuQuiescent(cpu);
  }
  if (unhooked === 0 && facts.whole && hasHook(HOOK.zapDone))
    unhooked = boundProtocol().zapDone(cpu, mm, pmdp, slot, facts);
  if (unhooked !== 0) {
    pteFreeTlb(cpu, unhooked);
    mmDecNrTables(cpu, mm, 0); // @dec-nr-ptes
    count(cpu, COUNTER.tablesReclaimed, 1);
  }
}

/**
 * Clears up to `entries` entries from `ptep` on, under the ptl; stops early at need-resched or when
 * the gather is full. Returns how many it passed.
 */
function zapEntries(cpu: Cpu, table: number, ptep: Ptep, entries: number): number {
  const limit = untilResched(cpu, entries);
  const room = tlbRoom(cpu);
  const place = tlbNextPage(cpu);
  let cleared = 0;
  let pages = 0;
  let passed = 0;
  while (passed < limit && pages < room) {
    const at = (ptep + passed) as Ptep;
    const value = ptepGet(cpu, at);
    passed++;
    if (pteNone(value)) continue;
    pteClear(cpu, at);
    cleared++;
    if (!ptePresent(value) || ptePfn(value) === ZERO_PFN) continue;
    tlbRemovePage(cpu, ptePfn(value), place + pages);
    pages++;
  }
  if (cleared !== 0) {
    noteCleared(cpu, table, cleared);
    tlbAddPages(cpu, pages);
    count(cpu, COUNTER.rss, -pages); // @dec-rss
    count(cpu, COUNTER.pagesZapped, pages);
  }
  if (pages === room) count(cpu, COUNTER.gatherFull, 1);
  return passed;
}

/** How many of the next `entries` entries pass before need-resched is found set. */
function untilResched(cpu: Cpu, entries: number): number {
  if (reschedPerMillion === 0 || !cpu.prng.chance(reschedPerMillion * entries)) return entries;
  count(cpu, COUNTER.reschedTaken, 1);
  return 1 + cpu.prng.below(entries);
}
