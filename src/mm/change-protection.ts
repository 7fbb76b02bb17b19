/**
 * What mprotect does to entries (`change_pte_range`): takes away the right to write, and gives it
 * back; hides pages that may not be accessed at all, and shows them again. The caller holds the
 * mmap lock for writing, so that no fault meets an entry that is not as its VMA says. And what
 * NUMA hinting does to them, which hides pages that the VMA allows (`MM_CP_PROT_NUMA`).
 */
import type { Cpu } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import {
  mkNonPresent,
  mkPte,
  PTE_KIND,
  type Pte,
  type Ptep,
  pteDirty,
  pteKind,
  pteMkwriteDirty,
  ptePfn,
  ptePresent,
  pteUffdWp,
  pteWrite,
  pteWrprotect,
  pteZeroPage,
} from '#arch/pte';
import { flushTlbRange } from '#arch/shootdown';
import { ZERO_PFN } from '#arena/layout/page';
import { COUNTER, count } from '#trace/counters';
import type { Mm } from './mm.ts';
import { ptepGet, ptepGetAndClear, ptepReplace } from './pgtable.ts';
import { PROTECTION } from './protection.ts';
import { pteUnmapUnlock } from './pte-offset-map.ts';
import { walkerMapLock } from './walkers/map-table.ts';
import { reactsAsPosted } from './walkers/reactions.ts';

/** Beside the values of `PROTECTION`: hides pages of their own until the next access. */
export const PROT_NUMA = 3;

/**
 * Gives the entries [first, end) of one table `protection` (a value of `PROTECTION`, or
 * `PROT_NUMA`), and flushes where a right has gone. Returns how many it changed: as posted none, if
 * the table was not to be had.
 */
export function changePteRange(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  first: number,
  end: number,
  protection: number,
): number {
  const ptep = walkerMapLock(cpu, mm, pmdp, slot, first, !reactsAsPosted());
  if (ptep === 0) return 0;
  const { ptl, table } = cpu;
  let changed = 0;
  for (let i = 0; i < end - first; i++) {
    const at = (ptep + i) as Ptep;
    const value = ptepGet(cpu, at);
    if (!changes(value, protection)) continue;
    // Taken out first: hardware may set the dirty bit until then, and that must not get lost.
    const old = ptepGetAndClear(cpu, at);
    ptepReplace(cpu, table, at, old, withProtection(old, protection));
    changed++;
  }
  pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  if (changed !== 0 && protection !== PROTECTION.write)
    flushTlbRange(cpu, slot, first, slot, end, false);
  count(cpu, COUNTER.walkerPages, changed);
  return changed;
}

/** Whether an entry becomes another one; swap entries and markers have no protection. */
function changes(value: Pte, protection: number): boolean {
  if (protection === PROT_NUMA)
    return ptePresent(value) && !pteZeroPage(value) && !pteUffdWp(value);
  if (pteKind(value) === PTE_KIND.protNone) return protection !== PROTECTION.none;
  if (protection === PROTECTION.none) return ptePresent(value);
  return protection === PROTECTION.write ? mayBecomeWritable(value) : pteWrite(value);
}

/** A page of its own that has been written to; others are left to a fault. */
function mayBecomeWritable(value: Pte): boolean {
  if (!ptePresent(value) || pteWrite(value) || !pteDirty(value)) return false;
  return !pteUffdWp(value) && !pteZeroPage(value);
}

/** A hidden entry has no room for its former bits: dirty is what is safe to assume of its page. */
function withProtection(value: Pte, protection: number): Pte {
  if (protection === PROTECTION.none || protection === PROT_NUMA)
    return mkNonPresent(PTE_KIND.protNone, ptePfn(value));
  const writes = protection === PROTECTION.write;
  if (ptePresent(value)) return writes ? pteMkwriteDirty(value) : pteWrprotect(value);
  const own = ptePfn(value) !== ZERO_PFN;
  return mkPte(ptePfn(value), writes && own, own);
}
