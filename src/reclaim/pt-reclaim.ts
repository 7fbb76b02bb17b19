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
 *
 * As first merged, the fast path did not know that the ptl had been dropped, and freed tables that
 * a fault had filled again meanwhile (fixed in February 2025); and where locks are not split, it
 * tried the very lock that it held. With `rest`, our own addition, a dropped ptl does not lead to
 * the slow path: the entries before `lastFrom` are looked at under the hold that ends the zap.
 */

import type { Cpu } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import type { Mm } from '#mm/mm';
import { lastChanger, pmdLockptr } from '#mm/pgtable';
import { HOOK, type ZapFacts } from '#mm/reclaim-protocol';
import { entriesAreNone } from '#mm/table-scan';
import { COUNTER, count } from '#trace/counters';
import { countRace } from '#trace/race';
import { RACE } from '#trace/vocabulary';
import { NoReclaim } from './none.ts';
import { unhookIfEmptyPmlFirst, unhookUnderPtl } from './unhook-empty.ts';
import { byVariant, type Options } from './variant.ts';

/**
 * What is looked at once the ptl was dropped in the middle of a zap: all entries, on the slow path;
 * those not zapped under the last hold, still on the fast one; or nothing, as first merged.
 */
const REVERIFY = { all: 0, rest: 1, none: 2 } as const;

class PtReclaim extends NoReclaim {
  override readonly hooks: number = HOOK.zapLocked | HOOK.zapDone;
  private readonly reverify: number;
  private readonly knowsSharedLock: boolean;

  /**
   * `reverify`: a value of `REVERIFY`. `knowsSharedLock`: where locks are not split, the pml counts
   * as held with the ptl; else the try fails each time.
   */
  constructor(reverify: number, knowsSharedLock: boolean) {
    super();
    this.reverify = reverify;
    this.knowsSharedLock = knowsSharedLock;
  }

  /** The fast path (`zap_empty_pte_table`). Lock order: ptl held, pml only tried. */
  override zapLocked(
    cpu: Cpu,
    mm: Mm,
    pmdp: Pmdp,
    slot: number,
    table: number,
    facts: ZapFacts,
  ): boolean {
    if (facts.anySkipped || !this.isEmptyNow(cpu, table, facts)) return false;
    const pml = pmdLockptr(mm, pmdp);
    const held = this.knowsSharedLock && pml === cpu.ptl;
    return unhookUnderPtl(cpu, pmdp, slot, table, held ? 0 : pml);
  }

  /** The slow path (`zap_pte_table_if_empty`). Lock order: pml, then ptl. */
  override zapDone(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, facts: ZapFacts): number {
    if (!facts.whole || facts.anySkipped) return 0;
    return unhookIfEmptyPmlFirst(cpu, mm, pmdp, slot);
  }

  /**
   * Whether the entries that were zapped under earlier holds of the ptl still have to be looked at,
   * and are none. Found refilled, the table is kept, and the slow path need not look again.
   */
  private isEmptyNow(cpu: Cpu, table: number, facts: ZapFacts): boolean {
    if (facts.direct || this.reverify === REVERIFY.none) return true;
    if (this.reverify === REVERIFY.all) return false;
    if (entriesAreNone(cpu, table, 0, facts.lastFrom)) return true;
    countRace(cpu, RACE.refilled, lastChanger(table));
    count(cpu, COUNTER.reclaimKept, 1);
    facts.anySkipped = true;
    return false;
  }
}

/** `options`: as in the registry. */
export function makePtReclaim(options: Options): PtReclaim {
  const reverify = byVariant(options, 'reverify', 'all', 'none') as keyof typeof REVERIFY;
  const sharedLock = byVariant(options, 'sharedLock', 'held', 'tried');
  return new PtReclaim(REVERIFY[reverify], sharedLock === 'held');
}
