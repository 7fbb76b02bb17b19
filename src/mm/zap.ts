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
import { PTE_NONE, type Ptep, pteNone } from '#arch/pte';
import { ptdescAt, ptrsMask, ptrsShift } from '#arena/arena';
import { PTDESC } from '#arena/layout/ptdesc';
import { peek } from '#arena/word';
import { rcuQuiescent } from '#sync/rcu';
import { COUNTER, count } from '#trace/counters';
import { untilResched } from './choices.ts';
import { type Mm, mmDecNrTables } from './mm.ts';
import {
  pteFreeTlb,
  tlbAddPages,
  tlbAdjustRange,
  tlbFlushMmu,
  tlbNextPage,
  tlbRemovePage,
  tlbRoom,
} from './mmu-gather.ts';
import {
  noteCleared,
  pmdOffset,
  pmdpGet,
  pteClear,
  ptepGet,
  ptepReplace,
  zerosIn,
} from './pgtable.ts';
import { pteOffsetMapLock, pteUnmapUnlock } from './pte-offset-map.ts';
import { boundProtocol, HOOK, hasHook, type ZapFacts } from './reclaim-protocol.ts';
import { flushTlbBatchedPending } from './tlb-batched.ts';
import { pageOfEntry, survivorOf, ZAP } from './zap-entry.ts';

/**
 * Clears all entries in [start, end), given as (slot, index) pairs; `details` are bits of `ZAP`.
 */
export function unmapPageRange(
  cpu: Cpu,
  mm: Mm,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
  details: number,
): void {
  const mask = ptrsMask();
  const lastSlot = endIndex === 0 ? endSlot - 1 : endSlot;
  for (let slot = startSlot; slot <= lastSlot; ) {
    // Slots below one PMD table: one walk.
    const lastOfWalk = Math.min(slot | mask, lastSlot);
    if (hasHook(HOOK.walks)) boundProtocol().walkBegin(cpu, mm, slot);
    const walked = slot;
    for (; slot <= lastOfWalk; slot++) {
      const pmdp = pmdOffset(cpu, mm, slot);
      // Where an upper entry is none, so are all that it would lead to.
      if (pmdp === 0) slot = lastOfWalk;
      else if (!pmdNone(pmdpGet(cpu, pmdp))) {
        const first = slot === startSlot ? startIndex : 0;
        const end = slot === endSlot ? endIndex : mask + 1;
        zapPteRange(cpu, mm, pmdp, slot, first, end, details);
        rcuQuiescent(cpu);
      }
    }
    if (hasHook(HOOK.walks)) boundProtocol().walkEnd(cpu, mm, walked);
  }
}

function zapPteRange(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  first: number,
  end: number,
  details: number,
): void {
  const facts: ZapFacts = cpu.zapFacts;
  facts.reclaim = (details & ZAP.reclaim) !== 0;
  facts.whole = facts.reclaim && first === 0 && end === 1 << ptrsShift();
  facts.direct = true;
  facts.anySkipped = false;
  let unhooked = 0;
  for (let at = first; at < end; ) {
    const ptep = pteOffsetMapLock(cpu, mm, pmdp, slot, at);
    // The table has gone: what it mapped was zapped by whoever made it empty.
    if (ptep === 0) return;
    const { ptl, table } = cpu;
    flushTlbBatchedPending(cpu, mm);
    facts.lastFrom = at;
    at += zapEntries(cpu, slot, at, table, ptep, end - at, details, facts);
    if (at < end || tlbRoom(cpu) === 0) facts.direct = false; // @zap-direct
    if (at === end && facts.whole && hasHook(HOOK.zapLocked))
      if (boundProtocol().zapLocked(cpu, mm, pmdp, slot, table, facts)) unhooked = table;
    pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
    if (tlbRoom(cpu) === 0) tlbFlushMmu(cpu);
    if (at < end) rcuQuiescent(cpu);
  }
  if (unhooked === 0 && facts.reclaim && hasHook(HOOK.zapDone))
    unhooked = boundProtocol().zapDone(cpu, mm, pmdp, slot, facts);
  if (unhooked !== 0) {
    mmDecNrTables(cpu, mm, 0); // @dec-nr-ptes
    count(cpu, COUNTER.tablesReclaimed, 1);
    pteFreeTlb(cpu, unhooked, slot, 1); // @free-at
  }
}

/**
 * Clears up to `entries` entries from `ptep` on, under the ptl; stops early at need-resched or when
 * the gather is full. Returns how many it passed.
 */
function zapEntries(
  cpu: Cpu,
  slot: number,
  first: number,
  table: number,
  ptep: Ptep,
  entries: number,
  details: number,
  facts: ZapFacts,
): number {
  // No body (on-demand backing): no entries.
  if (peek(ptdescAt(table) + PTDESC.body) === 0) return entries;
  const limit = untilResched(cpu, entries);
  const room = tlbRoom(cpu);
  const place = tlbNextPage(cpu);
  let cleared = 0;
  let zeros = 0;
  let pages = 0;
  let passed = 0;
  while (passed < limit && pages < room) {
    const at = (ptep + passed) as Ptep;
    const value = ptepGet(cpu, at);
    passed++;
    if (pteNone(value)) continue;
    const survivor = survivorOf(value, details);
    if (survivor !== PTE_NONE) {
      facts.anySkipped = true; // @any-skipped
      if (survivor === value) continue;
      ptepReplace(cpu, table, at, value, survivor);
    } else {
      pteClear(cpu, at);
      cleared++;
      zeros += zerosIn(value);
    }
    const pfn = pageOfEntry(cpu, value);
    if (pfn === 0) continue;
    tlbRemovePage(cpu, pfn, place + pages);
    pages++;
  }
  if (cleared !== 0 || pages !== 0) {
    tlbAdjustRange(cpu, slot, first, first + passed);
    tlbAddPages(cpu, pages);
    if (cleared !== 0) noteCleared(cpu, table, cleared, zeros);
    count(cpu, COUNTER.rss, -pages); // @dec-rss
    count(cpu, COUNTER.pagesZapped, pages);
  }
  if (pages === room) count(cpu, COUNTER.gatherFull, 1);
  return passed;
}
