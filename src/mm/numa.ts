/**
 * The fault of NUMA hinting: entries lose their present bit so that the next access tells who uses
 * the page (`PROT_NUMA`, change-protection.ts); the fault gives it back. The page stays mapped all
 * the while.
 */
import type { Cpu } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import { mkPte, type Pte, ptePfn, pteSame } from '#arch/pte';
import { countRace } from '#trace/race';
import { RACE } from '#trace/vocabulary';
import type { Mm } from './mm.ts';
import { lastChanger, lastPmdChanger, ptepGet, ptepReplace } from './pgtable.ts';
import { mayBeWritten } from './protection.ts';
import { pteOffsetMapLock, pteUnmapUnlock } from './pte-offset-map.ts';
import { VM_FAULT } from './vm-fault.ts';
import { reactsAsPosted } from './walkers/reactions.ts';

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
