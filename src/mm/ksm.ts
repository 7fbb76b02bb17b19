/**
 * KSM where it puts the zero page in the place of pages that hold nothing but zeros, after
 * `replace_page` (mm/ksm.c, `use_zero_pages`). The caller holds the mmap lock for reading.
 *
 * The entry is cleared and flushed first, and the page looked at then: what was stored until then
 * is seen, and whoever takes a reference without a lock looks at the entry after it (GUP-fast), so
 * that one of the two sees the other.
 */
import type { Cpu } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import { mkPte, type Ptep, ptePfn, ptePresent, pteUffdWp, pteZeroPage } from '#arch/pte';
import { pageAt } from '#arena/arena';
import {
  PAGE,
  PAGE_GENERATION_SHIFT,
  PAGE_STATE,
  PAGE_STATE_MASK,
  ZERO_PFN,
} from '#arena/layout/page';
import { load, peek } from '#arena/word';
import { COUNTER, count } from '#trace/counters';
import type { Mm } from './mm.ts';
import { freePage } from './page-alloc.ts';
import { tryPageState } from './page-state.ts';
import { ptepClearFlush, ptepGet, ptepReplace } from './pgtable.ts';
import { pteUnmapUnlock } from './pte-offset-map.ts';
import { flushTlbBatchedPending } from './tlb-batched.ts';
import { walkerMapLock } from './walkers/map-table.ts';

/** Goes through the entries [first, end) of one table. Returns how many pages it has replaced. */
export function ksmPteRange(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  first: number,
  end: number,
): number {
  const ptep = walkerMapLock(cpu, mm, pmdp, slot, first, true);
  if (ptep === 0) return 0;
  const { ptl, table } = cpu;
  flushTlbBatchedPending(cpu, mm);
  let replaced = 0;
  for (let i = 0; i < end - first; i++)
    if (replacePage(cpu, table, (ptep + i) as Ptep, slot, first + i)) replaced++;
  pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  count(cpu, COUNTER.rss, -replaced);
  count(cpu, COUNTER.walkerPages, replaced);
  return replaced;
}

/** Under the ptl; not a page that is locked, lazyfree or referenced. */
function replacePage(cpu: Cpu, table: number, ptep: Ptep, slot: number, index: number): boolean {
  const value = ptepGet(cpu, ptep);
  if (!ptePresent(value) || pteZeroPage(value) || pteUffdWp(value)) return false;
  const pfn = ptePfn(value);
  const at = pageAt(pfn);
  if (peek(at + PAGE.content) !== 0) return false;
  const old = ptepClearFlush(cpu, ptep, slot, index);
  const state = load(cpu, at + PAGE.state);
  const isUsed = (state & ((1 << PAGE_GENERATION_SHIFT) - 1)) !== PAGE_STATE.mapped;
  const next = (state & ~PAGE_STATE_MASK) | PAGE_STATE.gathered;
  if (isUsed || peek(at + PAGE.content) !== 0 || !tryPageState(cpu, at + PAGE.state, state, next)) {
    ptepReplace(cpu, table, ptep, old, old);
    return false;
  }
  ptepReplace(cpu, table, ptep, old, mkPte(ZERO_PFN, false, false));
  freePage(cpu, pfn);
  return true;
}
