/** From a plan to the size of its machine. */

import { TABLES_MAX } from '#arch/pmd';
import { PFN_MAX } from '#arch/pte';
import { LOCK_KINDS_MAX } from '#arena/layout/lock-stat';
import { protocolWords } from '#arena/layout/protocol-words';
import { type Geometry, WORDS_MAX } from '#arena/map';
import { UserError } from '#base/user-error';
import type { Plan } from '#scenario/plan';

/** VMAs that a run may have at a time; and as many as a recording may: more than Linux allows. */
const VMAS = 1024;
export const VMAS_MAX = 2 ** 16;
/** Table frames beyond what the regions need, per CPU: those that wait for a grace period. */
const DEFERRED_TABLES_PER_CPU = 1024;
/**
 * Bodies of an on-demand machine, 2 GiB of them on x86-64, of which memory is used only for those
 * that were needed at a time. All page frames that entries can name fill half of them, and the PMD
 * tables above all table frames have another eighth; the rest is for tables that are sparse, or
 * empty for less than a grace period.
 */
const ON_DEMAND_BODIES_MAX = 2 ** 20;
/**
 * Table frames and bodies in use by one CPU, outside of any address space (in its free lists, or as
 * the copy that fork makes).
 */
const TABLES_PER_CPU = 64;

/** Kernel threads that `plan` asks for. */
export function kthreadsOf(plan: Plan): ('scanner' | 'rcu')[] {
  return plan.options['where'] === 'kthread' ? ['scanner', 'rcu'] : [];
}

/** `lockSites`: call sites of which lock statistics are kept; null: none are. */
export function sizeMachine(plan: Plan, lockSites: readonly unknown[] | null = null): Geometry {
  const cpus = plan.cpus + kthreadsOf(plan).length;
  const ptrs = 2 ** plan.ptrsShift;
  let pages = 0;
  let slots = 0;
  for (const region of plan.regions) {
    pages += region.pages;
    slots += Math.ceil(region.pages / ptrs) + 1;
  }
  const pmdTables = Math.ceil(slots / ptrs) + 2 * plan.regions.length + 2;
  const upper = pmdTables + 2 * plan.levels;
  const deferred = Math.min(slots, DEFERRED_TABLES_PER_CPU);
  const tables = plan.tableFrames || slots + upper + cpus * (deferred + TABLES_PER_CPU);
  const bodies = tables + pmdTables + cpus * TABLES_PER_CPU + 1;
  const words = protocolWords(plan.protocol);
  const geometry: Geometry = {
    cpus,
    ptrsShift: plan.ptrsShift,
    levels: plan.levels,
    tables,
    bodies: plan.backing === 'fixed' ? bodies : Math.min(bodies, ON_DEMAND_BODIES_MAX),
    // What is swapped out keeps its frame. A page that migrates, is pinned or is being filled needs
    // one more, which is of the CPU's part.
    pages: (plan.pageFrames || pages) + cpus * (2 * ptrs + plan.gatherPages) + 2,
    vmas: plan.columns.flat().some(({ op }) => op === 'recorded') ? VMAS_MAX : VMAS,
    gatherPages: plan.gatherPages,
    // As many as a DONTNEED of one table frees, so that they stay with their CPU.
    batch: ptrs,
    backing: plan.backing,
    tableWords: words.table,
    tableCpuWords: words.tableCpu,
    lockRecords: lockSites === null ? 0 : LOCK_KINDS_MAX + lockSites.length,
    traceEvents: plan.traceEvents,
  };
  checkLimits(plan, geometry);
  return geometry;
}

/** What an entry can name, and an arena hold, is limited; a plan beyond that is a mistake. */
function checkLimits({ scenario }: Plan, geometry: Geometry): void {
  const { tables, pages, bodies, ptrsShift } = geometry;
  if (tables > TABLES_MAX)
    throw new UserError(`"${scenario}" needs ${tables} table frames; the limit is ${TABLES_MAX}`);
  if (pages > PFN_MAX)
    throw new UserError(`"${scenario}" needs ${pages} page frames; the limit is ${PFN_MAX}`);
  const { tableWords = 0, tableCpuWords = 0, lockRecords = 0, cpus } = geometry;
  const owners = lockRecords === 0 ? 0 : 1 + tableWords / 2;
  const perTable = 4 + tableWords + cpus * tableCpuWords + owners;
  const gib = (4 * (perTable * tables + 2 * pages + bodies * 2 ** ptrsShift)) / 2 ** 30;
  const limitGib = (4 * WORDS_MAX) / 2 ** 30;
  if (gib > 0.9 * limitGib)
    throw new UserError(
      `"${scenario}" needs ${gib.toFixed(1)} GiB of memory; the limit is ${limitGib.toFixed()} GiB`,
    );
}
