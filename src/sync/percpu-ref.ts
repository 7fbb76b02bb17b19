/**
 * Reference counts that cost no shared atomics while nobody asks for zero: the kernel's percpu_ref,
 * as the series of April 2022 gives one to each PTE table. A ref is named by its number.
 *
 *     mode     get and put                 value                               zero
 *     percpu   the CPU's own local word    count - bias + sum of the locals    nobody may ask
 *     atomic   the count, atomically       count                               count is 0
 *
 * The switch to atomic mode loses nothing:
 *  1. The mode says atomic before the grace period is asked for. Get, put and
 *     tryGet read the mode and act on it within one read section.
 *  2. So when the grace period is over, no CPU changes its local word any more.
 *  3. The locals are summed first; then one addition brings the sum in and takes the bias away. Up
 *     to it the bias, from it the whole value, decides whether the count is zero.
 *  4. The switch has a reference of its own from its beginning to its end.
 *
 * In the kernel an RCU callback finishes the switch. Here a CPU runs its callbacks only between
 * operations, so whoever comes first once the grace period is over claims the switch and finishes
 * it: the callback, a CPU that sleeps until the switch is done, or another CPU at its operation
 * boundary. Each call of the synchronous form waits for one grace period at most.
 */

import type { Cpu } from '#arch/cpu';
import { waitUntilChanged } from '#arch/interrupts';
import { boundMap } from '#arena/arena';
import { CONTROL } from '#arena/layout/control';
import {
  REF,
  REF_ATOMIC,
  REF_BIAS,
  REF_CONFIRM,
  REF_MODE,
  REF_SHIFT,
} from '#arena/layout/percpu-ref';
import {
  add,
  compareExchange,
  load,
  peek,
  poke,
  read,
  store,
  storeAndWake,
  storeRelease,
  write,
} from '#arena/word';
import { assert } from '#base/assert';
import { COUNTER, count } from '#trace/counters';
import { LOCK } from '#trace/vocabulary';
import { mightSleep } from './held.ts';
import {
  rcuAwaitEnd,
  rcuGraceEnd,
  rcuGraceIsOver,
  rcuIdleEnter,
  rcuIdleExit,
  rcuReadLock,
  rcuReadUnlock,
} from './rcu.ts';
import { callRcu, RCU_KIND, rcuQueueFull } from './rcu-callbacks.ts';
import { spinLock, spinUnlock } from './spinlock.ts';

/** Where the refs of a machine stand, and which patches of the series it has. */
export interface PercpuRefs {
  /** Shared words of ref 0; those of ref n follow at `n * REF.sizeWords`. */
  readonly base: number;
  /** Local word of ref 0 on CPU 0; `stride` words on begin those of the next CPU. */
  readonly locals: number;
  readonly stride: number;
  readonly cpus: number;
  /** Patch 03: each ref has a switch lock of its own. */
  readonly perRefSwitchLock: boolean;
  /** Patch 02: the value is stable when the synchronous switch returns. */
  readonly stableSync: boolean;
}

// The free-running form makes constants of these (arena/at-load.ts).
let base = boundMap().tableWords; // constant at load
let locals = boundMap().tableCpuWords; // constant at load
let stride = boundMap().tableCpuStride; // constant at load
let cpus = boundMap().geometry.cpus; // constant at load

let perRefSwitchLock = false;
let stableSync = true;

/** Binds this thread; the same on every thread of a machine. */
export function bindPercpuRefs(refs: PercpuRefs): void {
  base = refs.base;
  locals = refs.locals;
  stride = refs.stride;
  cpus = refs.cpus;
  // Where these are constants, nothing has been assigned.
  const same = base === refs.base && locals === refs.locals && stride === refs.stride;
  assert(same && cpus === refs.cpus, 'the refs stand where the map has the words of the tables');
  perRefSwitchLock = refs.perRefSwitchLock;
  stableSync = refs.stableSync; // @ref-stable-sync
}

/** Makes ref `n` ready, in percpu mode and with one reference. Nobody else knows of it yet. */
export function percpuRefInit(cpu: Cpu, n: number): void {
  const refp = refAt(n);
  write(cpu, refp + REF.count, (REF_BIAS + 1) | 0);
  write(cpu, refp + REF.mode, REF_MODE.percpu);
  write(cpu, refp + REF.confirm, REF_CONFIRM.none);
  clearLocals(cpu, n);
}

/** Takes one more reference; the caller has one already. */
export function percpuRefGet(cpu: Cpu, n: number): void {
  rcuReadLock(cpu);
  const refp = refAt(n);
  if (isPercpu(cpu, refp))
    addLocal(cpu, n, 1); // @ref-get-local
  else addShared(cpu, refp, 1);
  rcuReadUnlock(cpu);
}

/** Gives a reference back; true: the value has become 0. In percpu mode nobody is told of that. */
export function percpuRefPut(cpu: Cpu, n: number): boolean {
  let zero = false;
  rcuReadLock(cpu);
  const refp = refAt(n);
  if (isPercpu(cpu, refp)) addLocal(cpu, n, -1);
  else zero = addShared(cpu, refp, -1) === 1;
  rcuReadUnlock(cpu);
  return zero;
}

/** Takes a reference unless the value is 0; in percpu mode even then. */
export function percpuRefTryGet(cpu: Cpu, n: number): boolean {
  let taken = true;
  rcuReadLock(cpu);
  const refp = refAt(n);
  if (isPercpu(cpu, refp)) addLocal(cpu, n, 1);
  else taken = addUnlessZero(cpu, refp);
  rcuReadUnlock(cpu);
  return taken;
}

/** Whether the value is 0; never in percpu mode. */
export function percpuRefIsZero(cpu: Cpu, n: number): boolean {
  const refp = refAt(n);
  if (isPercpu(cpu, refp)) return false;
  spinLock(cpu, lockOf(refp), LOCK.refSwitch);
  const value = load(cpu, refp + REF.count);
  spinUnlock(cpu, lockOf(refp), LOCK.refSwitch);
  return value === 0;
}

/** Switches to atomic mode, which is so once a grace period has passed. */
export function percpuRefSwitchToAtomic(cpu: Cpu, n: number): void {
  if (!beginSwitch(cpu, n, false)) return;
  if (rcuQueueFull(cpu)) awaitSwitch(cpu, n);
  else callRcu(cpu, RCU_KIND.refSwitch, n);
}

/** Switches to atomic mode and sleeps until that is so; not in a read section or under a lock. */
export function percpuRefSwitchToAtomicSync(cpu: Cpu, n: number): void {
  mightSleep(cpu);
  beginSwitch(cpu, n, stableSync);
  awaitSwitch(cpu, n);
  if (stableSync) percpuRefPut(cpu, n);
}

/** Switches to percpu mode. Sleeps while a switch to atomic mode is pending. */
export function percpuRefSwitchToPercpu(cpu: Cpu, n: number): void {
  const refp = refAt(n);
  lockSwitch(cpu, n);
  if (!isPercpu(cpu, refp)) {
    add(cpu, refp + REF.count, REF_BIAS); // @ref-bias
    clearLocals(cpu, n); // @ref-clear-locals
    storeRelease(cpu, refp + REF.mode, REF_MODE.percpuAgain);
    count(cpu, COUNTER.refSwitches, 1);
  }
  spinUnlock(cpu, lockOf(refp), LOCK.refSwitch);
}

/**
 * Finishes the pending switch of ref `n`, unless its grace period is not over or another CPU has
 * claimed it. A callback may find that its switch is long finished and a later one is pending.
 */
export function percpuRefSwitchDone(cpu: Cpu, n: number): void {
  const confirmp = refAt(n) + REF.confirm;
  const confirm = load(cpu, confirmp);
  if (confirm === REF_CONFIRM.none || confirm === REF_CONFIRM.finishing) return;
  if (!rcuGraceIsOver(cpu, confirm)) return;
  const found = compareExchange(cpu, confirmp, confirm, REF_CONFIRM.finishing); // @ref-claim
  if (found === confirm) finishSwitch(cpu, n);
}

/** At an operation boundary: finishes a switch that another CPU sleeps for. */
export function percpuRefFinishAwaited(cpu: Cpu): void {
  const awaited = peek(CONTROL.refAwaited);
  if (awaited !== 0) percpuRefSwitchDone(cpu, awaited - 1);
}

/** The value, for audits when nothing runs; a pending switch's own reference is part of it. */
export function percpuRefValue(n: number): number {
  const refp = refAt(n);
  const value = peek(refp + REF.count);
  const isWhole = (peek(refp + REF.mode) & REF_ATOMIC) !== 0;
  if (isWhole && peek(refp + REF.confirm) === REF_CONFIRM.none) return value;
  let sum = 0;
  for (let id = 0; id < cpus; id++) sum += peek(localAt(id, n));
  return (value - REF_BIAS + sum) | 0;
}

/**
 * Sets the mode; false: it is atomic already. `stays`: the caller puts the switch's reference, and
 * so gets one even if there is nothing to switch.
 */
function beginSwitch(cpu: Cpu, n: number, stays: boolean): boolean {
  const refp = refAt(n);
  lockSwitch(cpu, n);
  const begins = isPercpu(cpu, refp);
  if (begins) store(cpu, refp + REF.mode, stays ? REF_MODE.atomicSync : REF_MODE.atomic);
  if (begins || stays) add(cpu, refp + REF.count, 1); // @ref-extra
  // From here on anybody may finish the switch.
  if (begins) store(cpu, refp + REF.confirm, rcuGraceEnd(cpu)); // @ref-grace
  if (begins) count(cpu, COUNTER.refSwitches, 1);
  spinUnlock(cpu, lockOf(refp), LOCK.refSwitch);
  return begins;
}

/** Takes the switch lock when no switch is pending. */
function lockSwitch(cpu: Cpu, n: number): void {
  const refp = refAt(n);
  for (;;) {
    spinLock(cpu, lockOf(refp), LOCK.refSwitch);
    const confirm = load(cpu, refp + REF.confirm); // @ref-pending
    if (confirm === REF_CONFIRM.none) return;
    spinUnlock(cpu, lockOf(refp), LOCK.refSwitch);
    awaitSwitch(cpu, n);
  }
}

/** Sleeps until no switch of ref `n` is pending. */
function awaitSwitch(cpu: Cpu, n: number): void {
  const confirmp = refAt(n) + REF.confirm;
  for (;;) {
    const confirm = load(cpu, confirmp);
    if (confirm === REF_CONFIRM.none) return;
    mightSleep(cpu);
    poke(CONTROL.refAwaited, n + 1);
    const idle = rcuIdleEnter(cpu);
    if (confirm === REF_CONFIRM.finishing) waitUntilChanged(cpu, confirmp, confirm);
    else if (rcuAwaitEnd(cpu, confirm)) count(cpu, COUNTER.graceWaits, 1);
    if (idle) rcuIdleExit(cpu);
    if (peek(CONTROL.refAwaited) === n + 1) poke(CONTROL.refAwaited, 0);
    percpuRefSwitchDone(cpu, n);
  }
}

/** The end of a switch that this CPU has claimed: steps 3 and 4 of the argument. */
function finishSwitch(cpu: Cpu, n: number): void {
  const refp = refAt(n);
  let sum = -REF_BIAS | 0;
  for (let id = 0; id < cpus; id++) sum = (sum + read(cpu, localAt(id, n))) | 0;
  add(cpu, refp + REF.count, sum); // @ref-fold
  const stays = read(cpu, refp + REF.mode) === REF_MODE.atomicSync;
  storeAndWake(cpu, refp + REF.confirm, REF_CONFIRM.none);
  // From here on the mode may change again, and somebody who slept may look at the count.
  if (!stays) percpuRefPut(cpu, n);
}

function isPercpu(cpu: Cpu, refp: number): boolean {
  return (read(cpu, refp + REF.mode) & REF_ATOMIC) === 0;
}

function addLocal(cpu: Cpu, n: number, delta: number): void {
  const localp = localAt(cpu.id, n);
  write(cpu, localp, (read(cpu, localp) + delta) | 0);
}

/** Returns the count before. */
function addShared(cpu: Cpu, refp: number, delta: number): number {
  count(cpu, COUNTER.refAtomics, 1);
  return add(cpu, refp + REF.count, delta);
}

function addUnlessZero(cpu: Cpu, refp: number): boolean {
  for (let seen = load(cpu, refp + REF.count); seen !== 0; ) {
    count(cpu, COUNTER.refAtomics, 1);
    const found = compareExchange(cpu, refp + REF.count, seen, (seen + 1) | 0); // @ref-take
    if (found === seen) return true;
    seen = found;
  }
  return false;
}

function clearLocals(cpu: Cpu, n: number): void {
  for (let id = 0; id < cpus; id++) write(cpu, localAt(id, n), 0);
}

function refAt(n: number): number {
  return base + (n << REF_SHIFT);
}

function localAt(id: number, n: number): number {
  return locals + id * stride + n;
}

function lockOf(refp: number): number {
  return perRefSwitchLock ? refp + REF.switchLock : CONTROL.refSwitchLock;
}
