/**
 * MADV_FREE, after `madvise_free_pte_range`: the pages of a range may be dropped whenever memory is
 * short, unless they are written to again. They become clean and lazyfree; a store sets the dirty
 * bit of the entry again, which page reclaim looks at (rmap.ts). Swap space is given back at once.
 *
 * A CPU that still remembers an entry as dirty stores without a trace; the flush that ends the
 * gather puts an end to that.
 */
import type { Cpu } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import {
  PTE_KIND,
  type Pte,
  type Ptep,
  pteDirty,
  pteKind,
  pteMkclean,
  ptePfn,
  ptePresent,
  pteZeroPage,
} from '#arch/pte';
import { pageAt } from '#arena/arena';
import { PAGE, PAGE_LAZYFREE } from '#arena/layout/page';
import { peek } from '#arena/word';
import { COUNTER, count } from '#trace/counters';
import type { Mm } from './mm.ts';
import { tlbAdjustRange } from './mmu-gather.ts';
import { flipPageState } from './page-state.ts';
import { noteCleared, pteClear, ptepGet, ptepGetAndClear, ptepReplace } from './pgtable.ts';
import { pteOffsetMapLock, pteUnmapUnlock } from './pte-offset-map.ts';
import { boundProtocol, HOOK, hasHook } from './reclaim-protocol.ts';
import { releaseSwap } from './swap.ts';
import { flushTlbBatchedPending } from './tlb-batched.ts';

/** The entries [first, end) of one table; the caller has a gather open. */
export function madviseFreePteRange(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  first: number,
  end: number,
): void {
  const ptep = pteOffsetMapLock(cpu, mm, pmdp, slot, first);
  if (ptep === 0) return;
  const { ptl, table } = cpu;
  flushTlbBatchedPending(cpu, mm);
  let marked = 0;
  let swapped = 0;
  for (let i = 0; i < end - first; i++) {
    const at = (ptep + i) as Ptep;
    const value = ptepGet(cpu, at);
    if (pteKind(value) === PTE_KIND.swap) {
      pteClear(cpu, at);
      releaseSwap(cpu, ptePfn(value));
      swapped++;
    } else if (ptePresent(value) && !pteZeroPage(value)) {
      markLazyfree(cpu, table, at, value);
      marked++;
    }
  }
  if (marked !== 0) tlbAdjustRange(cpu, slot, first, end);
  if (swapped !== 0) noteCleared(cpu, table, swapped, 0);
  count(cpu, COUNTER.lazyfreeMarked, marked);
  pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  if (hasHook(HOOK.lazyfreeDone)) boundProtocol().lazyfreeDone(cpu, mm, pmdp, slot, marked !== 0);
}

function markLazyfree(cpu: Cpu, table: number, ptep: Ptep, value: Pte): void {
  if (pteDirty(value)) {
    const old = ptepGetAndClear(cpu, ptep);
    ptepReplace(cpu, table, ptep, old, pteMkclean(old));
  }
  const at = pageAt(ptePfn(value)) + PAGE.state;
  const state = peek(at);
  if ((state & PAGE_LAZYFREE) === 0) flipPageState(cpu, at, state, PAGE_LAZYFREE);
}
