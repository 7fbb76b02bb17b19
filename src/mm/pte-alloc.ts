/** Populating the tree: a PTE table, or an upper table, where the entry above is none. */

import type { Cpu } from '#arch/cpu';
import { type Pmd, type Pmdp, pmdNone, pmdTable, pmdTablePresent } from '#arch/pmd';
import { bodyAt, ptdescAt, ptrsMask, ptrsShift } from '#arena/arena';
import { MM } from '#arena/layout/mm';
import { PTDESC } from '#arena/layout/ptdesc';
import { peek } from '#arena/word';
import { spinLock, spinUnlock } from '#sync/spinlock';
import { countRace } from '#trace/race';
import { LOCK, RACE } from '#trace/vocabulary';
import { type Mm, mmIncNrTables } from './mm.ts';
import { lastPmdChanger, pmdLock, pmdOffset, pmdPopulate, pmdpGet, pmdUnlock } from './pgtable.ts';
import { boundProtocol, HOOK, hasHook } from './reclaim-protocol.ts';
import { allocTable, freeTable } from './table-alloc.ts';

/**
 * Makes sure that the pmd entry at `pmdp` is populated: allocates a PTE table outside all locks and
 * publishes it under the pml, or discards it if somebody else was first. False: out of memory.
 *
 * Where a table goes with its last reference, the caller now has one to the table that is there
 * (`cpu.tableAllocated`), so that it can be looked up and filled; `pteAllocPut` returns it. Whoever
 * finds a table that is dying tries again until it is out of the pmd entry.
 */
export function pteAlloc(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number): boolean {
  const table = allocTable(cpu, 0);
  if (table === 0) return false;
  for (;;) {
    const pml = pmdLock(cpu, mm, pmdp);
    const found = pmdpGet(cpu, pmdp);
    const lost = !pmdNone(found);
    const dying = lost && !allocGet(cpu, found);
    if (!lost) {
      mmIncNrTables(cpu, mm, 0);
      pmdPopulate(cpu, pmdp, table, slot);
      if (hasHook(HOOK.lastPutFrees)) cpu.tableAllocated = table;
    }
    pmdUnlock(cpu, pml);
    if (!lost) return true;
    countRace(cpu, dying ? RACE.trygetFailed : RACE.tableLost, lastPmdChanger(pmdp));
    if (!dying) {
      freeTable(cpu, table);
      return true;
    }
    boundProtocol().tableGetFailed(cpu, mm, pmdp, slot);
  }
}

/** Takes the allocating caller's reference to the table of somebody else; false: it is dying. */
function allocGet(cpu: Cpu, found: Pmd): boolean {
  if (!hasHook(HOOK.lastPutFrees) || !pmdTablePresent(found)) return true;
  const table = pmdTable(found);
  if (!boundProtocol().tableGet(cpu, table)) return false;
  cpu.tableAllocated = table;
  return true;
}

/** Returns the reference that `pteAlloc` left, if it did; while the caller's locks are held. */
export function pteAllocPut(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number): void {
  const table = cpu.tableAllocated;
  if (table === 0) return;
  cpu.tableAllocated = 0;
  boundProtocol().tablePut(cpu, mm, pmdp, slot, table);
}

/** As `pmdOffset`, but allocates the upper tables that are missing; 0: out of memory. */
export function pmdAlloc(cpu: Cpu, mm: Mm, slot: number): Pmdp {
  const pmdp = pmdOffset(cpu, mm, slot);
  if (pmdp !== 0) return pmdp;
  return upperTablesAlloc(cpu, mm, slot, 1) ? pmdOffset(cpu, mm, slot) : (0 as Pmdp);
}

/** Allocates what is missing above the PMD table of `slot`. False: out of memory. */
export function pudAlloc(cpu: Cpu, mm: Mm, slot: number): boolean {
  return upperTablesAlloc(cpu, mm, slot, 2);
}

/** `lowest`: level of the lowest table that there has to be. */
function upperTablesAlloc(cpu: Cpu, mm: Mm, slot: number, lowest: number): boolean {
  let table = peek(mm.at + MM.pgd);
  for (let level = mm.topLevel; level > lowest; level--) {
    const body = bodyAt(peek(ptdescAt(table) + PTDESC.body));
    const entryp = (body + ((slot >>> ((level - 1) * ptrsShift())) & ptrsMask())) as Pmdp;
    if (pmdNone(pmdpGet(cpu, entryp)) && !upperAlloc(cpu, mm, entryp, level - 1, slot))
      return false;
    table = pmdTable(pmdpGet(cpu, entryp));
  }
  return true;
}

function upperAlloc(cpu: Cpu, mm: Mm, entryp: Pmdp, level: number, slot: number): boolean {
  const table = allocTable(cpu, level);
  if (table === 0) return false;
  spinLock(cpu, mm.pageTableLock, LOCK.pageTable);
  const lost = !pmdNone(pmdpGet(cpu, entryp));
  if (!lost) {
    mmIncNrTables(cpu, mm, level);
    pmdPopulate(cpu, entryp, table, slot);
  }
  spinUnlock(cpu, mm.pageTableLock, LOCK.pageTable);
  if (lost) freeTable(cpu, table);
  return true;
}
