/**
 * The hardware's own walk of the page tables: no lock, no read section. What keeps the tables under
 * it is the shootdown: whoever unhooks one flushes before it frees, and this CPU does not serve
 * that flush in the middle of an access. (Bodies on demand are not of the hardware's world: where
 * they may go, the walk is a read section.)
 */
import type { Cpu } from '#arch/cpu';
import { beginAccess, endAccess, flushesAreBroadcast } from '#arch/interrupts';
import { type Pmd, pmdMatchesFrame, pmdTable, pmdTablePresent } from '#arch/pmd';
import { PTE_NONE, type Ptep, pteDirty, pteMkdirty, ptePfn, ptePresent, pteWrite } from '#arch/pte';
import { pwcFill, pwcLookup, tlbFill } from '#arch/tlb';
import { bodyAt, ptdescAt, ptrsMask } from '#arena/arena';
import { PERCPU, PWC_ENTRY, PWC_SETS } from '#arena/layout/percpu';
import { FRAME, frameStateOf, PTDESC } from '#arena/layout/ptdesc';
import { compareExchange, peek } from '#arena/word';
import { rcuReadLock, rcuReadUnlock } from '#sync/rcu';
import { COUNTER, count } from '#trace/counters';
import { FACT, panic } from '#trace/fact';
import { countRace } from '#trace/race';
import { RACE } from '#trace/vocabulary';
import type { Mm } from './mm.ts';
import { checkFrame, lastChanger, pmdNow, pmdOffset, pmdpGet, ptepGet } from './pgtable.ts';
import { bodiesOnDemand } from './table-alloc.ts';

/**
 * The page frame of (slot, index) if the tables allow the access, which the TLB then remembers; 0:
 * a fault, with the entry found in `cpu.walked`. A store sets the dirty bit.
 */
export function hardwareWalk(
  cpu: Cpu,
  mm: Mm,
  slot: number,
  index: number,
  write: boolean,
): number {
  if (!bodiesOnDemand()) return walk(cpu, mm, slot, index, write);
  rcuReadLock(cpu);
  const pfn = walk(cpu, mm, slot, index, write);
  rcuReadUnlock(cpu);
  return pfn;
}

function walk(cpu: Cpu, mm: Mm, slot: number, index: number, write: boolean): number {
  const pmdval = walkUpper(cpu, mm, slot);
  cpu.walked = PTE_NONE;
  if (!pmdTablePresent(pmdval)) return 0;
  const at = ptdescAt(pmdTable(pmdval));
  const ptep = (bodyAt(peek(at + PTDESC.body)) + index) as Ptep;
  let value = ptepGet(cpu, ptep);
  const state = peek(at + PTDESC.state);
  if (!pmdMatchesFrame(pmdval, state)) checkWalk(cpu, mm, slot, pmdval, state);
  cpu.walked = value;
  if (write ? !pteWrite(value) : !ptePresent(value)) return 0;
  if (write && !pteDirty(value)) {
    const dirty = pteMkdirty(value);
    if (compareExchange(cpu, ptep, value, dirty) !== value) {
      cpu.walked = PTE_NONE;
      return 0;
    }
    value = dirty;
  }
  tlbFill(cpu, slot, index, value);
  return ptePfn(value);
}

/** The pmd entry of `slot`: as remembered, or as it stands, which is then remembered. */
function walkUpper(cpu: Cpu, mm: Mm, slot: number): Pmd {
  const remembered = pwcLookup(cpu, slot);
  if (remembered !== 0) return remembered;
  const pmdp = pmdOffset(cpu, mm, slot);
  if (pmdp === 0) return 0 as Pmd;
  const pmdval = pmdpGet(cpu, pmdp);
  if (pmdTablePresent(pmdval)) {
    const state = peek(ptdescAt(pmdTable(pmdval)) + PTDESC.state);
    if (!pmdMatchesFrame(pmdval, state)) checkFrame(cpu, pmdval, 0);
    pwcFill(cpu, slot, pmdval);
  }
  return pmdval;
}

/**
 * An unhooked table may still be walked until the flush, even when another has taken its place: it
 * is empty, so that what comes of it is a fault in vain. One that was freed may not.
 */
function checkWalk(cpu: Cpu, mm: Mm, slot: number, pmdval: Pmd, state: number): void {
  const asIfHooked = (state & ~3) | FRAME.table;
  if (frameStateOf(state) !== FRAME.unhooked || !pmdMatchesFrame(pmdval, asIfHooked))
    panic(cpu, FACT.staleTranslation, slot, 0, -1, pmdval, state);
  countRace(cpu, RACE.staleWalk, lastChanger(pmdTable(pmdval)));
  if (pmdTablePresent(pmdNow(mm, slot))) count(cpu, COUNTER.pwcOverlaps, 1);
}

/**
 * What a CPU's hardware may do at any time, in lazy TLB mode too: it walks on from the pmd entries
 * that it remembers.
 */
export function speculativeWalk(cpu: Cpu, mm: Mm): void {
  const mask = ptrsMask();
  if (flushesAreBroadcast()) beginAccess(cpu);
  for (let i = 0; i < PWC_SETS; i++) {
    const slot = peek(cpu.block + PERCPU.pwc + i * PWC_ENTRY.sizeWords + PWC_ENTRY.tag) - 1;
    if (slot >= 0) hardwareWalk(cpu, mm, slot, cpu.prng.below(mask + 1), false);
  }
  if (flushesAreBroadcast()) endAccess(cpu);
}
