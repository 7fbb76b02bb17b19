/**
 * Faults on entries that are not none and not present: what was moved out of memory comes back,
 * what is on the move is waited for, what was hidden to see who uses it is shown again.
 */
import type { Cpu } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import { MARKER, PTE_KIND, type Pte, pteKind, ptePfn } from '#arch/pte';
import { doMigrationPage } from './migration-wait.ts';
import type { Mm } from './mm.ts';
import { doNumaPage } from './numa.ts';
import { doSwapPage } from './swap.ts';
import { swapVmaReadahead } from './swap-readahead.ts';
import { doUffdWpMarker } from './userfaultfd.ts';
import { VM_FAULT } from './vm-fault.ts';

/** Handles a fault for which the hardware walk found `orig`; a value of `VM_FAULT`. */
export function doNonPresentPage(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  index: number,
  orig: Pte,
): number {
  switch (pteKind(orig)) {
    case PTE_KIND.swap:
      swapVmaReadahead(cpu, mm, pmdp, slot, index);
      return doSwapPage(cpu, mm, pmdp, slot, index, orig);
    case PTE_KIND.migration:
      return doMigrationPage(cpu, mm, pmdp, slot, index, orig);
    case PTE_KIND.protNone:
      return doNumaPage(cpu, mm, pmdp, slot, index, orig);
    default:
      if (ptePfn(orig) !== MARKER.uffdWp) return VM_FAULT.sigsegv;
      return doUffdWpMarker(cpu, mm, pmdp, slot, index, orig);
  }
}
