/** The tables of a range, one after another: for advice that goes through tables, and mprotect. */

import type { Cpu } from '#arch/cpu';
import { type Pmdp, pmdNone } from '#arch/pmd';
import { ptrsMask } from '#arena/arena';
import { rcuQuiescent } from '#sync/rcu';
import { changePteRange } from './change-protection.ts';
import { madviseColdPteRange } from './cold.ts';
import { guardRemovePteRange } from './guard.ts';
import { madviseFreePteRange } from './lazyfree.ts';
import type { Mm } from './mm.ts';
import { pmdOffset, pmdpGet } from './pgtable.ts';
import { boundProtocol, HOOK, hasHook } from './reclaim-protocol.ts';
import { swapinPteRange } from './swapin.ts';

/** What is done to each table; `protect` and a value of `PROTECTION` on top of it: mprotect. */
export const ADVISED = { free: 0, cold: 1, swapin: 2, guardRemove: 3, protect: 4 } as const;

/**
 * Does `what` (see `ADVISED`) to the tables of [start, end), given as (slot, index) pairs,
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
    case ADVISED.swapin:
      return swapinPteRange(cpu, mm, pmdp, slot, first, end);
    default:
      changePteRange(cpu, mm, pmdp, slot, first, end, what - ADVISED.protect);
      return true;
  }
}
