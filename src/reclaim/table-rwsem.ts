/**
 * P4, a reader-writer semaphore for the page tables: Jason Gunthorpe's idea in the discussion of
 * the series of November 2021. The VMA list keeps the mmap lock; the tables get a sleeping lock of
 * their own beside the pmls and ptls, taken once per walk instead of once per table. He gave no
 * patch: the concrete form here is our completion.
 *
 * - Every walk (fault, zap, rmap, reader) holds it for reading; within it, what a pmd entry points
 *   to stays, so that lookups under the ptl do not look again.
 * - After a zap, whoever zapped takes it for writing, one table at a time: it finds the pmd again,
 *   looks at all entries, clears the pmd and flushes. No filter is needed; the entries decide. A
 *   reader cannot become a writer, so the walk of the zap is over by then, and the table may have
 *   been filled again.
 * - Free: by RCU; or at once, which suffices for those who hold the semaphore, and for hardware and
 *   fast GUP only because the flush before it interrupts every CPU and waits.
 *
 * Lock order: mmap, VMA and rmap locks, then the semaphore, then pml, then ptl. `mm`: one for the
 * whole address space. `pmd`: one for the reach of each PMD table; by its place, not by the table,
 * so that a walk that has yet to allocate the PMD table holds the right one.
 */

import type { Cpu } from '#arch/cpu';
import { pmdTable, pmdTablePresent } from '#arch/pmd';
import { flushTlbRange } from '#arch/shootdown';
import { boundMap, ptrsMask, ptrsShift } from '#arena/arena';
import { TABLE_SEM } from '#arena/layout/protocol-words';
import { LINE_WORDS } from '#arena/layout/struct';
import { type Mm, mmDecNrTables } from '#mm/mm';
import { lastChanger, pmdOffset, pmdpGet, pmdUnhook } from '#mm/pgtable';
import { pteFreeDefer } from '#mm/rcu-free';
import { HOOK } from '#mm/reclaim-protocol';
import { freeTable } from '#mm/table-alloc';
import { tableIsEmpty } from '#mm/table-scan';
import { rcuQuiescent } from '#sync/rcu';
import { downRead, downWrite, upRead, upWrite } from '#sync/rwsem';
import { COUNTER, count } from '#trace/counters';
import { countRace } from '#trace/race';
import { LOCK, RACE } from '#trace/vocabulary';
import { NoReclaim } from './none.ts';

/** Semaphores that would share a cache line if they stood side by side. */
const SEMS_PER_LINE = LINE_WORDS / TABLE_SEM.sizeWords;

export class TableRwsem extends NoReclaim {
  override readonly hooks: number = HOOK.walks | HOOK.rangeDone | HOOK.stableTables;
  private readonly perPmd: boolean;
  private readonly freeByRcu: boolean;

  constructor(perPmd: boolean, freeByRcu: boolean) {
    super();
    this.perPmd = perPmd;
    this.freeByRcu = freeByRcu;
  }

  override walkBegin(cpu: Cpu, _mm: Mm, slot: number): void {
    downRead(cpu, this.semOf(slot), LOCK.tableRwsem);
  }

  override walkEnd(cpu: Cpu, _mm: Mm, slot: number): void {
    upRead(cpu, this.semOf(slot));
  }

  /** Reclaims the tables of the slots that the zapped range contains. */
  override rangeDone(
    cpu: Cpu,
    mm: Mm,
    _vma: number,
    startSlot: number,
    startIndex: number,
    endSlot: number,
    _endIndex: number,
  ): void {
    for (let slot = startIndex === 0 ? startSlot : startSlot + 1; slot < endSlot; slot++) {
      const pmdp = pmdOffset(cpu, mm, slot);
      // No PMD table: nor is there a table in the rest of its reach.
      if (pmdp === 0) slot |= ptrsMask();
      else if (pmdTablePresent(pmdpGet(cpu, pmdp))) this.reclaimSlot(cpu, mm, slot);
      rcuQuiescent(cpu);
    }
  }

  private reclaimSlot(cpu: Cpu, mm: Mm, slot: number): void {
    const sem = this.semOf(slot);
    downWrite(cpu, sem, LOCK.tableRwsem);
    const table = unhookIfEmptyExclusive(cpu, mm, slot);
    upWrite(cpu, sem);
    if (table === 0) return;
    mmDecNrTables(cpu, mm, 0);
    count(cpu, COUNTER.tablesReclaimed, 1);
    if (this.freeByRcu) pteFreeDefer(cpu, table);
    else freeTable(cpu, table);
  }

  /**
   * The semaphore of `slot`. Table 0 does not exist, so its words serve the whole mm. Places of PMD
   * tables are spread over cache lines; two that meet in one semaphore only wait for each other.
   */
  private semOf(slot: number): number {
    const { tableWords, geometry } = boundMap();
    if (!this.perPmd) return tableWords;
    const place = slot >>> ptrsShift();
    return tableWords + ((place * SEMS_PER_LINE) % geometry.tables) * TABLE_SEM.sizeWords;
  }
}

/**
 * Unhooks the table of `slot` if it is empty, and flushes; returns it, or 0. Nobody walks here: no
 * lock but the semaphore is needed.
 */
function unhookIfEmptyExclusive(cpu: Cpu, mm: Mm, slot: number): number {
  const pmdp = pmdOffset(cpu, mm, slot);
  const pmdval = pmdpGet(cpu, pmdp);
  if (!pmdTablePresent(pmdval)) return 0;
  const table = pmdTable(pmdval);
  count(cpu, COUNTER.scanTables, 1);
  if (!tableIsEmpty(cpu, table)) {
    countRace(cpu, RACE.refilled, lastChanger(table));
    return 0;
  }
  pmdUnhook(cpu, pmdp, table, slot);
  flushTlbRange(cpu, slot, 0, slot + 1, 0, true);
  return table;
}
