/**
 * Faults on entries that are not none and not present: what was moved out of memory comes back,
 * what is on the move is waited for, what was hidden to see who uses it is shown again.
 */
import type { Cpu } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import { MARKER, PTE_KIND, type Pte, pteKind, ptePfn } from '#arch/pte';
import type { Mm } from './mm.ts';
import { VM_FAULT } from './vm-fault.ts';

/** Handles a fault for which the hardware walk found `orig`; a value of `VM_FAULT`. */
export function doNonPresentPage(
  _cpu: Cpu,
  _mm: Mm,
  _pmdp: Pmdp,
  _slot: number,
  _index: number,
  orig: Pte,
): number {
  if (pteKind(orig) !== PTE_KIND.marker) return VM_FAULT.again;
  return ptePfn(orig) === MARKER.uffdWp ? VM_FAULT.again : VM_FAULT.sigsegv;
}
