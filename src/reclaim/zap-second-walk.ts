/**
 * P6, the second walk of summer 2024 (series "synchronously scan and reclaim empty user PTE pages",
 * Qi Zheng): after MADV_DONTNEED has zapped its range, the range is walked once more, and tables
 * found empty under pml and ptl go into the gather of the same call.
 *
 * Nothing needs to be remembered of the zap, so a table that was refilled or emptied in parts is
 * judged by what is in it; the price is a look at the entries of every whole slot of the range,
 * empty or not. Passed over as by the scanner: hugetlb, VM_HUGEPAGE and userfaultfd-wp VMAs, and
 * slots that the request covers in part.
 *
 * The TLB flush comes with the end of the gather, when the locks are long dropped: until then a
 * fault may map something new while CPUs still walk by what they remember of the old table, find it
 * empty, and fault again. The series had two hooks that flushed before such an install, and dropped
 * them; `locked` flushes under the locks instead.
 */

import type { Cpu } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import { ptrsMask, vmaAt } from '#arena/arena';
import { VMA } from '#arena/layout/mm';
import { peek } from '#arena/word';
import { type Mm, mmDecNrTables } from '#mm/mm';
import { pteFreeTlb } from '#mm/mmu-gather';
import { pmdOffset } from '#mm/pgtable';
import { HOOK } from '#mm/reclaim-protocol';
import { rcuQuiescent } from '#sync/rcu';
import { COUNTER, count } from '#trace/counters';
import { NoReclaim } from './none.ts';
import { FLUSH, LEFT_ALONE, LOOK, unhookIfEmpty } from './unhook-empty.ts';

export class ZapSecondWalk extends NoReclaim {
  override readonly hooks: number = HOOK.rangeDone;
  private readonly flush: number;

  /** `locked`: what CPUs remember of a table is flushed before its locks are dropped. */
  constructor(locked: boolean) {
    super();
    this.flush = locked ? FLUSH.tables : FLUSH.later;
  }

  /** The second walk, over the slots that the zapped range, and so its VMA, contains. */
  override rangeDone(
    cpu: Cpu,
    mm: Mm,
    vma: number,
    startSlot: number,
    startIndex: number,
    endSlot: number,
    _endIndex: number,
  ): void {
    if ((peek(vmaAt(vma) + VMA.flags) & LEFT_ALONE) !== 0) return;
    for (let slot = startIndex === 0 ? startSlot : startSlot + 1; slot < endSlot; slot++) {
      const pmdp = pmdOffset(cpu, mm, slot);
      // No PMD table: nor is there a table in the rest of its reach.
      if (pmdp === 0) slot |= ptrsMask();
      else this.reclaimSlot(cpu, mm, pmdp, slot);
      rcuQuiescent(cpu);
    }
  }

  private reclaimSlot(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number): void {
    const table = unhookIfEmpty(cpu, mm, pmdp, slot, this.flush, LOOK.entries);
    if (table === 0) return;
    mmDecNrTables(cpu, mm, 0);
    count(cpu, COUNTER.tablesReclaimed, 1);
    pteFreeTlb(cpu, table, slot, 1);
  }
}
