/**
 * Entries: places, values, and who may change them. A PTE is set and cleared under its table's ptl;
 * an upper entry is populated under its table's lock, and cleared under that lock or, in munmap,
 * with the mmap and VMA locks held for writing.
 *
 * Attribution: a PTE table remembers its last filler, and after that its unhooker; a PMD table
 * keeps a note for each entry of who changed it last.
 */

import type { Cpu } from '#arch/cpu';
import {
  mkPmd,
  PMD_NONE,
  type Pmd,
  type Pmdp,
  pmdMatchesFrame,
  pmdTable,
  pmdTablePresent,
} from '#arch/pmd';
import { PTE_NONE, type Pte, type Ptep, pteZeroPage } from '#arch/pte';
import { flushTlbRange } from '#arch/shootdown';
import { bodyAt, bodyOfPlace, ownerAt, ptdescAt, ptrsMask, ptrsShift } from '#arena/arena';
import { MM } from '#arena/layout/mm';
import {
  FRAME,
  frameStateOf,
  PTDESC,
  USE_ACTOR_MASK,
  USE_ACTOR_SHIFT,
  USE_COUNT_MASK,
} from '#arena/layout/ptdesc';
import { exchange, peek, poke, read, store, write } from '#arena/word';
import { spinLock, spinUnlock } from '#sync/spinlock';
import { FACT, noteFact, panic } from '#trace/fact';
import { EVENT, recordEvent } from '#trace/ring';
import { LOCK } from '#trace/vocabulary';
import type { Mm } from './mm.ts';
import { boundProtocol, HOOK, hasHook } from './reclaim-protocol.ts';
import { attachBody, detachBody } from './table-alloc.ts';

/** Exactly one load, ordered by the ptl that the caller holds, or by nothing (lockless walkers). */
export function ptepGet(cpu: Cpu, ptep: Ptep): Pte {
  return read(cpu, ptep) as Pte;
}

/** Exactly one load. */
export function pmdpGet(cpu: Cpu, pmdp: Pmdp): Pmd {
  return read(cpu, pmdp) as Pmd;
}

/**
 * Place of the pmd entry that maps `slot`, or 0 where an upper entry is none. Only munmap frees
 * upper tables, and the caller's mmap lock, VMA lock or read section keeps the memory of what it
 * finds.
 */
export function pmdOffset(cpu: Cpu, mm: Mm, slot: number): Pmdp {
  const mask = ptrsMask();
  const index = slot & mask;
  if (slot - index !== cpu.pmdBase || peek(cpu.pmdStateAt) !== cpu.pmdState) {
    if (!walkToPmd(cpu, mm, slot - index)) return 0 as Pmdp;
  }
  return (cpu.pmdBody + index) as Pmdp;
}

/**
 * Walks the upper levels and caches where they lead for the slots from `base` on; false: to
 * nothing, or to a table that is being unmapped and must not be remembered.
 */
function walkToPmd(cpu: Cpu, mm: Mm, base: number): boolean {
  const shift = ptrsShift();
  const mask = ptrsMask();
  let at = ptdescAt(peek(mm.at + MM.pgd));
  let state = peek(at + PTDESC.state);
  for (let level = mm.topLevel; level > 1; level--) {
    const body = bodyAt(peek(at + PTDESC.body));
    const entry = read(cpu, body + ((base >>> ((level - 1) * shift)) & mask)) as Pmd;
    if (!pmdTablePresent(entry)) return false;
    at = ptdescAt(pmdTable(entry));
    state = peek(at + PTDESC.state);
    if (!pmdMatchesFrame(entry, state)) {
      checkFrame(cpu, entry, level - 1);
      return false;
    }
  }
  cpu.pmdBase = base;
  cpu.pmdBody = bodyAt(peek(at + PTDESC.body));
  cpu.pmdStateAt = at + PTDESC.state;
  cpu.pmdState = state;
  return true;
}

/** The pmd entry of `slot` as it stands, found without a step; none where an upper one is. */
export function pmdNow(mm: Mm, slot: number): Pmd {
  let entry = PMD_NONE;
  let table = peek(mm.at + MM.pgd);
  for (let level = mm.topLevel; level > 0; level--) {
    const index = (slot >>> ((level - 1) * ptrsShift())) & ptrsMask();
    entry = peek(bodyAt(peek(ptdescAt(table) + PTDESC.body)) + index) as Pmd;
    if (!pmdTablePresent(entry)) return PMD_NONE;
    table = pmdTable(entry);
  }
  return entry;
}

/**
 * The slow half of the frame check: an unhooked table may still be read by those who found it
 * before (true); anything else is an access to a freed or recycled frame, and halts the machine.
 */
export function checkFrame(cpu: Cpu, entry: Pmd, level: number): boolean {
  const table = pmdTable(entry);
  const at = ptdescAt(table);
  const state = peek(at + PTDESC.state);
  if (table === 0) panic(cpu, FACT.tableZero, 0, level, at, 0, 0);
  const asIfHooked = (state & ~3) | FRAME.table;
  if (frameStateOf(state) === FRAME.unhooked && pmdMatchesFrame(entry, asIfHooked)) return true;
  if (pmdMatchesFrame(entry, state)) return false;
  panic(cpu, FACT.frameMismatch, table, state, level, entry, at);
}

/**
 * The lock of the PTE table that `pmdval` points to: computed from the value, not from the entry.
 */
export function pteLockptr(mm: Mm, pmdval: Pmd): number {
  return mm.splitLocks ? ptdescAt(pmdTable(pmdval)) + PTDESC.ptl : mm.pageTableLock;
}

/** The lock that guards the pmd entry at `pmdp`. */
export function pmdLockptr(mm: Mm, pmdp: Pmdp): number {
  return mm.splitLocks ? ptdescAt(tableOfPlace(pmdp)) + PTDESC.ptl : mm.pageTableLock;
}

/** Takes the lock of the pmd entry at `pmdp`; returns its place. */
export function pmdLock(cpu: Cpu, mm: Mm, pmdp: Pmdp): number {
  const pml = pmdLockptr(mm, pmdp);
  spinLock(cpu, pml, LOCK.pml);
  return pml;
}

export function pmdUnlock(cpu: Cpu, pml: number): void {
  spinUnlock(cpu, pml, LOCK.pml);
}

/** Sets a none entry of `table`, under its ptl. False: on-demand backing has no body left. */
export function setPteAt(cpu: Cpu, table: number, index: number, value: Pte): boolean {
  const at = ptdescAt(table);
  const use = peek(at + PTDESC.use);
  let body = peek(at + PTDESC.body);
  if (body === 0) {
    body = attachBody(cpu, table);
    if (body === 0) return false;
  }
  if (frameStateOf(peek(at + PTDESC.state)) !== FRAME.table)
    noteFact(cpu, FACT.lostEntry, table, index, value, use, peek(at + PTDESC.state));
  poke(at + PTDESC.use, ((use & USE_COUNT_MASK) + 1) | cpu.changer);
  write(cpu, bodyAt(body) + index, value);
  if (hasHook(HOOK.entries)) boundProtocol().entriesChanged(cpu, table, 1, zerosIn(value));
  return true;
}

/**
 * Sets a none entry of a table that has a body, under its ptl; the caller then accounts for it with
 * `noteSet`.
 */
export function pteSet(cpu: Cpu, ptep: Ptep, value: Pte): void {
  write(cpu, ptep, value);
}

/** Accounts for `entries` of `table` that this CPU has set under the ptl; `zeros` as below. */
export function noteSet(cpu: Cpu, table: number, entries: number, zeros: number): void {
  const at = ptdescAt(table);
  const use = peek(at + PTDESC.use);
  if (frameStateOf(peek(at + PTDESC.state)) !== FRAME.table)
    noteFact(cpu, FACT.lostEntry, table, 0, PTE_NONE, use, peek(at + PTDESC.state));
  poke(at + PTDESC.use, ((use & USE_COUNT_MASK) + entries) | cpu.changer);
  if (hasHook(HOOK.entries)) boundProtocol().entriesChanged(cpu, table, entries, zeros);
}

/** Replaces `old`, an entry of `table` that is not none, by another that is not, under the ptl. */
export function ptepReplace(cpu: Cpu, table: number, ptep: Ptep, old: Pte, value: Pte): void {
  write(cpu, ptep, value);
  const zeros = hasHook(HOOK.entries) ? zerosIn(value) - zerosIn(old) : 0;
  if (zeros !== 0) boundProtocol().entriesChanged(cpu, table, 0, zeros);
}

/**
 * What `value` adds to the count of entries that map the zero page: its kind is looked at first,
 * since the payload of an entry that is not present may well be the zero page's number.
 */
export function zerosIn(value: Pte): number {
  return pteZeroPage(value) ? 1 : 0; // @kind-before-frame
}

/**
 * Clears the entry at `ptep` under the ptl and returns what stood there, the dirty bit that
 * hardware may have set meanwhile included; the caller then accounts for it with `noteCleared`.
 */
export function ptepGetAndClear(cpu: Cpu, ptep: Ptep): Pte {
  return exchange(cpu, ptep, PTE_NONE) as Pte;
}

/**
 * Clears the entry at `ptep`, under the ptl; the caller then accounts for it with `noteCleared`.
 */
export function pteClear(cpu: Cpu, ptep: Ptep): void {
  write(cpu, ptep, PTE_NONE);
}

/**
 * As `ptepGetAndClear`, and no CPU translates by the entry any more when it returns; for an entry
 * that is about to be replaced, so that readers of the old page do not go on with it.
 */
export function ptepClearFlush(cpu: Cpu, ptep: Ptep, slot: number, index: number): Pte {
  const value = ptepGetAndClear(cpu, ptep);
  flushTlbRange(cpu, slot, index, slot, index + 1, false); // @clear-flush
  return value;
}

/**
 * Accounts for `cleared` entries of `table` that this CPU has cleared under the ptl; `zeros` of
 * them mapped the zero page.
 */
export function noteCleared(cpu: Cpu, table: number, cleared: number, zeros: number): void {
  const at = ptdescAt(table);
  const use = peek(at + PTDESC.use);
  const left = (use & USE_COUNT_MASK) - cleared;
  if (left < 0) noteFact(cpu, FACT.countUnderflow, 1, left, table, 0, 0);
  poke(at + PTDESC.use, (use & ~USE_COUNT_MASK) | (left & USE_COUNT_MASK));
  if (left === 0) detachBody(cpu, table);
  if (!hasHook(HOOK.entries)) return;
  boundProtocol().entriesChanged(cpu, table, -cleared, -zeros); // @count-cleared
}

/** Publishes `table` in the entry at `pmdp` (of any upper level), under that entry's lock. */
export function pmdPopulate(cpu: Cpu, pmdp: Pmdp, table: number, slot: number): void {
  store(cpu, pmdp, mkPmd(table, peek(ptdescAt(table) + PTDESC.state)));
  notePmdChange(cpu, pmdp);
  recordEvent(cpu, EVENT.hook, table, slot);
}

/**
 * Unhooks PTE table `table` from `pmdp`: the entry no longer points to it. The caller holds pml and
 * ptl (or owns the range exclusively), and then defers and frees the table.
 */
export function pmdUnhook(cpu: Cpu, pmdp: Pmdp, table: number, slot: number): void {
  const at = ptdescAt(table);
  const use = peek(at + PTDESC.use);
  if ((use & USE_COUNT_MASK) !== 0)
    noteFact(cpu, FACT.nonemptyUnhooked, table, use & USE_COUNT_MASK, use, slot, 0);
  store(cpu, pmdp, PMD_NONE);
  notePmdChange(cpu, pmdp);
  poke(at + PTDESC.use, (use & USE_COUNT_MASK) | cpu.changer);
  markUnhooked(cpu, table);
  recordEvent(cpu, EVENT.unhook, table, slot);
}

/**
 * Moves the table that the entry `fromp` holds as `pmdval` to the entry `top`, which is none and
 * that of `slot`; under the locks of both. It is hooked all the while, and nobody else's.
 */
export function pmdMove(cpu: Cpu, fromp: Pmdp, top: Pmdp, pmdval: Pmd, slot: number): void {
  store(cpu, fromp, PMD_NONE);
  notePmdChange(cpu, fromp);
  store(cpu, top, pmdval);
  notePmdChange(cpu, top);
  recordEvent(cpu, EVENT.hook, pmdTable(pmdval), slot);
}

/**
 * Clears the upper entry at `entryp` above a table of level 1 or more; the range is exclusively
 * owned.
 */
export function upperUnhook(cpu: Cpu, entryp: Pmdp, table: number): void {
  store(cpu, entryp, PMD_NONE);
  markUnhooked(cpu, table);
}

/**
 * Actor (a value of `ACTOR`) that changed `table` last: its filler while hooked, then its unhooker.
 */
export function lastChanger(table: number): number {
  return (peek(ptdescAt(table) + PTDESC.use) >>> USE_ACTOR_SHIFT) & USE_ACTOR_MASK;
}

/** Actor that changed the pmd entry at `pmdp` last. */
export function lastPmdChanger(pmdp: Pmdp): number {
  return (peek(noteAt(pmdp)) >>> USE_ACTOR_SHIFT) & USE_ACTOR_MASK;
}

function markUnhooked(cpu: Cpu, table: number): void {
  const at = ptdescAt(table) + PTDESC.state;
  const state = peek(at);
  if (frameStateOf(state) !== FRAME.table) panic(cpu, FACT.doubleFree, 0, table, state, 1, 0);
  write(cpu, at, (state & ~3) | FRAME.unhooked);
}

/**
 * A note exists for entries of PMD tables only; other upper entries change under exclusive locks.
 */
function notePmdChange(cpu: Cpu, pmdp: Pmdp): void {
  const at = noteAt(pmdp);
  if (at !== 0) poke(at, cpu.changer);
}

function noteAt(pmdp: Pmdp): number {
  const at = ptdescAt(tableOfPlace(pmdp));
  const notes = peek(at + PTDESC.use);
  return notes === 0 ? 0 : bodyAt(notes) + (pmdp & ptrsMask());
}

function tableOfPlace(place: number): number {
  return peek(ownerAt(bodyOfPlace(place)));
}
