/**
 * Small machines, on which CPUs meet: tables of four entries, regions of a few slots, caches of one
 * frame. Whatever the scenario's size, the races between its operations are there too.
 */
import { protocolWords } from '#arena/layout/protocol-words';
import type { Geometry } from '#arena/map';
import type { Op, Plan } from '#scenario/plan';
import { scalePlan } from './settle-scale.ts';

/** Tables with more entries than this are not small. */
const SMALL_PTRS_SHIFT_MAX = 3;
const PTRS_SHIFT = 2;
const LEVELS = 3;
/** Slots that a region covers as a whole, and where each CPU has a share of them, at most. */
const FULL_SLOTS = 2;
const SHARES_MAX = 8;
const GATHER_PAGES_MIN = 2;
const SPLITTING: readonly Op['op'][] = ['munmap', 'mmap', 'madvise', 'mprotect', 'brk'];

/** The same plan on a small machine; a small one stays as it is. */
export function smallGeometry(plan: Plan): Plan {
  const small = { ...plan, noise: 0, rcu: rcuFor(plan) };
  if (plan.ptrsShift <= SMALL_PTRS_SHIFT_MAX) return small;
  const isShared = plan.columns.flat().some((op) => contains(op, isOfShare));
  const fullSlotsMax = isShared
    ? Math.min(SHARES_MAX, Math.max(FULL_SLOTS, plan.cpus))
    : FULL_SLOTS;
  const scaled = scalePlan(small, { ptrsShift: PTRS_SHIFT, fullSlotsMax, levels: LEVELS });
  return {
    ...scaled,
    pageFrames: 0,
    tableFrames: 0,
    gatherPages: gatherFor(plan),
    // What was expected was said of the sizes that are gone.
    expectations: [],
  };
}

/** The sizes of a small plan's arena: as small as it may be without running short. */
export function geometryFor(plan: Plan): Geometry {
  const { cpus, ptrsShift, levels, regions, gatherPages, backing } = plan;
  const ptrs = 2 ** ptrsShift;
  const ops = [...plan.setup, ...plan.columns.flat()];
  let pages = 0;
  let slots = 0;
  for (const region of regions) {
    pages += region.pages;
    slots += Math.ceil(region.pages / ptrs) + 1;
  }
  const copies = 1 + Number(ops.some(forks)) * cpus;
  const upper = Math.ceil(slots / ptrs) + 2 * regions.length + levels;
  // Each CPU may have as many waiting for a grace period as there are, and some in its lists.
  const tables = plan.tableFrames || copies * (slots + upper) + cpus * (slots + levels + 4);
  const words = protocolWords(plan.protocol);
  return {
    cpus,
    ptrsShift,
    levels,
    tables,
    bodies: tables + Math.ceil(tables / 2),
    pages: (plan.pageFrames || pages) + cpus * (2 * ptrs + gatherPages) + 2,
    vmas: 6 + 2 * regions.length + 2 * ops.reduce((sum, op) => sum + splits(op), 0),
    gatherPages,
    batch: 1,
    backing,
    tableWords: words.table,
    tableCpuWords: words.tableCpu,
  };
}

/** RCU's own code is explored where it is what is tortured. */
function rcuFor({ rcu, setup, columns }: Plan): Plan['rcu'] {
  const isTortured = [...setup, ...columns.flat()].some((op) => contains(op, isRcuTorture));
  return rcu === 'announced' || isTortured ? rcu : 'abstract';
}

/** A gather that one table never fills does not become one that it does, nor the other way. */
function gatherFor({ gatherPages, ptrsShift }: Plan): number {
  const ptrs = 2 ** PTRS_SHIFT;
  const scaled = Math.round(gatherPages / 2 ** (ptrsShift - PTRS_SHIFT));
  return Math.min(2 * ptrs, Math.max(GATHER_PAGES_MIN, scaled));
}

function isRcuTorture(op: Op): boolean {
  return op.op === 'rcutorture';
}

function forks(op: Op): boolean {
  return contains(op, (each) => each.op === 'walk' && each.walker === 'fork');
}

/** How often an operation may split a VMA, at most, in all that it does at a time. */
function splits(op: Op): number {
  if (contains(op, (each) => each.op === 'mremap')) return 2;
  return Number(contains(op, (each) => SPLITTING.includes(each.op)));
}

function isOfShare(op: Op): boolean {
  return 'share' in op && op.share === 'own';
}

/** Whether `is` is true of an operation or of one inside of it. */
function contains(op: Op, is: (op: Op) => boolean): boolean {
  if (is(op)) return true;
  if (op.op === 'mix') return op.choices.some((each) => each.do.some((one) => contains(one, is)));
  return 'do' in op && op.do.some((each) => contains(each, is));
}
