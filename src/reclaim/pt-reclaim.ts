/**
 * P7, reclaim inside the zap, as Linux has it since 6.14 (PT_RECLAIM; commit 6375e95f381e,
 * mm/memory.c `zap_empty_pte_table` and `zap_pte_table_if_empty`).
 *
 * After an MADV_DONTNEED that covered a whole PTE table:
 * - fast path, still under the ptl: if every entry was zapped under this one hold and none was
 *   skipped, the table is empty. The pml comes before the ptl in the lock order, so it can only be
 *   tried;
 * - slow path, after the ptl was dropped on the way or the try failed: pml, then ptl, then a look
 *   at every entry. No recheck of the pmd is needed: the pml is held before the map. It may be
 *   another table than the zapped one, which does no harm, as it too was found empty. Where locks
 *   are not split the pml is the ptl, and counts as held.
 */

import type { Cpu } from '#arch/cpu';
import { type Pmdp, pmdTable } from '#arch/pmd';
import { boundMap } from '#arena/arena';
import { PERCPU } from '#arena/layout/percpu';
import { peek } from '#arena/word';
import type { Mm } from '#mm/mm';
import { lastChanger, pmdLock, pmdLockptr, pmdUnhook, pmdUnlock } from '#mm/pgtable';
import { pteOffsetMapRwNolock, pteUnmap } from '#mm/pte-offset-map';
import { HOOK, type ZapFacts } from '#mm/reclaim-protocol';
import { tableIsEmpty } from '#mm/table-scan';
import { rcuReadUnlock } from '#sync/rcu';
import { SINGLE_DEPTH_NESTING, spinLockNested, spinTrylock, spinUnlock } from '#sync/spinlock';
import { COUNTER, count } from '#trace/counters';
import { countRace } from '#trace/race';
import { ACTOR, LOCK, RACE } from '#trace/vocabulary';
import { NoReclaim } from './none.ts';

export class PtReclaim extends NoReclaim {
  override readonly hooks: number = HOOK.zapLocked | HOOK.zapDone;

  /** The fast path (`zap_empty_pte_table`). Lock order: ptl held, pml only tried. */
  override zapLocked(
    cpu: Cpu,
    mm: Mm,
    pmdp: Pmdp,
    slot: number,
    table: number,
    facts: ZapFacts,
  ): boolean {
    if (!facts.direct || facts.anySkipped) return false;
    const pml = pmdLockptr(mm, pmdp);
    const shared = pml === cpu.ptl;
    if (!shared) {
      const locked = spinTrylock(cpu, pml, LOCK.pml); // @trylock-pml
      if (!locked) {
        countRace(cpu, RACE.pmdTrylockFailed, holderOf(pml));
        return false;
      }
    }
    pmdUnhook(cpu, pmdp, table, slot);
    if (!shared) pmdUnlock(cpu, pml);
    count(cpu, COUNTER.reclaimFast, 1);
    return true;
  }

  /** The slow path (`zap_pte_table_if_empty`). Lock order: pml, then ptl. */
  override zapDone(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, facts: ZapFacts): number {
    if (!facts.whole || facts.anySkipped) return 0;
    const pml = pmdLock(cpu, mm, pmdp);
    const ptep = pteOffsetMapRwNolock(cpu, mm, pmdp, slot, 0);
    if (ptep === 0) {
      pmdUnlock(cpu, pml);
      return 0;
    }
    const { ptl, pmdval } = cpu;
    const table = pmdTable(pmdval);
    if (ptl !== pml) spinLockNested(cpu, ptl, LOCK.ptl, SINGLE_DEPTH_NESTING);
    const empty = tableIsEmpty(cpu, table);
    if (!empty) countRace(cpu, RACE.refilled, lastChanger(table));
    if (empty) pmdUnhook(cpu, pmdp, table, slot);
    if (ptl !== pml) spinUnlock(cpu, ptl, LOCK.ptl);
    pmdUnlock(cpu, pml);
    if (empty) rcuReadUnlock(cpu);
    else pteUnmap(cpu, mm, pmdp, slot, pmdval);
    count(cpu, empty ? COUNTER.reclaimSlow : COUNTER.reclaimKept, 1);
    return empty ? table : 0;
  }
}

/**
 * What the CPU that holds a test-and-set lock is doing; of other algorithms the holder is not in
 * the word.
 */
function holderOf(lockp: number): number {
  const { percpu, percpuWords, geometry } = boundMap();
  const holder = peek(lockp) - 1;
  if (holder < 0 || holder >= geometry.cpus) return ACTOR.none;
  return peek(percpu + holder * percpuWords + PERCPU.actor);
}
