/**
 * From a pmd entry to a PTE: the four ways, after mm/pgtable-generic.c (Linux 6.5 and later). A PTE
 * table may be unhooked and freed at any moment by somebody who holds neither the mmap lock nor the
 * VMA lock, so a lookup may fail, and what it returns is only as good as this table says:
 *
 *     function               stable on return         may have changed       null (0) means
 *     pteOffsetMap           the table's memory       entries; the pmd       the pmd entry
 *                                                     entry                  is no table
 *     pteOffsetMapRoNolock   the same; `cpu.ptl` is   the same; even with    the same
 *                            the table's lock         the ptl it may be
 *                                                     unhooked
 *     pteOffsetMapRwNolock   the same; `cpu.pmdval`   the same: under the    the same
 *                            is what the pmd held     ptl compare pmdSame,
 *                                                     or a PTE not none
 *     pteOffsetMapLock       the entries, and that    nothing that the ptl   the pmd entry
 *                            the pmd points here      guards                 is no table now
 *
 * Each success opens an RCU read section, which keeps the table's memory; `pteUnmap` ends it, and
 * `pteUnmapUnlock` also releases the ptl. A failure leaves nothing to undo. `cpu.table` is the
 * table's number after each success.
 *
 * The three without a lock leave the CPU open to interrupts within the read section: that all CPUs
 * have answered one says nothing of who is inside a table.
 *
 * Under a protocol that counts references each success also holds one, which both unmaps return,
 * and a table that is dying is as good as none. `pteOffsetMapHeld` takes none: for callers that
 * keep the table by other means.
 *
 * Why the recheck in `pteOffsetMapLock` is enough: whoever unhooks a table clears the pmd entry
 * within a hold of its ptl, so that the hand-over of the lock makes the clearing visible.
 */

import type { Cpu } from '#arch/cpu';
import { interruptPoint } from '#arch/interrupts';
import {
  type Pmd,
  type Pmdp,
  pmdMatchesFrame,
  pmdSame,
  pmdTable,
  pmdTablePresent,
} from '#arch/pmd';
import type { Ptep } from '#arch/pte';
import { bodyAt, ptdescAt } from '#arena/arena';
import { PTDESC } from '#arena/layout/ptdesc';
import { peek } from '#arena/word';
import { rcuReadLock, rcuReadUnlock } from '#sync/rcu';
import { spinLock, spinUnlock } from '#sync/spinlock';
import { COUNTER, count } from '#trace/counters';
import { countRace } from '#trace/race';
import { LOCK, RACE } from '#trace/vocabulary';
import type { Mm } from './mm.ts';
import { checkFrame, lastChanger, pmdpGet, pteLockptr } from './pgtable.ts';
import { boundProtocol, HOOK, hasHook } from './reclaim-protocol.ts';

const NULL = 0 as Ptep;

/** Maps for reading without a lock; see the table above. Undone by `pteUnmap`. */
export function pteOffsetMap(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, index: number): Ptep {
  const ptep = mapOnly(cpu, mm, pmdp, slot, index);
  if (ptep === NULL) return NULL;
  count(cpu, COUNTER.walksLockless, 1);
  interruptPoint(cpu);
  return ptep;
}

function mapOnly(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, index: number): Ptep {
  rcuReadLock(cpu);
  const pmdval = pmdpGet(cpu, pmdp);
  if (!pmdTablePresent(pmdval)) {
    rcuReadUnlock(cpu);
    return NULL;
  }
  const table = pmdTable(pmdval);
  const at = ptdescAt(table);
  if (!pmdMatchesFrame(pmdval, peek(at + PTDESC.state))) checkFrame(cpu, pmdval, 0);
  if (hasHook(HOOK.references) && !boundProtocol().tableGet(cpu, table)) {
    countRace(cpu, RACE.trygetFailed, lastChanger(table));
    rcuReadUnlock(cpu);
    boundProtocol().tableGetFailed(cpu, mm, pmdp, slot);
    return NULL;
  }
  cpu.table = table;
  cpu.pmdval = pmdval;
  return (bodyAt(peek(at + PTDESC.body)) + index) as Ptep;
}

/** As `pteOffsetMap`; `cpu.ptl` is the lock that guards the entries, for reading under it. */
export function pteOffsetMapRoNolock(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  index: number,
): Ptep {
  const ptep = mapOnly(cpu, mm, pmdp, slot, index);
  if (ptep === NULL) return NULL;
  cpu.ptl = pteLockptr(mm, cpu.pmdval);
  interruptPoint(cpu);
  return ptep;
}

/**
 * As `pteOffsetMapRoNolock`, for a caller that will write and so must compare `cpu.pmdval` under
 * the ptl.
 */
export function pteOffsetMapRwNolock(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  index: number,
): Ptep {
  return pteOffsetMapRoNolock(cpu, mm, pmdp, slot, index);
}

/** Maps and takes the ptl; see the table above. Undone by `pteUnmapUnlock`. */
export function pteOffsetMapLock(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, index: number): Ptep {
  for (;;) {
    const ptep = mapOnly(cpu, mm, pmdp, slot, index);
    if (ptep === NULL) return NULL;
    const { pmdval, table } = cpu;
    const ptl = pteLockptr(mm, pmdval);
    cpu.ptl = ptl;
    spinLock(cpu, ptl, LOCK.ptl);
    const hooked = isHooked(cpu, pmdp, pmdval); // @recheck-pmd
    // A body may have been attached or taken while this CPU waited for the lock.
    if (hooked) return (bodyAt(peek(ptdescAt(table) + PTDESC.body)) + index) as Ptep;
    checkFrame(cpu, pmdval, 0);
    countRace(cpu, RACE.pmdChanged, lastChanger(table));
    pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  }
}

/** Whether the pmd entry still holds what was mapped; where tables are stable nobody looks. */
function isHooked(cpu: Cpu, pmdp: Pmdp, pmdval: Pmd): boolean {
  return hasHook(HOOK.stableTables) || pmdSame(pmdval, pmdpGet(cpu, pmdp));
}

/**
 * Ends what `pteOffsetMap` and its nolock forms began; `pmdval` is what they mapped. Counts a walk
 * that ended in an unhooked table.
 */
export function pteUnmap(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, pmdval: Pmd): void {
  const table = pmdTable(pmdval);
  if (!pmdMatchesFrame(pmdval, peek(ptdescAt(table) + PTDESC.state)) && checkFrame(cpu, pmdval, 0))
    countRace(cpu, RACE.staleWalk, lastChanger(table));
  rcuReadUnlock(cpu);
  if (hasHook(HOOK.references)) putTable(cpu, mm, pmdp, slot, table); // @unmap-put
}

/** Ends what `pteOffsetMapLock` began. */
export function pteUnmapUnlock(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  table: number,
  ptl: number,
): void {
  spinUnlock(cpu, ptl, LOCK.ptl);
  rcuReadUnlock(cpu);
  if (hasHook(HOOK.references)) putTable(cpu, mm, pmdp, slot, table);
}

/** Returns the reference that a lookup has taken. */
function putTable(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, table: number): void {
  boundProtocol().tablePut(cpu, mm, pmdp, slot, table); // @unmap-put-table
}

/**
 * The place of entry `index` of the table that the pmd entry points to; for callers under whose
 * locks no protocol frees the table, and who have seen that there is one. An entry that is none all
 * the same is followed to table 0. Neither read section nor reference; `cpu.table` and `cpu.ptl` as
 * above.
 */
export function pteOffsetMapHeld(cpu: Cpu, mm: Mm, pmdp: Pmdp, index: number): Ptep {
  const pmdval = pmdpGet(cpu, pmdp);
  checkFrame(cpu, pmdval, 0);
  cpu.table = pmdTable(pmdval);
  cpu.pmdval = pmdval;
  cpu.ptl = pteLockptr(mm, pmdval);
  return (bodyAt(peek(ptdescAt(cpu.table) + PTDESC.body)) + index) as Ptep;
}
