/**
 * MADV_COLD: the pages of a range have not been used lately. Whether they have is what the CPUs'
 * TLBs remember (entries have no accessed bit here), so it is one pass over the entries, and what
 * is remembered of them is flushed.
 */
import type { Cpu } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import { type Ptep, ptePresent } from '#arch/pte';
import type { Mm } from './mm.ts';
import { tlbAdjustRange } from './mmu-gather.ts';
import { ptepGet } from './pgtable.ts';
import { pteOffsetMapLock, pteUnmapUnlock } from './pte-offset-map.ts';
import { flushTlbBatchedPending } from './tlb-batched.ts';

/** The entries [first, end) of one table; the caller has a gather open. */
export function madviseColdPteRange(
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
  let present = 0;
  for (let i = 0; i < end - first; i++) if (ptePresent(ptepGet(cpu, (ptep + i) as Ptep))) present++;
  if (present !== 0) tlbAdjustRange(cpu, slot, first, end);
  pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
}
