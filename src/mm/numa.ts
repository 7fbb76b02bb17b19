/**
 * NUMA hinting: entries lose their present bit so that the next access tells who uses the page
 * (Linux's `change_prot_numa`); the fault gives it back. The page stays mapped all the while.
 */
import type { Cpu } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import {
  mkNonPresent,
  mkPte,
  PTE_KIND,
  type Pte,
  type Ptep,
  ptePfn,
  ptePresent,
  pteSame,
  pteUffdWp,
  pteZeroPage,
} from '#arch/pte';
import { flushTlbRange } from '#arch/shootdown';
import { COUNTER, count } from '#trace/counters';
import { countRace } from '#trace/race';
import { RACE } from '#trace/vocabulary';
import type { Mm } from './mm.ts';
import { lastChanger, lastPmdChanger, ptepGet, ptepGetAndClear, ptepReplace } from './pgtable.ts';
import { mayBeWritten } from './protection.ts';
import { pteOffsetMapLock, pteUnmapUnlock } from './pte-offset-map.ts';
import { VM_FAULT } from './vm-fault.ts';
import { walkerMapLock } from './walkers/map-table.ts';
import { reactsAsPosted } from './walkers/reactions.ts';

/** Hides the pages of the entries [first, end) of one table. Returns how many. */
export function changeProtNuma(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  first: number,
  end: number,
): number {
  const ptep = walkerMapLock(cpu, mm, pmdp, slot, first, !reactsAsPosted());
  if (ptep === 0) return 0;
  const { ptl, table } = cpu;
  let hidden = 0;
  for (let i = 0; i < end - first; i++) {
    const at = (ptep + i) as Ptep;
    const value = ptepGet(cpu, at);
    if (!ptePresent(value) || pteZeroPage(value) || pteUffdWp(value)) continue;
    const old = ptepGetAndClear(cpu, at);
    ptepReplace(cpu, table, at, old, mkNonPresent(PTE_KIND.protNone, ptePfn(old)));
    hidden++;
  }
  pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  if (hidden !== 0) flushTlbRange(cpu, slot, first, slot, end, false);
  count(cpu, COUNTER.walkerPages, hidden);
  return hidden;
}

/**
 * The fault on a hidden page shows it again, as the VMA allows; what it forbids altogether has no
 * fault. The entry has no room for its former bits: dirty is what is safe to assume.
 */
export function doNumaPage(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  index: number,
  orig: Pte,
): number {
  const ptep = pteOffsetMapLock(cpu, mm, pmdp, slot, index);
  if (ptep === 0) {
    countRace(cpu, RACE.pmdGone, lastPmdChanger(pmdp));
    return reactsAsPosted() ? VM_FAULT.retry : VM_FAULT.again;
  }
  const { ptl, table } = cpu;
  const same = pteSame(ptepGet(cpu, ptep), orig);
  if (same) ptepReplace(cpu, table, ptep, orig, mkPte(ptePfn(orig), mayBeWritten(cpu), true));
  else countRace(cpu, RACE.pteChanged, lastChanger(table));
  pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  return same ? VM_FAULT.done : VM_FAULT.again;
}
