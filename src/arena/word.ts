/**
 * The one door to shared memory. Everything above the ground touches the arena through these
 * functions; `Atomics` occurs in this room and nowhere else.
 *
 * **Gated** functions (they take `cpu`) are steps: `load`, `store`, `exchange`, `compareExchange`
 * and `add` are sequentially consistent; `read` and `write` are plain accesses, for words that a
 * lock orders or that a lockless walker re-checks. **Quiet** ones (`peek`, `poke`, `bump`, `fill`)
 * are never steps: per-CPU counters, rings, checks, poison, audit.
 *
 * A waiter announces itself in a bucket of sleepers, chosen by address, before it sleeps; whoever
 * stores to a word that may be waited for uses `storeAndWake`, which notifies only if the bucket is
 * not empty. An Atomics.notify without need costs more than the whole lock.
 */

import { atLoad } from './at-load.ts';
import { clockIsReplaced, nowMs } from './clock.ts';
import { type CpuRef, GATE, isGated, noteQuiet, passGate } from './gate.ts';
import { Halted } from './halt.ts';
import { CONTROL, SLEEPER_BUCKETS } from './layout/control.ts';
import { PERCPU, TLB_STATE } from './layout/percpu.ts';
import { LINE_WORDS } from './layout/struct.ts';

/** The arena's words. One alias for the whole project. */
export type Words = Int32Array<SharedArrayBuffer>;

// The free-running form makes constants of these (at-load.ts).
let words: Words = new Int32Array(atLoad.buffer); // constant at load
let spinLimit = atLoad.spins; // constant at load
let totalStoreOrder = atLoad.totalStoreOrder; // constant at load

/** Makes `next` this thread's arena; `spins` bounds busy waiting before a sleep. */
export function bindWords(next: Words, spins: number): void {
  words = next;
  spinLimit = spins;
  totalStoreOrder = false;
}

/** The words themselves, for image, audit and oracles; tidy forbids indexing them outside arena. */
export function boundWords(): Words {
  return words;
}

export function load(cpu: CpuRef, at: number): number {
  passGate(cpu, GATE.load, at, 0);
  return Atomics.load(words, at);
}

export function store(cpu: CpuRef, at: number, value: number): void {
  passGate(cpu, GATE.store, at, 0);
  Atomics.store(words, at, value);
}

/** As `store`, and wakes whoever sleeps on the word. Needed wherever `waitWhile` may wait on it. */
export function storeAndWake(cpu: CpuRef, at: number, value: number): void {
  passGate(cpu, GATE.store, at, 0);
  Atomics.store(words, at, value);
  if (words[sleepersOf(at)] !== 0) Atomics.notify(words, at);
}

export function exchange(cpu: CpuRef, at: number, value: number): number {
  passGate(cpu, GATE.exchange, at, 0);
  return Atomics.exchange(words, at, value);
}

/**
 * A store that nothing before it may pass. JavaScript has no such store: on a machine where every
 * store is one (x86-64) it is a plain store, elsewhere a sequentially consistent one. It wakes
 * nobody: whoever sleeps on the word finds the change within a millisecond.
 */
export function storeRelease(cpu: CpuRef, at: number, value: number): void {
  passGate(cpu, GATE.store, at, 0);
  if (totalStoreOrder) words[at] = value;
  else Atomics.store(words, at, value);
}

/**
 * As `storeRelease`, and wakes whoever it sees asleep on the word: a sleeper that announces itself
 * in the same instant may be missed, and finds the change within a millisecond.
 */
export function storeReleaseAndWake(cpu: CpuRef, at: number, value: number): void {
  passGate(cpu, GATE.store, at, 0);
  if (totalStoreOrder) words[at] = value;
  else Atomics.store(words, at, value);
  if (words[sleepersOf(at)] !== 0) Atomics.notify(words, at);
}

/** Returns the value found; the exchange took place if that is `expected`. */
export function compareExchange(cpu: CpuRef, at: number, expected: number, value: number): number {
  passGate(cpu, GATE.compareExchange, at, 0);
  return Atomics.compareExchange(words, at, expected, value);
}

/**
 * Takes the lock word `at` for `holder` if it is 0; returns the value found.
 *
 * At a gate, the CPU is not enabled while the word is not 0, so that waiting for a lock is one step
 * and no search tells apart how often it was tried. While it waits interrupts come, between the
 * release of the lock and its next try too: so one that has come is to be served first, and the
 * lock is not taken (-1).
 */
export function acquire(cpu: CpuRef, at: number, holder: number): number {
  passGate(cpu, GATE.acquire, at, 0);
  if (mustServeFirst(cpu)) return -1;
  return Atomics.compareExchange(words, at, 0, holder);
}

/** The free-running form does not ask. */
function mustServeFirst(cpu: CpuRef): boolean {
  if (!isGated() || (cpu.irqsOff ?? 0) !== 0) return false;
  return words[cpu.block + PERCPU.ipiWanted] !== words[cpu.block + PERCPU.ipiServed];
}

/** Returns the value before the addition. */
export function add(cpu: CpuRef, at: number, delta: number): number {
  passGate(cpu, GATE.add, at, 0);
  return Atomics.add(words, at, delta);
}

/** As `add`, and wakes whoever sleeps on the word. */
export function addAndWake(cpu: CpuRef, at: number, delta: number): number {
  passGate(cpu, GATE.add, at, 0);
  const before = Atomics.add(words, at, delta);
  if (words[sleepersOf(at)] !== 0) Atomics.notify(words, at);
  return before;
}

/** Wakes whoever sleeps on a word that a plain or atomic access of this CPU has just changed. */
export function wake(at: number): void {
  if (words[sleepersOf(at)] !== 0) Atomics.notify(words, at);
}

/** A plain load that races: exactly one load. */
export function read(cpu: CpuRef, at: number): number {
  passGate(cpu, GATE.read, at, 0);
  return words[at]!;
}

/** A plain store that races, ordered by the lock that its writer holds. */
export function write(cpu: CpuRef, at: number, value: number): void {
  passGate(cpu, GATE.write, at, 0);
  words[at] = value;
}

/**
 * Waits until the word `at` is no longer `seen`, or an interrupt wants to be served: one step and
 * one event, however long it takes. Free-running it spins a bounded time, then sleeps at most 1 ms
 * at a time; a CPU that sleeps is out of the mask of those whom a TLB flush must interrupt. Throws
 * `Halted` when the machine halts meanwhile, so that no CPU waits for a lock whose holder is gone.
 */
export function waitWhile(cpu: CpuRef, at: number, seen: number): void {
  passGate(cpu, GATE.wait, at, seen);
  if (Atomics.load(words, at) === seen) waitFree(cpu, at, seen);
}

function waitFree(cpu: CpuRef, at: number, seen: number): void {
  const wanted = cpu.block + PERCPU.ipiWanted;
  const served = words[cpu.block + PERCPU.ipiServed]!;
  for (let i = 0; i < spinLimit; i++)
    if (Atomics.load(words, at) !== seen || words[wanted] !== served) return;
  const bucket = sleepersOf(at);
  words[cpu.block + PERCPU.waitSince] = nowMs();
  words[cpu.block + PERCPU.waitSeen] = seen;
  Atomics.store(words, cpu.block + PERCPU.waitAt, at);
  if (words[cpu.block + PERCPU.tlbState] === TLB_STATE.active)
    Atomics.store(words, cpu.block + PERCPU.tlbState, TLB_STATE.asleep);
  while (Atomics.load(words, at) === seen && Atomics.load(words, wanted) === served) {
    if (words[CONTROL.halt] !== 0) throw new Halted();
    Atomics.add(words, bucket, 1);
    Atomics.wait(words, at, seen, 1);
    Atomics.sub(words, bucket, 1);
  }
  Atomics.store(words, cpu.block + PERCPU.waitAt, 0);
}

function sleepersOf(at: number): number {
  return CONTROL.sleepers + ((at >> 2) & (SLEEPER_BUCKETS - 1)) * LINE_WORDS;
}

/**
 * Sleeps until `until` (ms), or until an interrupt wants to be served or the machine is told to
 * stop or halt; never holding a lock. Returns whether there is time left to sleep. Where the clock
 * counts steps, a call is one step and does not sleep.
 */
export function sleepUntil(cpu: CpuRef, until: number): boolean {
  const wanted = cpu.block + PERCPU.ipiWanted;
  passGate(cpu, GATE.read, wanted, 0);
  const served = words[cpu.block + PERCPU.ipiServed]!;
  while (words[CONTROL.halt] === 0 && words[CONTROL.stop] === 0) {
    const left = (until - nowMs()) | 0;
    if (left <= 0) return false;
    if (Atomics.load(words, wanted) !== served || clockIsReplaced()) return true;
    Atomics.wait(words, wanted, served, Math.min(left, 10));
  }
  return false;
}

/** Wakes the CPU whose block is `block` from a wait or sleep, so that it serves interrupts. */
export function kick(block: number): void {
  const at = words[block + PERCPU.waitAt]!;
  if (at !== 0) Atomics.notify(words, at);
  else if (words[block + PERCPU.tlbState] === TLB_STATE.lazy)
    Atomics.notify(words, block + PERCPU.ipiWanted);
}

// Quiet access: never a step.

export function peek(at: number): number {
  noteQuiet(at, 1, false);
  return words[at]!;
}

export function poke(at: number, value: number): void {
  noteQuiet(at, 1, true);
  words[at] = value;
}

/** Adds to a counter that only this CPU writes. */
export function bump(at: number, delta: number): void {
  noteQuiet(at, 1, true);
  words[at] = (words[at]! + delta) | 0;
}

export function fill(at: number, sizeWords: number, value: number): void {
  noteQuiet(at, sizeWords, true);
  words.fill(value, at, at + sizeWords);
}

/** Quiet atomics, for words that several threads write but whose order no protocol depends on. */
export function quietAdd(at: number, delta: number): number {
  return Atomics.add(words, at, delta);
}

/** Returns what was found: `expected` if the word now holds `value`. */
export function quietCompareExchange(at: number, expected: number, value: number): number {
  return Atomics.compareExchange(words, at, expected, value);
}

export function quietLoad(at: number): number {
  return Atomics.load(words, at);
}

export function quietStore(at: number, value: number): void {
  Atomics.store(words, at, value);
  Atomics.notify(words, at);
}

/** Raises a word to at least `value`. */
export function quietMax(at: number, value: number): void {
  for (let seen = words[at]!; seen < value; ) {
    const found = Atomics.compareExchange(words, at, seen, value);
    if (found === seen) return;
    seen = found;
  }
}
