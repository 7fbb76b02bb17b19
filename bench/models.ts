/**
 * Three models that other explorers have been measured on (the group `exploration`), as generator
 * functions that ask the gate before each access.
 *
 *     M1  a walker {read pmd; lock ptl; recheck pmd; write an entry; unlock} against a reclaimer
 *         {lock pml; lock ptl; read 4 entries; if none: clear pmd; unlock both; live := 0}
 *     M2  M1 and a zapper {read pmd; lock; recheck; set 2 entries; unlock; lock; clear them;
 *         unlock}, with one walker or more
 *     M3  M1, but live := 0 comes before the ptl is unlocked, and the reclaimer then puts the table
 *         on a free list, from which a third CPU takes it for another pmd
 *
 * Each has a broken variant. M1, M2: there is no recheck, so that an entry is written to a detached
 * table. M3: instead of the pmd the walker checks whether the table is live. It is so only once the
 * third CPU has it, so that the reclaimer's whole work and the third CPU's must come between the
 * walker's first two steps: uniform choice meets that in 3 of 10,000 executions.
 */
import type { CpuRef, Gate } from '#arena/gate';
import { GATE } from '#arena/gate';
import type { Model } from '#explore/model-machine';
import type { Coroutine } from '#explore/stepped-tree';
import { type Verdict, verdict } from '#oracles/verdict';

/** Words. `other` is the pmd for which the table is used again. */
const WORD = { pmd: 0, pml: 1, ptl: 2, live: 3, free: 4, other: 5, entries: 6 } as const;
const ENTRIES = 4;
const SIZE_WORDS = WORD.entries + ENTRIES;
/** The pmd's value while it points to the table. */
const TABLE = 7;

type Column = (cpu: CpuRef, words: Int32Array, gate: Gate) => Coroutine;

export function modelM1(broken = false): Model {
  return model([broken ? walkerWithoutRecheck : walker, reclaimer]);
}

export function modelM2(walkers = 1, broken = false): Model {
  const one = broken ? walkerWithoutRecheck : walker;
  return model([...Array.from({ length: walkers }, () => one), reclaimer, zapper]);
}

export function modelM3(broken = false): Model {
  return model([broken ? walkerOfLive : walker, freeingReclaimer, reuser]);
}

/** In each of them nothing may be left in a table that its pmd does not point to. */
function model(columns: readonly Column[]): Model {
  const initial = new Int32Array(SIZE_WORDS);
  initial[WORD.pmd] = TABLE;
  initial[WORD.live] = 1;
  return {
    cpus: columns.length,
    initial,
    column: (cpu, words, gate) => columns[cpu.id]!(cpu, words, gate),
    check: (words) => (words[WORD.pmd] === TABLE ? null : lostEntry(words)),
  };
}

function lostEntry(words: Int32Array): Verdict | null {
  for (let i = 0; i < ENTRIES; i++)
    if (words[WORD.entries + i] !== 0)
      return verdict('lost-entry', [0], `entry ${i} was written to a table that is detached`);
  return null;
}

function* walker(cpu: CpuRef, words: Int32Array, gate: Gate): Coroutine {
  if (gate.pass(cpu, GATE.read, WORD.pmd, 0)) yield;
  if (words[WORD.pmd] !== TABLE) return 'done';
  if (gate.pass(cpu, GATE.acquire, WORD.ptl, 0)) yield;
  words[WORD.ptl] = 1;
  if (gate.pass(cpu, GATE.read, WORD.pmd, 0)) yield;
  if (words[WORD.pmd] === TABLE) {
    if (gate.pass(cpu, GATE.write, WORD.entries + 1, 0)) yield;
    words[WORD.entries + 1] = 1 + cpu.id;
  }
  if (gate.pass(cpu, GATE.store, WORD.ptl, 0)) yield;
  words[WORD.ptl] = 0;
  return 'done';
}

function* walkerWithoutRecheck(cpu: CpuRef, words: Int32Array, gate: Gate): Coroutine {
  if (gate.pass(cpu, GATE.read, WORD.pmd, 0)) yield;
  if (words[WORD.pmd] !== TABLE) return 'done';
  if (gate.pass(cpu, GATE.acquire, WORD.ptl, 0)) yield;
  words[WORD.ptl] = 1;
  if (gate.pass(cpu, GATE.write, WORD.entries + 1, 0)) yield;
  words[WORD.entries + 1] = 1 + cpu.id;
  if (gate.pass(cpu, GATE.store, WORD.ptl, 0)) yield;
  words[WORD.ptl] = 0;
  return 'done';
}

function* walkerOfLive(cpu: CpuRef, words: Int32Array, gate: Gate): Coroutine {
  if (gate.pass(cpu, GATE.read, WORD.pmd, 0)) yield;
  if (words[WORD.pmd] !== TABLE) return 'done';
  if (gate.pass(cpu, GATE.acquire, WORD.ptl, 0)) yield;
  words[WORD.ptl] = 1;
  if (gate.pass(cpu, GATE.read, WORD.live, 0)) yield;
  if (words[WORD.live] === 1) {
    if (gate.pass(cpu, GATE.write, WORD.entries + 1, 0)) yield;
    words[WORD.entries + 1] = 1 + cpu.id;
  }
  if (gate.pass(cpu, GATE.store, WORD.ptl, 0)) yield;
  words[WORD.ptl] = 0;
  return 'done';
}

const reclaimer: Column = (cpu, words, gate) => reclaim(cpu, words, gate, false);
const freeingReclaimer: Column = (cpu, words, gate) => reclaim(cpu, words, gate, true);

/** `frees`: it declares the table dead under its lock, and then puts it on the free list. */
function* reclaim(cpu: CpuRef, words: Int32Array, gate: Gate, frees: boolean): Coroutine {
  if (gate.pass(cpu, GATE.acquire, WORD.pml, 0)) yield;
  words[WORD.pml] = 1;
  if (gate.pass(cpu, GATE.acquire, WORD.ptl, 0)) yield;
  words[WORD.ptl] = 1;
  let found = 0;
  for (let i = 0; i < ENTRIES; i++) {
    if (gate.pass(cpu, GATE.read, WORD.entries + i, 0)) yield;
    found |= words[WORD.entries + i]!;
  }
  if (found === 0) {
    if (gate.pass(cpu, GATE.write, WORD.pmd, 0)) yield;
    words[WORD.pmd] = 0;
    if (frees) {
      if (gate.pass(cpu, GATE.write, WORD.live, 0)) yield;
      words[WORD.live] = 0;
    }
  }
  if (gate.pass(cpu, GATE.store, WORD.ptl, 0)) yield;
  words[WORD.ptl] = 0;
  if (gate.pass(cpu, GATE.store, WORD.pml, 0)) yield;
  words[WORD.pml] = 0;
  if (found !== 0) return 'done';
  if (frees) {
    if (gate.pass(cpu, GATE.store, WORD.free, 0)) yield;
    words[WORD.free] = TABLE;
  } else {
    if (gate.pass(cpu, GATE.store, WORD.live, 0)) yield;
    words[WORD.live] = 0;
  }
  return 'done';
}

function* reuser(cpu: CpuRef, words: Int32Array, gate: Gate): Coroutine {
  if (gate.pass(cpu, GATE.exchange, WORD.free, 0)) yield;
  const table = words[WORD.free]!;
  words[WORD.free] = 0;
  if (table === 0) return 'done';
  if (gate.pass(cpu, GATE.store, WORD.live, 0)) yield;
  words[WORD.live] = 1;
  if (gate.pass(cpu, GATE.store, WORD.other, 0)) yield;
  words[WORD.other] = table;
  return 'done';
}

function* zapper(cpu: CpuRef, words: Int32Array, gate: Gate): Coroutine {
  if (gate.pass(cpu, GATE.read, WORD.pmd, 0)) yield;
  if (words[WORD.pmd] !== TABLE) return 'done';
  if (gate.pass(cpu, GATE.acquire, WORD.ptl, 0)) yield;
  words[WORD.ptl] = 1;
  if (gate.pass(cpu, GATE.read, WORD.pmd, 0)) yield;
  const holds = words[WORD.pmd] === TABLE;
  for (let i = 0; i < 2 && holds; i++) {
    if (gate.pass(cpu, GATE.write, WORD.entries + 2 + i, 0)) yield;
    words[WORD.entries + 2 + i] = 1;
  }
  if (gate.pass(cpu, GATE.store, WORD.ptl, 0)) yield;
  words[WORD.ptl] = 0;
  if (!holds) return 'done';
  if (gate.pass(cpu, GATE.acquire, WORD.ptl, 0)) yield;
  words[WORD.ptl] = 1;
  for (let i = 0; i < 2; i++) {
    if (gate.pass(cpu, GATE.write, WORD.entries + 2 + i, 0)) yield;
    words[WORD.entries + 2 + i] = 0;
  }
  if (gate.pass(cpu, GATE.store, WORD.ptl, 0)) yield;
  words[WORD.ptl] = 0;
  return 'done';
}
