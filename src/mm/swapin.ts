/** MADV_WILLNEED: what is swapped out comes back (after `swapin_walk_pmd_entry`). */

import type { Cpu } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import { PTE_KIND, pteKind } from '#arch/pte';
import { countRace } from '#trace/race';
import { RACE } from '#trace/vocabulary';
import type { Mm } from './mm.ts';
import { lastPmdChanger, ptepGet } from './pgtable.ts';
import { pteOffsetMapLock, pteUnmapUnlock } from './pte-offset-map.ts';
import { doSwapPage } from './swap.ts';
import { VM_FAULT } from './vm-fault.ts';
import { reactsAsPosted } from './walkers/reactions.ts';

/**
 * The entries [first, end) of one table. False: the walk is to end, since memory is short or, as
 * posted, since the table was not to be had.
 */
export function swapinPteRange(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  first: number,
  end: number,
): boolean {
  for (let index = first; index < end; index++) {
    const ptep = pteOffsetMapLock(cpu, mm, pmdp, slot, index);
    if (ptep === 0) {
      countRace(cpu, RACE.pmdGone, lastPmdChanger(pmdp));
      return !reactsAsPosted();
    }
    const { ptl, table } = cpu;
    const value = ptepGet(cpu, ptep);
    pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
    if (pteKind(value) !== PTE_KIND.swap) continue;
    if (doSwapPage(cpu, mm, pmdp, slot, index, value) === VM_FAULT.oom) return false;
  }
  return true;
}
