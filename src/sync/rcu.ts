/**
 * RCU by epochs. A reader may hold what it found until its section ends; whoever unhooks a thing
 * frees it only when every section that existed at that moment has ended.
 *
 * The argument. E is the global epoch; each CPU has a word `seen`.
 *  1. A CPU's word is `IDLE` (it holds no reference), or the value of E that it read at its latest
 *     quiescent state (quiescent-state form), or at the start of its section (announced form).
 *  2. E goes from e to e+1 only after every CPU's word was found to be e or IDLE.
 *  3. A thing is unhooked, then E is read: e. A reader that can still hold the thing entered
 *     before, so
 *     its word is at most e (or it was stored before E became e+1).
 *  4. The step from e+1 to e+2 begins after E became e+1, hence after (3), and does not succeed
 *     while
 *     that word stands. So when E is e+2, every such reader has passed a quiescent state.
 * Hence two steps after the unhooking, counted from the epoch read after it, the thing may be
 * freed.
 *
 * In the quiescent-state form (the default) a section costs a private counter; a CPU reports when
 * it passes an operation boundary and a plain load hints that E has changed. In the announced form
 * each outermost section stores its epoch. In the abstract form, of which exploration makes use,
 * sections and boundaries are as in the first, but there is no epoch (rcu-abstract.ts).
 */

import type { Cpu } from '#arch/cpu';
import { interruptPoint, waitUntilChanged } from '#arch/interrupts';
import { boundMap } from '#arena/arena';
import { atLoad } from '#arena/at-load';
import { nowUs } from '#arena/clock';
import { CONTROL } from '#arena/layout/control';
import { PERCPU } from '#arena/layout/percpu';
import { compareExchange, load, peek, poke, quietMax, read, store, wake } from '#arena/word';
import { COUNTER, count } from '#trace/counters';
import { FACT, noteFact } from '#trace/fact';
import { traceGraceOver, traceGraceWanted, traceSection, traceSectionEnd } from '#trace/tracing';
import { mightSleep } from './held.ts';
import {
  abstractAnswer,
  abstractAwait,
  abstractInitialize,
  abstractIsAsked,
  abstractIsOver,
  abstractLeave,
  abstractRequest,
} from './rcu-abstract.ts';

/**
 * Steps of the epoch, from the one read after unhooking, that make a grace period (argument, step
 * 4).
 */
export const GRACE_EPOCHS = 2;
/** A CPU's word while it holds no reference. Epochs begin at 1. */
const IDLE = 0;

let announced = atLoad.settings.announced; // constant at load
let isAbstract = atLoad.settings.abstractRcu; // constant at load

/** Chooses the form; the same on every thread of a machine. */
export function configureRcu(announce: boolean, withoutEpochs = false): void {
  announced = announce;
  isAbstract = withoutEpochs;
}

/** Boot: sets the first epoch. */
export function rcuInitialize(): void {
  poke(CONTROL.rcuEpoch, 1);
  poke(CONTROL.rcuEpochSince, nowUs());
  abstractInitialize();
}

/** Opens a read section; sections nest. */
export function rcuReadLock(cpu: Cpu): void {
  const nesting = peek(cpu.block + PERCPU.rcuNesting);
  poke(cpu.block + PERCPU.rcuNesting, nesting + 1);
  if (announced && nesting === 0) report(cpu);
  traceSection(cpu, nesting);
}

/** Closes a read section. */
export function rcuReadUnlock(cpu: Cpu): void {
  const nesting = peek(cpu.block + PERCPU.rcuNesting) - 1;
  if (nesting < 0) noteFact(cpu, FACT.rcuUnbalanced, nesting, 0, 0, 0, 0);
  poke(cpu.block + PERCPU.rcuNesting, nesting);
  traceSectionEnd(cpu, nesting);
  if (announced && nesting === 0) leave(cpu);
}

/**
 * This CPU begins to take part: it must report from now on. In the announced form sections say all.
 */
export function rcuOnline(cpu: Cpu): void {
  if (isAbstract) abstractAnswer(cpu);
  else if (!announced) report(cpu);
}

/** This CPU holds no reference and need not be asked until it is online again. */
export function rcuOffline(cpu: Cpu): void {
  if (isAbstract) abstractLeave(cpu);
  else if (!announced) leave(cpu);
}

/** Goes offline for a wait, if that is allowed here; true: `rcuIdleExit` must follow. */
export function rcuIdleEnter(cpu: Cpu): boolean {
  if (announced || peek(cpu.block + PERCPU.rcuNesting) !== 0) return false;
  rcuOffline(cpu);
  return true;
}

export function rcuIdleExit(cpu: Cpu): void {
  rcuOnline(cpu);
}

/**
 * A quiescent state between two pages or tables of one operation, and a point at which the CPU can
 * be interrupted: costs two plain loads unless the epoch has changed. Not inside a read section.
 */
export function rcuQuiescent(cpu: Cpu): void {
  interruptPoint(cpu);
  if (isAbstract) {
    if (!abstractIsAsked(cpu)) return;
  } else if (announced || read(cpu, CONTROL.rcuEpoch) === peek(cpu.block + PERCPU.rcuSeen)) return;
  if (peek(cpu.block + PERCPU.rcuNesting) !== 0) {
    noteFact(cpu, FACT.rcuUnbalanced, peek(cpu.block + PERCPU.rcuNesting), 0, 0, 0, 0);
    return;
  }
  rcuOnline(cpu);
  rcuAdvance(cpu);
}

/** An operation boundary: reports, and moves the epoch on as far as this CPU can. */
export function rcuBoundary(cpu: Cpu): void {
  rcuQuiescent(cpu);
  while (rcuAdvance(cpu)) rcuOnline(cpu);
}

/**
 * Tries one step of the epoch, if anybody waits for it; false: not wanted, or a CPU has yet to
 * report.
 */
export function rcuAdvance(cpu: Cpu): boolean {
  if (isAbstract) return false;
  const epoch = load(cpu, CONTROL.rcuEpoch);
  if (((peek(CONTROL.rcuWanted) - epoch) | 0) <= 0) return false;
  const { percpu, percpuWords, geometry } = boundMap();
  for (let id = 0; id < geometry.cpus; id++) {
    const seen = load(cpu, percpu + id * percpuWords + PERCPU.rcuSeen);
    if (seen !== epoch && seen !== IDLE) return false;
  }
  if (compareExchange(cpu, CONTROL.rcuEpoch, epoch, epoch + 1) !== epoch) return false;
  count(cpu, COUNTER.rcuGracePeriods, 1);
  poke(CONTROL.rcuEpochSince, nowUs());
  traceGraceOver(epoch + 1);
  wake(CONTROL.rcuEpoch);
  return true;
}

/**
 * Asks for a grace period that begins now; the epoch, or number of the request, by which
 * `rcuGraceIsOver` knows its end.
 */
export function rcuGraceEnd(cpu: Cpu): number {
  if (isAbstract) return abstractRequest(cpu);
  const end = load(cpu, CONTROL.rcuEpoch) + GRACE_EPOCHS;
  traceGraceWanted(end);
  quietMax(CONTROL.rcuWanted, end);
  return end;
}

/** Whether the grace period that `rcuGraceEnd` said ends at `end` is over. */
export function rcuGraceIsOver(cpu: Cpu, end: number): boolean {
  return isAbstract ? abstractIsOver(cpu, end) : ((load(cpu, CONTROL.rcuEpoch) - end) | 0) >= 0;
}

/** Waits for a grace period. Not inside a read section, not under a spinlock. */
export function synchronizeRcu(cpu: Cpu): void {
  mightSleep(cpu);
  if (peek(cpu.block + PERCPU.rcuNesting) !== 0)
    noteFact(cpu, FACT.rcuUnbalanced, peek(cpu.block + PERCPU.rcuNesting), 0, 0, 0, 0);
  const end = rcuGraceEnd(cpu);
  const idle = rcuIdleEnter(cpu);
  rcuAwaitEnd(cpu, end);
  if (idle) rcuIdleExit(cpu);
}

/**
 * Waits until the grace period that ends at `end` is over, helping it on; returns whether it was
 * not yet. The CPU is idle for RCU.
 */
export function rcuAwaitEnd(cpu: Cpu, end: number): boolean {
  if (isAbstract) return abstractAwait(cpu, end);
  let waited = false;
  for (;;) {
    const epoch = load(cpu, CONTROL.rcuEpoch);
    if (((epoch - end) | 0) >= 0) return waited;
    waited = true;
    if (!rcuAdvance(cpu)) waitUntilChanged(cpu, CONTROL.rcuEpoch, epoch);
  }
}

/**
 * Publishes the epoch that this CPU sees, until it is the present one. Where an old one was
 * published, a waiter may have found it, given up its step and gone to sleep on the epoch: then
 * this CPU takes that step.
 */
function report(cpu: Cpu): void {
  for (let published = false; ; published = true) {
    const epoch = load(cpu, CONTROL.rcuEpoch);
    store(cpu, cpu.block + PERCPU.rcuSeen, epoch); // @rcu-register
    if (load(cpu, CONTROL.rcuEpoch) === epoch && !(published && rcuAdvance(cpu))) return;
  }
}

function leave(cpu: Cpu): void {
  store(cpu, cpu.block + PERCPU.rcuSeen, IDLE);
  if (((peek(CONTROL.rcuWanted) - peek(CONTROL.rcuEpoch)) | 0) > 0) rcuAdvance(cpu);
}
