/**
 * Table frames and their bodies.
 *
 * A frame goes FREE -> TABLE(level) -> UNHOOKED -> FREE, and its generation grows at each
 * allocation. A freed body is filled with poison; what comes from the list is cleared. With on-
 * demand backing a PTE table gets its body with its first entry and gives it back when it is empty
 * again; meanwhile it shares body 0, which is always empty and never written.
 *
 * A PMD table has a second body of notes: for each entry, who changed it last
 * (arena/layout/ptdesc.ts has the format of a use word).
 */

import type { Cpu } from '#arch/cpu';
import { bodyAt, boundMap, ownerAt, ptdescAt, ptrsMask } from '#arena/arena';
import { atLoad } from '#arena/at-load';
import { CONTROL } from '#arena/layout/control';
import { FREE_CACHE_MAX, PERCPU } from '#arena/layout/percpu';
import {
  FRAME,
  frameGenerationOf,
  frameLevelOf,
  frameState,
  frameStateOf,
  POISON,
  PTDESC,
  PTDESC_SHIFT,
} from '#arena/layout/ptdesc';
import { fill, peek, poke, read, write } from '#arena/word';
import { callRcu, RCU_KIND, rcuQueueFull } from '#sync/rcu-callbacks';
import { COUNTER, count } from '#trace/counters';
import { FACT, noteFact, panic } from '#trace/fact';
import { EVENT, recordEvent } from '#trace/ring';
import { LOCK } from '#trace/vocabulary';
import { allocationFails } from './choices.ts';
import { type FreeList, putFrame, takeFrame } from './free-list.ts';
import { boundProtocol, HOOK, hasHook } from './reclaim-protocol.ts';
import { noteMemoryShort } from './truthful.ts';

let tables: FreeList;
let bodies: FreeList;
let onDemand = atLoad.settings.onDemand; // constant at load

/** Binds this thread to the arena's table frames. */
export function bindTables(): void {
  const { geometry, ptdescs, owners } = boundMap();
  const batch = Math.min(geometry.batch, FREE_CACHE_MAX >> 1);
  onDemand = geometry.backing === 'on-demand';
  tables = {
    lock: CONTROL.tableLock,
    lockClass: LOCK.tables,
    head: CONTROL.tableHead,
    fresh: CONTROL.tableFresh,
    limit: geometry.tables,
    count: PERCPU.tableCount,
    cache: PERCPU.tables,
    batch,
    link: ptdescs + PTDESC.use,
    linkShift: PTDESC_SHIFT,
  };
  bodies = {
    lock: CONTROL.bodyLock,
    lockClass: LOCK.bodies,
    head: CONTROL.bodyHead,
    fresh: CONTROL.bodyFresh,
    limit: geometry.bodies,
    count: PERCPU.bodyCount,
    cache: PERCPU.bodies,
    batch,
    link: owners,
    linkShift: 0,
  };
}

/** Whether a body may be taken from a table that is in use, after a grace period. */
export function bodiesOnDemand(): boolean {
  return onDemand;
}

/** Boot: table 0 and body 0 are traps. */
export function initializeTables(): void {
  poke(CONTROL.tableFresh, 1);
  poke(CONTROL.bodyFresh, 1);
}

/** A table of `level` with all entries none, or 0 when there is no frame. */
export function allocTable(cpu: Cpu, level: number): number {
  if (allocationFails(cpu)) {
    noteMemoryShort(cpu);
    return 0;
  }
  const table = takeFrame(cpu, tables);
  if (table === 0) return 0;
  const at = ptdescAt(table);
  const state = peek(at + PTDESC.state);
  if (frameStateOf(state) !== FRAME.free)
    panic(cpu, FACT.frameMismatch, table, state, level, -1, at);
  poke(at + PTDESC.ptl, 0);
  poke(at + PTDESC.body, 0);
  poke(at + PTDESC.use, 0);
  if (level !== 0 || !onDemand) {
    const body = allocBody(cpu, table);
    const notes = level === 1 ? allocBody(cpu, table) : -1;
    if (body === 0 || notes === 0) {
      if (body !== 0) freeBody(cpu, body);
      if (notes > 0) freeBody(cpu, notes);
      putFrame(cpu, tables, table);
      return 0;
    }
    poke(at + PTDESC.body, body);
    if (level === 1) poke(at + PTDESC.use, notes);
  }
  if (level === 0 && hasHook(HOOK.tables) && !boundProtocol().tableConstruct(cpu, table)) {
    noteMemoryShort(cpu);
    if (peek(at + PTDESC.body) !== 0) freeBody(cpu, peek(at + PTDESC.body));
    poke(at + PTDESC.body, 0);
    putFrame(cpu, tables, table);
    return 0;
  }
  poke(at + PTDESC.state, frameState(FRAME.table, level, frameGenerationOf(state) + 1));
  count(cpu, COUNTER.tablesAllocated, 1);
  return table;
}

/** Frees a table that was never hooked, or whose grace period is over. */
export function freeTable(cpu: Cpu, table: number): void {
  const at = ptdescAt(table);
  const state = peek(at + PTDESC.state);
  const level = frameLevelOf(state);
  if (frameStateOf(state) === FRAME.free) panic(cpu, FACT.doubleFree, 0, table, state, 0, 0);
  const body = peek(at + PTDESC.body);
  if (body !== 0) {
    checkEmpty(cpu, table, body);
    freeBody(cpu, body);
  }
  if (level === 1) freeBody(cpu, peek(at + PTDESC.use));
  if (level === 0 && hasHook(HOOK.tables)) boundProtocol().tableDestruct(cpu, table);
  poke(at + PTDESC.body, 0);
  poke(at + PTDESC.state, frameState(FRAME.free, level, frameGenerationOf(state)));
  putFrame(cpu, tables, table);
  count(cpu, COUNTER.tablesFreed, 1);
  recordEvent(cpu, EVENT.free, table, level);
}

/** Gives PTE table `table` a body before its first entry is set; under its ptl. 0: none left. */
export function attachBody(cpu: Cpu, table: number): number {
  const body = allocBody(cpu, table);
  if (body !== 0) write(cpu, ptdescAt(table) + PTDESC.body, body);
  return body;
}

/**
 * With on-demand backing, takes the body from PTE table `table`, whose last entry has just gone;
 * under its ptl. Lockless readers that hold a place in it find zeros until a grace period has
 * passed. When the callback queue is full the table simply keeps its body.
 */
export function detachBody(cpu: Cpu, table: number): void {
  if (!onDemand || rcuQueueFull(cpu)) return;
  const at = ptdescAt(table) + PTDESC.body;
  const body = read(cpu, at);
  if (body === 0) return;
  write(cpu, at, 0);
  callRcu(cpu, RCU_KIND.freeBody, body);
}

/** Returns a body, poisoned, to the free list. */
export function freeBody(cpu: Cpu, body: number): void {
  fill(bodyAt(body), ptrsMask() + 1, POISON);
  putFrame(cpu, bodies, body);
}

function allocBody(cpu: Cpu, table: number): number {
  const body = takeFrame(cpu, bodies);
  if (body === 0) return 0;
  fill(bodyAt(body), ptrsMask() + 1, 0);
  poke(ownerAt(body), table);
  return body;
}

function checkEmpty(cpu: Cpu, table: number, body: number): void {
  const first = bodyAt(body);
  const end = first + ptrsMask() + 1;
  for (let place = first; place < end; place++) {
    if (peek(place) === 0) continue;
    noteFact(cpu, FACT.nonemptyFreed, table, place - first, peek(place), 0, 0);
    return;
  }
}
