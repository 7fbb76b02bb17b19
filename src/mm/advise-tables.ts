/** The tables of a range, one after another, for those kinds of advice that go through tables. */

import type { Cpu } from '#arch/cpu';
import { type Pmdp, pmdNone } from '#arch/pmd';
import { ptrsMask } from '#arena/arena';
import { rcuQuiescent } from '#sync/rcu';
import { madviseColdPteRange } from './cold.ts';
import { guardRemovePteRange } from './guard.ts';
import { madviseFreePteRange } from './lazyfree.ts';
import type { Mm } from './mm.ts';
import { pmdOffset, pmdpGet } from './pgtable.ts';
import { boundProtocol, HOOK, hasHook } from './reclaim-protocol.ts';
import { swapinPteRange } from './swapin.ts';

/** What is done to each table. */
export const ADVISED = { free: 0, cold: 1, swapin: 2, guardRemove: 3 } as const;

/**
 * Does `what` (a value of `ADVISED`) to the tables of [start, end), given as (slot, index) pairs,
 * within one VMA. False: it broke off.
 */
export function adviseTables(
  cpu: Cpu,
  mm: Mm,
  what: number,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): boolean {
  const mask = ptrsMask();
  const lastSlot = endIndex === 0 ? endSlot - 1 : endSlot;
  let goesOn = true;
  for (let slot = startSlot; goesOn && slot <= lastSlot; ) {
    // Slots below one PMD table: one walk.
    const lastOfWalk = Math.min(slot | mask, lastSlot);
    if (hasHook(HOOK.walks)) boundProtocol().walkBegin(cpu, mm, slot);
    const walked = slot;
    for (; goesOn && slot <= lastOfWalk; slot++) {
      const pmdp = pmdOffset(cpu, mm, slot);
      // Where an upper entry is none, so are all that it would lead to.
      if (pmdp === 0) slot = lastOfWalk;
      else if (!pmdNone(pmdpGet(cpu, pmdp))) {
        const first = slot === startSlot ? startIndex : 0;
        const end = slot === endSlot ? endIndex : mask + 1;
        goesOn = adviseTable(cpu, mm, what, pmdp, slot, first, end);
        rcuQuiescent(cpu);
      }
    }
    if (hasHook(HOOK.walks)) boundProtocol().walkEnd(cpu, mm, walked);
  }
  return goesOn;
}

function adviseTable(
  cpu: Cpu,
  mm: Mm,
  what: number,
  pmdp: Pmdp,
  slot: number,
  first: number,
  end: number,
): boolean {
  switch (what) {
    case ADVISED.free:
      madviseFreePteRange(cpu, mm, pmdp, slot, first, end);
      return true;
    case ADVISED.cold:
      madviseColdPteRange(cpu, mm, pmdp, slot, first, end);
      return true;
    case ADVISED.guardRemove:
      guardRemovePteRange(cpu, mm, pmdp, slot, first, end);
      return true;
    default:
      return swapinPteRange(cpu, mm, pmdp, slot, first, end);
  }
}
