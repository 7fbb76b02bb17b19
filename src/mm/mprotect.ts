/**
 * mprotect: takes away the right to write, and gives it back. Both happen under one hold of the
 * mmap lock, so that no fault meets a VMA that forbids writing; stores meanwhile fault and wait.
 */
import type { Cpu } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import {
  type Pte,
  type Ptep,
  pteDirty,
  pteMkwriteDirty,
  pteNone,
  pteUffdWp,
  pteWrite,
  pteWrprotect,
  pteZeroPage,
} from '#arch/pte';
import { flushTlbRange } from '#arch/shootdown';
import { COUNTER, count } from '#trace/counters';
import type { Mm } from './mm.ts';
import { ptepGet, ptepGetAndClear, ptepReplace } from './pgtable.ts';
import { pteUnmapUnlock } from './pte-offset-map.ts';
import { walkerMapLock } from './walkers/map-table.ts';
import { reactsAsPosted } from './walkers/reactions.ts';

/**
 * Makes the entries [first, end) of one table writable or not, and flushes where a right has gone.
 * Returns how many it changed: as posted none, if the table was not to be had.
 */
export function changePteRange(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  first: number,
  end: number,
  writable: boolean,
): number {
  const ptep = walkerMapLock(cpu, mm, pmdp, slot, first, !reactsAsPosted());
  if (ptep === 0) return 0;
  const { ptl, table } = cpu;
  let changed = 0;
  for (let i = 0; i < end - first; i++) {
    const at = (ptep + i) as Ptep;
    const value = ptepGet(cpu, at);
    if (writable ? !mayBecomeWritable(value) : !pteWrite(value)) continue;
    // Taken out first: hardware may set the dirty bit until then, and that must not get lost.
    const old = ptepGetAndClear(cpu, at);
    ptepReplace(cpu, table, at, old, writable ? pteMkwriteDirty(old) : pteWrprotect(old));
    changed++;
  }
  pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  if (changed !== 0 && !writable) flushTlbRange(cpu, slot, first, slot, end, false);
  count(cpu, COUNTER.walkerPages, changed);
  return changed;
}

/** A page of its own that has been written to; others are left to a fault. */
function mayBecomeWritable(value: Pte): boolean {
  if (pteNone(value) || pteWrite(value) || !pteDirty(value)) return false;
  return !pteUffdWp(value) && !pteZeroPage(value);
}
