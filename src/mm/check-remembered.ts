/**
 * A CPU compares what its TLB remembers with what the page tables say. A translation to another
 * page than the entry's is stale; it may be so until the flush that follows, and whoever has put
 * that off has said so before: a gather, or page reclaim. An entry that was cleared and flushed in
 * one act is none until the flush is over. So where the entry maps another page by now, and nobody
 * has a flush put off, a flush was missed. (No interrupt is served meanwhile, and it counts as an
 * access: a flush that is on its way waits for this CPU, and is still put off.)
 */
import type { Cpu } from '#arch/cpu';
import { beginAccess, endAccess, flushesAreBroadcast } from '#arch/interrupts';
import { pmdTable, pmdTablePresent } from '#arch/pmd';
import { PTE_NONE, type Pte, ptePfn, ptePresent } from '#arch/pte';
import { tlbIndexIn, tlbPfnIn, tlbSlotIn } from '#arch/tlb';
import { bodyAt, ptdescAt } from '#arena/arena';
import { MM } from '#arena/layout/mm';
import { TLB_SETS } from '#arena/layout/percpu';
import { PTDESC } from '#arena/layout/ptdesc';
import { peek } from '#arena/word';
import { rcuReadLock, rcuReadUnlock } from '#sync/rcu';
import { FACT, noteFact } from '#trace/fact';
import type { Mm } from './mm.ts';
import { pmdNow } from './pgtable.ts';

/** Notes each translation of this CPU, which uses the address space, that missed its flush. */
export function checkRemembered(cpu: Cpu, mm: Mm): void {
  rcuReadLock(cpu);
  if (flushesAreBroadcast()) beginAccess(cpu);
  for (let set = 0; set < TLB_SETS; set++) {
    const pfn = tlbPfnIn(cpu, set);
    if (pfn === 0) continue;
    const slot = tlbSlotIn(cpu, set);
    const index = tlbIndexIn(cpu, set);
    const value = entryNow(mm, slot, index);
    if (!ptePresent(value) || ptePfn(value) === pfn || flushIsPutOff(mm)) continue;
    noteFact(cpu, FACT.staleRemembered, slot, index, pfn, value, 0);
  }
  if (flushesAreBroadcast()) endAccess(cpu);
  rcuReadUnlock(cpu);
}

/** The entry of (slot, index), found without a step; none where there is no table. */
function entryNow(mm: Mm, slot: number, index: number): Pte {
  const pmdval = pmdNow(mm, slot);
  if (!pmdTablePresent(pmdval)) return PTE_NONE;
  return peek(bodyAt(peek(ptdescAt(pmdTable(pmdval)) + PTDESC.body)) + index) as Pte;
}

function flushIsPutOff(mm: Mm): boolean {
  if (peek(mm.at + MM.tlbFlushPending) !== 0) return true;
  return peek(mm.at + MM.tlbBatched) !== peek(mm.at + MM.tlbBatchedFlushed);
}
