/**
 * Page reclaim, after `shrink_folio_list` (mm/vmscan.c): pages of a range that are mapped are
 * swapped out, or dropped if they are lazyfree and clean. It holds neither mmap nor VMA lock: it
 * comes by way of the page and the rmap lock.
 *
 * The flush for many pages is one (tlb-batched.ts). Until then they stay locked: a page that is on
 * its way out may still be written by a CPU that remembers it, and its content is final, and its
 * frame free, only after the flush. No page stays locked when a table has been left, because a
 * fault that waits for one may keep others from their walk.
 */

import { type Cpu, enterActor, leaveActor, SHRINK_BATCH_MAX } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import { PTE_NONE, ptePfn, ptePresent, pteUffdWp } from '#arch/pte';
import { pageAt, ptrsMask, vmaAt } from '#arena/arena';
import { VMA } from '#arena/layout/mm';
import { PAGE, PAGE_STATE, PAGE_STATE_MASK, ZERO_PFN } from '#arena/layout/page';
import { load, read } from '#arena/word';
import { rcuQuiescent } from '#sync/rcu';
import { ACTOR } from '#trace/vocabulary';
import type { Mm } from './mm.ts';
import { freePage } from './page-alloc.ts';
import { pageTrylock, pageUnlock } from './page-lock.ts';
import { pmdOffset, ptepGet } from './pgtable.ts';
import { pteOffsetMap, pteUnmap } from './pte-offset-map.ts';
import { boundProtocol, HOOK, hasHook } from './reclaim-protocol.ts';
import { anonVmaLockRead, anonVmaUnlockRead, tryToUnmapOne, UNMAP } from './rmap.ts';
import { flushTlbBatchedPending } from './tlb-batched.ts';
import { findVma, firstEndingAfter, vmaCovers, vmaInMap } from './vma.ts';

/** Reclaims the pages of [start, end), given as (slot, index) pairs. Returns how many have gone. */
export function shrinkRange(
  cpu: Cpu,
  mm: Mm,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): number {
  const before = enterActor(cpu, ACTOR.reclaim);
  const lastSlot = endIndex === 0 ? endSlot - 1 : endSlot;
  let gone = 0;
  for (let slot = startSlot; slot <= lastSlot; ) {
    const first = slot === startSlot ? startIndex : 0;
    const end = slot === endSlot ? endIndex : ptrsMask() + 1;
    anonVmaLockRead(cpu, mm);
    const from = firstMappedSlot(cpu, mm, slot, first);
    if (from === slot) gone += shrinkSlot(cpu, mm, slot, first, end);
    anonVmaUnlockRead(cpu, mm);
    slot = from === slot ? slot + 1 : Math.min(from, lastSlot + 1);
    rcuQuiescent(cpu);
  }
  leaveActor(cpu, before);
  return gone;
}

/** The first slot in which a VMA has a part at or after (slot, index); beyond all if none has. */
function firstMappedSlot(cpu: Cpu, mm: Mm, slot: number, index: number): number {
  const vma = vmaInMap(cpu, mm, firstEndingAfter(cpu, mm, slot, index));
  if (vma === 0) return Number.MAX_SAFE_INTEGER;
  return Math.max(slot, read(cpu, vmaAt(vma) + VMA.startSlot));
}

/** Reclaims in one table, with the rmap lock held; some VMA touches the slot. */
function shrinkSlot(cpu: Cpu, mm: Mm, slot: number, first: number, end: number): number {
  const pmdp = pmdOffset(cpu, mm, slot);
  if (pmdp === 0) return 0;
  if (hasHook(HOOK.walks)) boundProtocol().walkBegin(cpu, mm, slot);
  let gone = 0;
  let discarded = false;
  let redirtied = false;
  let vma = 0;
  for (let index = first; index < end; index++) {
    if (vma === 0 || !vmaCovers(cpu, vma, slot, index)) vma = findVma(cpu, mm, slot, index);
    const pfn = vma === 0 ? 0 : candidateAt(cpu, mm, pmdp, slot, index);
    if (pfn === 0 || !pageTrylock(cpu, pfn)) continue;
    const outcome = tryToUnmapOne(cpu, mm, pmdp, slot, index, pfn);
    if (outcome === UNMAP.swapped || outcome === UNMAP.discarded) {
      gone++;
      takeUnmapped(cpu, mm, pfn);
    } else pageUnlock(cpu, pfn);
    if (outcome === UNMAP.discarded) discarded = true;
    if (outcome === UNMAP.redirtied) redirtied = true;
  }
  letUnmappedGo(cpu, mm);
  if (hasHook(HOOK.walks)) boundProtocol().walkEnd(cpu, mm, slot);
  if (hasHook(HOOK.rmapDone)) boundProtocol().rmapDone(cpu, mm, pmdp, slot, discarded, redirtied);
  return gone;
}

/**
 * The page that is mapped at (slot, index) by a look without a lock, or 0. (Linux finds pages in
 * its lists.) Not those that userfaultfd protects: a swap entry has no room to say so.
 */
function candidateAt(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, index: number): number {
  const ptep = pteOffsetMap(cpu, mm, pmdp, slot, index);
  if (ptep === 0) return 0;
  const { pmdval } = cpu;
  const value = ptepGet(cpu, ptep);
  pteUnmap(cpu, mm, pmdp, slot, pmdval);
  if (value === PTE_NONE || !ptePresent(value) || pteUffdWp(value)) return 0;
  return ptePfn(value) === ZERO_PFN ? 0 : ptePfn(value);
}

/** Keeps a page that has been unmapped until the flush, which comes when there are many. */
function takeUnmapped(cpu: Cpu, mm: Mm, pfn: number): void {
  cpu.shrunk[cpu.shrunkCount++] = pfn;
  if (cpu.shrunkCount === SHRINK_BATCH_MAX) letUnmappedGo(cpu, mm);
}

/** Flushes, and lets go of the pages unmapped so far: swapped out, or free. */
function letUnmappedGo(cpu: Cpu, mm: Mm): void {
  if (cpu.shrunkCount === 0) return;
  flushTlbBatchedPending(cpu, mm); // @reclaim-flush
  for (let i = 0; i < cpu.shrunkCount; i++) {
    const pfn = cpu.shrunk[i]!;
    const state = load(cpu, pageAt(pfn) + PAGE.state) & PAGE_STATE_MASK;
    if (state === PAGE_STATE.gathered) freePage(cpu, pfn);
    pageUnlock(cpu, pfn);
  }
  cpu.shrunkCount = 0;
}
