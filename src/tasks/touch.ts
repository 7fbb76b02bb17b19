/**
 * User accesses of an operation: each page written by its owner with a fresh stamp, or read and
 * compared. In memory that a userfaultfd looks after the owner also notes whether it had to wait
 * for a page that was there before.
 */

import type { Cpu } from '#arch/cpu';
import { ptrsMask } from '#arena/arena';
import { CONTROL } from '#arena/layout/control';
import { peek } from '#arena/word';
import type { Mm } from '#mm/mm';
import { ACCESS, userLoad, userStore } from '#mm/user-access';
import { type PageRange, shareOf } from '#scenario/extent';
import type { Op, Plan } from '#scenario/plan';
import { rcuQuiescent } from '#sync/rcu';
import { COUNTER } from '#trace/counters';
import { type UserMemory, zapClock } from './user-memory.ts';

/**
 * Who owns pages: one CPU all of them, pages in turn, the CPU whose share contains the slot, or
 * every CPU all of them.
 */
export interface Ownership {
  /** Interleaved: page p belongs to CPU p mod `cpus`. */
  readonly interleaved: boolean;
  readonly cpus: number;
  /** This CPU's share of each region, for ownership by share. */
  readonly shares: readonly PageRange[];
  /** Regions where a page that was found must not be missing again, unless it is zapped. */
  readonly watched: readonly boolean[];
}

export function ownershipOf(plan: Plan, starts: readonly number[], cpu: number): Ownership {
  const ofOne = plan.cpus > 1 && plan.ownership !== 'shared';
  return {
    interleaved: plan.ownership === 'interleaved' && plan.cpus > 1,
    cpus: plan.cpus,
    shares: plan.regions.map((_, i) => shareOf(plan, starts, cpu, i, ofOne ? 'own' : 'all')),
    watched: plan.regions.map(({ flags }) => flags.includes('uffd-missing') && !frees(plan)),
  };
}

/** MADV_FREE gives pages up that may go at any later time: who missed one knows nothing. */
function frees({ setup, columns }: Plan): boolean {
  return [...setup, ...columns.flat()].some(isFree);
}

function isFree(op: Op): boolean {
  if (op.op === 'madvise') return op.advice === 'free';
  if (op.op === 'mix') return op.choices.some((choice) => choice.do.some(isFree));
  return 'do' in op && op.do.some(isFree);
}

/** Touches every page of [start, end), which lies in `region`. */
export function touchEvery(
  cpu: Cpu,
  mm: Mm,
  memory: UserMemory,
  owned: Ownership,
  region: number,
  start: number,
  end: number,
  write: boolean,
): void {
  const mask = ptrsMask();
  const share = owned.shares[region]!;
  const watched = owned.watched[region]!;
  let turn = owned.interleaved ? (start % owned.cpus) | 0 : 0;
  for (let page = start; page < end && peek(CONTROL.stop) === 0; ) {
    const slot = Math.floor(page / (mask + 1)) | 0;
    const from = (page - slot * (mask + 1)) | 0;
    const to = Math.min(end - slot * (mask + 1), mask + 1) | 0;
    const inShare = page >= share.start && page < share.end;
    for (let index = from; index < to; index++) {
      const own = owned.interleaved ? turn === cpu.id : inShare;
      if (++turn === owned.cpus) turn = 0;
      if (own && watched) touchWatched(cpu, mm, memory, slot, index, write);
      else if (own && write) storeStamp(cpu, mm, memory, slot, index);
      else loadStamp(cpu, mm, memory, slot, index, own);
      rcuQuiescent(cpu);
    }
    page = (slot + 1) * (mask + 1);
  }
}

/** Touches one page. */
export function touchOne(
  cpu: Cpu,
  mm: Mm,
  memory: UserMemory,
  owned: Ownership,
  region: number,
  page: number,
  write: boolean,
): void {
  touchEvery(cpu, mm, memory, owned, region, page, page + 1, write);
}

function touchWatched(
  cpu: Cpu,
  mm: Mm,
  memory: UserMemory,
  slot: number,
  index: number,
  write: boolean,
): void {
  const clock = zapClock();
  const waits = cpu.block + COUNTER.userfaultWaits;
  const before = peek(waits);
  const found = write
    ? storeStamp(cpu, mm, memory, slot, index)
    : loadStamp(cpu, mm, memory, slot, index, true);
  if (found) memory.noteFound(slot, index, clock, peek(waits) !== before);
}

/** Whether it was stored. */
function storeStamp(cpu: Cpu, mm: Mm, memory: UserMemory, slot: number, index: number): boolean {
  const stamp = memory.nextStamp();
  const clock = zapClock();
  const stored = userStore(cpu, mm, slot, index, stamp) === ACCESS.stored;
  if (stored) memory.remember(slot, index, stamp, clock);
  return stored;
}

/** Whether there was something to load. */
function loadStamp(
  cpu: Cpu,
  mm: Mm,
  memory: UserMemory,
  slot: number,
  index: number,
  own: boolean,
): boolean {
  const found = userLoad(cpu, mm, slot, index);
  if (own && found >= 0) memory.compare(slot, index, found);
  return found >= 0;
}
