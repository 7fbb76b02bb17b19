/**
 * Unhooking the table of a slot if it is empty: what the protocols share that look at a table under
 * its pml and its ptl. The pml keeps the pmd entry as it is, the ptl the entries; a fault that
 * mapped the table earlier re-reads the pmd after it gets the ptl, so the pmd is cleared within the
 * same hold of the ptl as the look. Lock order: pml, then ptl; where locks are not split they are
 * one, which is taken once.
 */

import type { Cpu } from '#arch/cpu';
import { type Pmd, type Pmdp, pmdSame, pmdTable } from '#arch/pmd';
import { flushTlbRange } from '#arch/shootdown';
import { boundMap } from '#arena/arena';
import { VMA_FLAG } from '#arena/layout/mm';
import { PERCPU } from '#arena/layout/percpu';
import { peek } from '#arena/word';
import type { Mm } from '#mm/mm';
import { lastChanger, pmdLock, pmdpGet, pmdUnhook, pmdUnlock } from '#mm/pgtable';
import { pteOffsetMapRwNolock, pteUnmap } from '#mm/pte-offset-map';
import { tableIsEmpty, tableLooksEmpty } from '#mm/table-scan';
import { rcuReadUnlock } from '#sync/rcu';
import { SINGLE_DEPTH_NESTING, spinLockNested, spinTrylock, spinUnlock } from '#sync/spinlock';
import { COUNTER, count } from '#trace/counters';
import { countRace } from '#trace/race';
import { ACTOR, LOCK, RACE } from '#trace/vocabulary';
import { mappedEntries } from './table-counts.ts';

/** VMAs whose empty tables are left alone. */
export const LEFT_ALONE = VMA_FLAG.hugetlb | VMA_FLAG.hugepage | VMA_FLAG.uffdWp;

/**
 * What is flushed while the locks are still held: nothing, since the caller's gather will; the
 * slot's translations; or also what CPUs remember of the table itself.
 */
export const FLUSH = { later: 0, pages: 1, tables: 2 } as const;

/** How emptiness is found: by a look at every entry, or by the count of those that are not none. */
export const LOOK = { entries: 0, counts: 1 } as const;

/**
 * Unhooks the table of `slot` if it is empty; returns it for the caller to free, or 0. The table is
 * mapped before the locks are taken, so that the pmd is read again under both: the table may have
 * been replaced meanwhile. `flush` is a value of `FLUSH`, `look` of `LOOK`.
 */
export function unhookIfEmpty(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  flush: number,
  look: number,
): number {
  const ptep = pteOffsetMapRwNolock(cpu, mm, pmdp, slot, 0);
  if (ptep === 0) return 0;
  count(cpu, COUNTER.scanTables, 1);
  const { ptl, pmdval } = cpu;
  const table = pmdTable(pmdval);
  const looked = tableLooksEmpty(table);
  const pml = pmdLock(cpu, mm, pmdp);
  const nested = ptl !== pml; // @scan-ptl
  if (nested) spinLockNested(cpu, ptl, LOCK.ptl, SINGLE_DEPTH_NESTING);
  const hooked = pmdSame(pmdval, pmdpGet(cpu, pmdp)); // @scan-recheck-pmd
  if (!hooked) countRace(cpu, RACE.pmdChanged, lastChanger(table));
  const empty = hooked && isEmpty(cpu, table, look); // @scan-empty
  if (hooked && looked && !empty) countRace(cpu, RACE.refilled, lastChanger(table));
  return unhookAndLeave(cpu, mm, pmdp, slot, pmdval, pml, nested ? ptl : 0, empty, flush);
}

/**
 * The same with the pml taken before the map, so that the pmd need not be read again: it may point
 * to another table than the caller knew, which does no harm, as that one too is found empty.
 * Nothing is flushed.
 */
export function unhookIfEmptyPmlFirst(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number): number {
  const pml = pmdLock(cpu, mm, pmdp);
  const ptep = pteOffsetMapRwNolock(cpu, mm, pmdp, slot, 0);
  if (ptep === 0) {
    pmdUnlock(cpu, pml);
    return 0;
  }
  const { ptl, pmdval } = cpu;
  const nested = ptl !== pml;
  if (nested) spinLockNested(cpu, ptl, LOCK.ptl, SINGLE_DEPTH_NESTING);
  const empty = tableIsEmpty(cpu, pmdTable(pmdval));
  if (!empty) countRace(cpu, RACE.refilled, lastChanger(pmdTable(pmdval)));
  count(cpu, empty ? COUNTER.reclaimSlow : COUNTER.reclaimKept, 1);
  const held = nested ? ptl : 0;
  return unhookAndLeave(cpu, mm, pmdp, slot, pmdval, pml, held, empty, FLUSH.later);
}

/**
 * Unhooks `table`, known to be empty, under its ptl alone: the pml (0: held already) comes before
 * the ptl in the lock order, so it can only be tried. False: somebody else holds it.
 */
export function unhookUnderPtl(
  cpu: Cpu,
  pmdp: Pmdp,
  slot: number,
  table: number,
  pml: number,
): boolean {
  if (pml !== 0) {
    const locked = spinTrylock(cpu, pml, LOCK.pml); // @trylock-pml
    if (!locked) {
      countRace(cpu, RACE.pmdTrylockFailed, holderOf(pml));
      return false;
    }
  }
  pmdUnhook(cpu, pmdp, table, slot);
  if (pml !== 0) pmdUnlock(cpu, pml);
  count(cpu, COUNTER.reclaimFast, 1);
  return true;
}

function isEmpty(cpu: Cpu, table: number, look: number): boolean {
  return look === LOOK.counts ? mappedEntries(cpu, table) === 0 : tableIsEmpty(cpu, table);
}

/** Unhooks the mapped table if it is `empty`, then lets go of ptl (0: not held), pml and map. */
function unhookAndLeave(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  pmdval: Pmd,
  pml: number,
  ptl: number,
  empty: boolean,
  flush: number,
): number {
  const table = pmdTable(pmdval);
  if (empty) {
    pmdUnhook(cpu, pmdp, table, slot);
    if (flush !== FLUSH.later) flushSlot(cpu, slot, flush); // @scan-flush
  }
  if (ptl !== 0) spinUnlock(cpu, ptl, LOCK.ptl);
  pmdUnlock(cpu, pml);
  // Whoever has unhooked the table itself has not met a stale walk.
  if (empty) rcuReadUnlock(cpu);
  else pteUnmap(cpu, mm, pmdp, slot, pmdval);
  return empty ? table : 0;
}

function flushSlot(cpu: Cpu, slot: number, flush: number): void {
  flushTlbRange(cpu, slot, 0, slot + 1, 0, flush === FLUSH.tables);
}

/**
 * What the CPU that holds a test-and-set lock is doing; of other algorithms the holder is not in
 * the word.
 */
function holderOf(lockp: number): number {
  const { percpu, percpuWords, geometry } = boundMap();
  const holder = peek(lockp) - 1;
  if (holder < 0 || holder >= geometry.cpus) return ACTOR.none;
  return peek(percpu + holder * percpuWords + PERCPU.actor);
}
