/**
 * MADV_POPULATE_READ and _WRITE: the pages of a range are there when it returns, as if each had
 * been touched. What is missing in one table is filled under one hold of its ptl, as fault-around
 * does; what needs more (a swapped page, the zero page where a page of its own is wanted) goes
 * through the fault.
 */
import type { Cpu } from '#arch/cpu';
import { type Pmdp, pmdNone } from '#arch/pmd';
import { mkPte, PTE_NONE, type Pte, type Ptep, pteNone, ptePresent, pteWrite } from '#arch/pte';
import { bodyAt, ptdescAt, ptrsMask } from '#arena/arena';
import { ZERO_PFN } from '#arena/layout/page';
import { PTDESC } from '#arena/layout/ptdesc';
import { peek } from '#arena/word';
import { rcuQuiescent } from '#sync/rcu';
import { COUNTER, count } from '#trace/counters';
import { countRace } from '#trace/race';
import { RACE } from '#trace/vocabulary';
import { handleMmFault } from './fault.ts';
import type { Mm } from './mm.ts';
import { allocPage, freeUnusedPage } from './page-alloc.ts';
import { lastPmdChanger, noteSet, pmdpGet, ptepGet, pteSet, setPteAt } from './pgtable.ts';
import { pmdAlloc, pteAlloc, pteAllocPut } from './pte-alloc.ts';
import { pteOffsetMapLock, pteUnmapUnlock } from './pte-offset-map.ts';
import { boundProtocol, HOOK, hasHook } from './reclaim-protocol.ts';
import { checkOutOfMemory, timesMemoryShort } from './truthful.ts';
import { VM_FAULT } from './vm-fault.ts';

/** Returned by `fillTable` besides positions: no memory. */
const OOM = -1;

/**
 * Populates [start, end), given as (slot, index) pairs, which lies in one VMA; under the mmap lock
 * for reading. False: out of memory, or a guard stands there.
 */
export function populateRange(
  cpu: Cpu,
  mm: Mm,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
  write: boolean,
): boolean {
  const lastSlot = endIndex === 0 ? endSlot - 1 : endSlot;
  for (let slot = startSlot; slot <= lastSlot; slot++) {
    const first = slot === startSlot ? startIndex : 0;
    const end = slot === endSlot ? endIndex : ptrsMask() + 1;
    if (!populateSlot(cpu, mm, slot, first, end, write)) return false;
  }
  return true;
}

function populateSlot(
  cpu: Cpu,
  mm: Mm,
  slot: number,
  first: number,
  end: number,
  write: boolean,
): boolean {
  for (let at = first; at < end; ) {
    const timesShort = timesMemoryShort(cpu);
    if (hasHook(HOOK.walks)) boundProtocol().walkBegin(cpu, mm, slot);
    const pmdp = pmdAlloc(cpu, mm, slot);
    const reached = pmdp === 0 ? OOM : populateTable(cpu, mm, pmdp, slot, at, end, write);
    pteAllocPut(cpu, mm, pmdp, slot);
    if (hasHook(HOOK.walks)) boundProtocol().walkEnd(cpu, mm, slot);
    if (reached === OOM) {
      checkOutOfMemory(cpu, timesShort, slot, at);
      return false;
    }
    at = reached;
    if (at < end && cpu.walked !== PTE_NONE && !faultIn(cpu, mm, slot, at, write)) return false;
    // Between tables; and whoever takes the table away may be waiting for this CPU in its flush.
    rcuQuiescent(cpu);
  }
  return true;
}

/**
 * Returns how far it came: `end`, or an entry that needs a fault (which is then in `cpu.walked`),
 * or where the table was not to be had; or `OOM`.
 */
function populateTable(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  first: number,
  end: number,
  write: boolean,
): number {
  cpu.walked = PTE_NONE;
  if (pmdNone(pmdpGet(cpu, pmdp)) && !pteAlloc(cpu, mm, pmdp, slot)) return OOM;
  if (pteOffsetMapLock(cpu, mm, pmdp, slot, first) === 0) {
    countRace(cpu, RACE.pmdGone, lastPmdChanger(pmdp));
    return first;
  }
  const { ptl, table } = cpu;
  const reached = fillEntries(cpu, table, first, end, write);
  pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  return reached < end && cpu.walked === PTE_NONE ? OOM : reached;
}

/** Under the ptl: fills what is none, up to an entry that needs a fault, or while memory lasts. */
function fillEntries(cpu: Cpu, table: number, first: number, end: number, write: boolean): number {
  const bodyp = ptdescAt(table) + PTDESC.body;
  const attaches = peek(bodyp) === 0;
  if (attaches && !setFirst(cpu, table, first, write)) return first;
  const body = bodyAt(peek(bodyp));
  let index = attaches ? first + 1 : first;
  let filled = 0;
  for (; index < end; index++) {
    const ptep = (body + index) as Ptep;
    const value = ptepGet(cpu, ptep);
    if (pteNone(value)) {
      const pfn = write ? allocPage(cpu, 0) : ZERO_PFN;
      if (pfn === 0) break;
      pteSet(cpu, ptep, mkPte(pfn, write, write));
      filled++;
    } else if (!allows(value, write)) {
      cpu.walked = value;
      break;
    }
  }
  if (filled !== 0) noteSet(cpu, table, filled, write ? 0 : filled);
  if (attaches) filled++;
  if (write) count(cpu, COUNTER.rss, filled);
  count(cpu, write ? COUNTER.faultsWrite : COUNTER.faultsRead, filled);
  return index;
}

/** Sets the first entry of a table without a body, and with it attaches one. False: no memory. */
function setFirst(cpu: Cpu, table: number, index: number, write: boolean): boolean {
  const pfn = write ? allocPage(cpu, 0) : ZERO_PFN;
  if (pfn === 0) return false;
  if (setPteAt(cpu, table, index, mkPte(pfn, write, write))) return true;
  if (write) freeUnusedPage(cpu, pfn);
  return false;
}

function allows(value: Pte, write: boolean): boolean {
  return write ? pteWrite(value) : ptePresent(value);
}

/** Handles the fault that an access would take on `cpu.walked`; the next round looks again. */
function faultIn(cpu: Cpu, mm: Mm, slot: number, index: number, write: boolean): boolean {
  const outcome = handleMmFault(cpu, mm, slot, index, write, cpu.walked);
  return outcome !== VM_FAULT.oom && outcome !== VM_FAULT.sigsegv;
}
