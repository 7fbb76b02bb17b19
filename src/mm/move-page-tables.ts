/**
 * Moving entries from one range to another, after `move_page_tables` (mm/mremap.c). The caller
 * holds the mmap lock and both VMAs for writing; what is left to race with are those who come by
 * the rmap, which the rmap lock keeps out, and lockless walkers, for whom everything is flushed
 * before a lock is dropped.
 *
 *     a whole slot, and none at the destination   the pmd entry itself moves, with its table, under
 *                                                 both pmls, and is read again under them
 *     else                                        entries move, under both ptls, to a table that is
 *                                                 allocated as soon as there is one to move from
 *
 * Where the source has an upper table the destination gets one, though there may be nothing to
 * move; but a PMD table only if all goes that the source's maps. Linux moves that table itself, if
 * the destination has none; here its entries go one by one, which leaves the same tables.
 *
 * Where tables are counted, by entries or by visitors, an entry that moves leaves the one table and
 * comes to the other; a table that moves takes its counts along, with a reference held on the way,
 * since one that is dying has to stay where it is looked for.
 *
 * A walk (of the socket) is of one place. It begins at the source; the destination's table, which
 * nobody can zap meanwhile, stays by the VMA lock.
 */
import type { Cpu } from '#arch/cpu';
import { type Pmd, type Pmdp, pmdNone, pmdSame, pmdTable, pmdTablePresent } from '#arch/pmd';
import { type Ptep, pteNone, ptePresent } from '#arch/pte';
import { flushTlbRange } from '#arch/shootdown';
import { ptrsMask } from '#arena/arena';
import { rcuQuiescent, rcuReadUnlock } from '#sync/rcu';
import { SINGLE_DEPTH_NESTING, spinLockNested, spinUnlock } from '#sync/spinlock';
import { countRace } from '#trace/race';
import { LOCK, RACE } from '#trace/vocabulary';
import type { Mm } from './mm.ts';
import {
  lastChanger,
  lastPmdChanger,
  noteCleared,
  pmdLock,
  pmdLockptr,
  pmdMove,
  pmdOffset,
  pmdpGet,
  pmdUnlock,
  ptepGet,
  ptepGetAndClear,
  ptepReplace,
  setPteAt,
  zerosIn,
} from './pgtable.ts';
import { indexOfPage, slotOfPage } from './place.ts';
import { pmdAlloc, pteAlloc, pteAllocPut, pudAlloc } from './pte-alloc.ts';
import {
  pteOffsetMapLock,
  pteOffsetMapRwNolock,
  pteUnmap,
  pteUnmapUnlock,
} from './pte-offset-map.ts';
import { boundProtocol, HOOK, hasHook } from './reclaim-protocol.ts';
import { anonVmaLockWrite, anonVmaUnlockWrite } from './rmap.ts';
import { flushTlbBatchedPending } from './tlb-batched.ts';
import { checkOutOfMemory, timesMemoryShort } from './truthful.ts';
import { reactsAsPosted } from './walkers/reactions.ts';

/** Outcomes of one stretch: done; the table was not to be had; no memory. */
const MOVE = { done: 0, again: 1, oom: 2 } as const;

/**
 * Moves what the tables hold of `pages` pages from page `from` on to page `to` and on, where there
 * is nothing. Returns how far it came; less than `pages`: out of memory.
 */
export function movePageTables(cpu: Cpu, mm: Mm, from: number, to: number, pages: number): number {
  const ptrs = ptrsMask() + 1;
  for (let done = 0; done < pages; ) {
    const [fromSlot, fromIndex] = [slotOfPage(from + done), indexOfPage(from + done)];
    const [toSlot, toIndex] = [slotOfPage(to + done), indexOfPage(to + done)];
    const entries = Math.min(ptrs - Math.max(fromIndex, toIndex), pages - done) | 0;
    const timesShort = timesMemoryShort(cpu);
    const outcome =
      pmdOffset(cpu, mm, fromSlot) === 0 || allocUpper(cpu, mm, from, to, pages, done)
        ? moveStretch(cpu, mm, fromSlot, fromIndex, toSlot, toIndex, entries)
        : MOVE.oom;
    if (outcome === MOVE.oom) {
      checkOutOfMemory(cpu, timesShort, toSlot, toIndex);
      return done;
    }
    if (outcome === MOVE.done) done += entries;
    rcuQuiescent(cpu);
  }
  return pages;
}

/** The destination's upper tables, for page `done` of a move whose source has a PMD table there. */
function allocUpper(
  cpu: Cpu,
  mm: Mm,
  from: number,
  to: number,
  pages: number,
  done: number,
): boolean {
  const slot = slotOfPage(to + done);
  const reach = (ptrsMask() + 1) ** 2;
  const start = Math.floor((from + done) / reach) * reach;
  const all = start >= from && start + reach <= from + pages && (to - from) % reach === 0;
  return all ? pmdAlloc(cpu, mm, slot) !== 0 : pudAlloc(cpu, mm, slot);
}

/** `entries` entries of at most one table on each side. */
function moveStretch(
  cpu: Cpu,
  mm: Mm,
  fromSlot: number,
  fromIndex: number,
  toSlot: number,
  toIndex: number,
  entries: number,
): number {
  const fromp = pmdOffset(cpu, mm, fromSlot);
  const seen = fromp === 0 ? (0 as Pmd) : pmdpGet(cpu, fromp);
  if (pmdNone(seen)) return MOVE.done;
  const whole = entries === ptrsMask() + 1;
  const top = destinationPmd(cpu, mm, toSlot, whole);
  if (top === 0) return MOVE.oom;
  if (whole && pmdNone(pmdpGet(cpu, top)))
    return moveNormalPmd(cpu, mm, fromp, top, fromSlot, toSlot, seen);
  const sourceFirst = reactsAsPosted(); // @move-order
  if (!sourceFirst) anonVmaLockWrite(cpu, mm);
  if (hasHook(HOOK.walks)) boundProtocol().walkBegin(cpu, mm, fromSlot);
  const outcome = sourceFirst
    ? movePtesSourceFirst(cpu, mm, fromp, top, fromSlot, fromIndex, toSlot, toIndex, entries)
    : movePtes(cpu, mm, fromp, top, fromSlot, fromIndex, toSlot, toIndex, entries);
  if (hasHook(HOOK.walks)) boundProtocol().walkEnd(cpu, mm, fromSlot);
  if (!sourceFirst) anonVmaUnlockWrite(cpu, mm);
  pteAllocPut(cpu, mm, top, toSlot);
  return outcome;
}

/**
 * The pmd entry of the destination, with a table unless `whole`, to which a whole table may move;
 * 0: out of memory.
 */
function destinationPmd(cpu: Cpu, mm: Mm, slot: number, whole: boolean): Pmdp {
  if (hasHook(HOOK.walks)) boundProtocol().walkBegin(cpu, mm, slot);
  const pmdp = pmdAlloc(cpu, mm, slot);
  const lacks = pmdp !== 0 && !whole && pmdNone(pmdpGet(cpu, pmdp));
  const fails = lacks && !pteAlloc(cpu, mm, pmdp, slot);
  if (hasHook(HOOK.walks)) boundProtocol().walkEnd(cpu, mm, slot);
  return fails ? (0 as Pmdp) : pmdp;
}

/**
 * Moves the table of a whole slot. Lock order: the source's pml, then the destination's, which only
 * the mmap lock makes one; where the two are one lock it is taken once.
 */
function moveNormalPmd(
  cpu: Cpu,
  mm: Mm,
  fromp: Pmdp,
  top: Pmdp,
  fromSlot: number,
  toSlot: number,
  seen: Pmd,
): number {
  anonVmaLockWrite(cpu, mm);
  if (hasHook(HOOK.walks)) boundProtocol().walkBegin(cpu, mm, fromSlot);
  const pml = pmdLock(cpu, mm, fromp);
  const other = pmdLockptr(mm, top);
  if (other !== pml) spinLockNested(cpu, other, LOCK.pml, SINGLE_DEPTH_NESTING);
  const pmdval = pmdpGet(cpu, fromp); // @move-recheck-pmd
  const table = pmdTable(pmdval);
  const hooked = pmdTablePresent(pmdval);
  if (!pmdSame(pmdval, seen)) countRace(cpu, RACE.pmdChanged, lastPmdChanger(fromp));
  const holds = hooked && hasHook(HOOK.references);
  const dying = holds && !boundProtocol().tableGet(cpu, table);
  const moves = hooked && !dying && pmdNone(pmdpGet(cpu, top));
  if (moves) {
    pmdMove(cpu, fromp, top, pmdval, toSlot);
    // What CPUs remember of the table itself goes as well: it is another slot's now.
    flushTlbRange(cpu, fromSlot, 0, fromSlot + 1, 0, true); // @move-flush-pmd
  }
  if (other !== pml) spinUnlock(cpu, other, LOCK.pml);
  pmdUnlock(cpu, pml);
  if (dying) boundProtocol().tableGetFailed(cpu, mm, fromp, fromSlot);
  else if (holds && moves) boundProtocol().tablePut(cpu, mm, top, toSlot, table);
  else if (holds) boundProtocol().tablePut(cpu, mm, fromp, fromSlot, table);
  if (hasHook(HOOK.walks)) boundProtocol().walkEnd(cpu, mm, fromSlot);
  anonVmaUnlockWrite(cpu, mm);
  return moves ? MOVE.done : MOVE.again;
}

/**
 * Moves entries from table to table. The destination is mapped first, while no ptl is held: should
 * its table be dying, somebody may have to unhook it, which takes the pml.
 */
function movePtes(
  cpu: Cpu,
  mm: Mm,
  fromp: Pmdp,
  top: Pmdp,
  fromSlot: number,
  fromIndex: number,
  toSlot: number,
  toIndex: number,
  entries: number,
): number {
  if (pteOffsetMapRwNolock(cpu, mm, top, toSlot, toIndex) === 0) {
    countRace(cpu, RACE.pmdGone, lastPmdChanger(top));
    return MOVE.again;
  }
  const to = mappedSide(cpu, top, toSlot, toIndex);
  const fromPtep = pteOffsetMapLock(cpu, mm, fromp, fromSlot, fromIndex);
  if (fromPtep === 0) {
    countRace(cpu, RACE.pmdGone, lastPmdChanger(fromp));
    pteUnmap(cpu, mm, top, toSlot, to.pmdval);
    return MOVE.again;
  }
  const from = mappedSide(cpu, fromp, fromSlot, fromIndex);
  return moveMapped(cpu, mm, from, fromPtep, to, entries);
}

/**
 * In the order of April 2022, and without the rmap lock, which Linux takes only where the order of
 * the VMAs asks for it: the destination is mapped under the ptl of the source, where a lookup that
 * fails frees what it finds dying (S-24). Then, as posted, it is not the source whose reference is
 * returned, and nobody is told that nothing has moved (S-21).
 */
function movePtesSourceFirst(
  cpu: Cpu,
  mm: Mm,
  fromp: Pmdp,
  top: Pmdp,
  fromSlot: number,
  fromIndex: number,
  toSlot: number,
  toIndex: number,
  entries: number,
): number {
  const fromPtep = pteOffsetMapLock(cpu, mm, fromp, fromSlot, fromIndex);
  if (fromPtep === 0) return MOVE.done;
  const from = mappedSide(cpu, fromp, fromSlot, fromIndex);
  if (pteOffsetMapRwNolock(cpu, mm, top, toSlot, toIndex) === 0) {
    if (!reactsAsPosted()) {
      pteUnmapUnlock(cpu, mm, fromp, fromSlot, from.table, from.ptl);
      return MOVE.again;
    }
    spinUnlock(cpu, from.ptl, LOCK.ptl);
    rcuReadUnlock(cpu);
    return MOVE.done;
  }
  const to = mappedSide(cpu, top, toSlot, toIndex);
  return moveMapped(cpu, mm, from, fromPtep, to, entries);
}

/** One end of a move: a table that is mapped, and from which entry on. */
interface Side {
  readonly pmdp: Pmdp;
  readonly slot: number;
  readonly index: number;
  readonly pmdval: Pmd;
  readonly ptl: number;
  readonly table: number;
}

/** What was mapped just now. */
function mappedSide(cpu: Cpu, pmdp: Pmdp, slot: number, index: number): Side {
  const { pmdval, ptl, table } = cpu;
  return { pmdp, slot, index, pmdval, ptl, table };
}

/**
 * Under the source's ptl takes the destination's, which only the mmap lock makes an order; where
 * locks are not split it is one lock. Lets go of both, and only then returns the references.
 */
function moveMapped(
  cpu: Cpu,
  mm: Mm,
  from: Side,
  fromPtep: Ptep,
  to: Side,
  entries: number,
): number {
  const nested = to.ptl !== from.ptl;
  if (nested) spinLockNested(cpu, to.ptl, LOCK.ptl, SINGLE_DEPTH_NESTING);
  const hooked = hasHook(HOOK.stableTables) || pmdSame(to.pmdval, pmdpGet(cpu, to.pmdp));
  let outcome: number = MOVE.again;
  if (hooked) {
    flushTlbBatchedPending(cpu, mm);
    outcome = moveEntries(cpu, from, fromPtep, to, entries) ? MOVE.done : MOVE.oom;
  } else countRace(cpu, RACE.pmdChanged, lastChanger(to.table));
  if (nested) spinUnlock(cpu, to.ptl, LOCK.ptl);
  spinUnlock(cpu, from.ptl, LOCK.ptl);
  pteUnmap(cpu, mm, to.pmdp, to.slot, to.pmdval);
  pteUnmap(cpu, mm, from.pmdp, from.slot, from.pmdval);
  return outcome;
}

/**
 * Under both ptls; flushes before either is dropped. False: on-demand backing has no body for the
 * destination, and what is left stays.
 */
function moveEntries(cpu: Cpu, from: Side, fromPtep: Ptep, to: Side, entries: number): boolean {
  let moved = 0;
  let zeros = 0;
  let wasPresent = false;
  let fits = true;
  for (let i = 0; i < entries && fits; i++) {
    const at = (fromPtep + i) as Ptep;
    if (pteNone(ptepGet(cpu, at))) continue;
    // Taken out first: hardware may set the dirty bit until then, and that must not get lost.
    const value = ptepGetAndClear(cpu, at);
    fits = setPteAt(cpu, to.table, to.index + i, value);
    if (!fits) ptepReplace(cpu, from.table, at, value, value);
    else {
      moved++;
      zeros += zerosIn(value);
      wasPresent ||= ptePresent(value);
    }
  }
  if (moved !== 0) noteCleared(cpu, from.table, moved, zeros);
  const { slot, index } = from;
  if (wasPresent) flushTlbRange(cpu, slot, index, slot, index + entries, false); // @move-flush
  return fits;
}
