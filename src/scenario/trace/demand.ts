/** What a recording needs of a machine: page frames and table frames. */
import type { Op } from '../plan.ts';
import { TOP_LEVEL_PAGES, type TracedOp } from './operations.ts';

export interface Demand {
  /** Pages that were ever touched. */
  readonly pages: number;
  /** PTE tables that were ever needed, and the tables above them. */
  readonly tables: number;
}

/** Pages that one table of each level maps, but for the top level, of which there is one. */
const TABLE_PAGES = [2 ** 9, 2 ** 18, TOP_LEVEL_PAGES] as const;

/** Enough for every order of the calls, and for protocols that keep every table. */
export function demandOf(ops: readonly TracedOp[]): Demand {
  const touched = new Set<number>();
  const tables = TABLE_PAGES.map(() => new Set<number>());
  for (const { op } of ops) {
    if (!('extent' in op) || typeof op.extent !== 'object') continue;
    const isRemap = op.op === 'mremap';
    if (!isRemap && !populates(op)) continue;
    const start = isRemap ? (op.to ?? op.extent.page) : op.extent.page;
    const end = start + (isRemap ? op.newPages : op.extent.pages);
    for (const [level, size] of TABLE_PAGES.entries())
      for (let at = Math.floor(start / size); at * size < end; at++) tables[level]!.add(at);
    // What moves was touched before.
    if (!isRemap) for (let page = start; page < end; page++) touched.add(page);
  }
  return { pages: touched.size, tables: tables.reduce((sum, { size }) => sum + size, 1) };
}

function populates(op: Op): boolean {
  return op.op === 'touch' || (op.op === 'madvise' && op.advice.startsWith('populate'));
}
