/**
 * Interrupts between CPUs, and who must be interrupted.
 *
 * A CPU's mailbox is a count of interrupts asked for, which senders raise, and a count of those
 * served. It looks at points where its own code is ready for it: between two user accesses, when an
 * operation ends, while it waits. What an interrupt asks is always the same: carry out the TLB
 * flushes that this CPU has missed; their numbers say which (Linux's `tlb_gen`).
 *
 * Who flushes, and who comes back to the address space, each store first and look then: the flusher
 * numbers its flush and reads the others' `tlbState`; the other stores that it is active and reads
 * the number. At least one of the two sees the other.
 *
 * Where hardware broadcasts flushes nobody is interrupted for one. Each access of user code, and
 * each hardware walk, stores that it has begun and then catches up with the flushes; the flusher
 * numbers its flush and then waits for the accesses that have begun. Again one of the two sees the
 * other.
 */

import { boundMap } from '#arena/arena';
import { atLoad } from '#arena/at-load';
import { MM } from '#arena/layout/mm';
import { FLUSH_RECORD, PERCPU, TLB_STATE } from '#arena/layout/percpu';
import {
  add,
  compareExchange,
  kick,
  load,
  peek,
  poke,
  read,
  store,
  storeAndWake,
  waitWhile,
} from '#arena/word';
import { COUNTER, count } from '#trace/counters';
import { FACT, panic } from '#trace/fact';
import { traceWordWait, traceWordWaitEnd } from '#trace/tracing';
import type { Cpu } from './cpu.ts';
import { pwcFlushLocalRange, tlbFlushLocal, tlbFlushLocalRange } from './tlb.ts';

/** The number of a flush has its CPU's number in its low bits. */
const CPU_BITS = 7;
const CPU_MASK = (1 << CPU_BITS) - 1;

let broadcast = atLoad.settings.broadcast; // constant at load

/** `byHardware`: flushes are broadcast; else each CPU carries them out when it is interrupted. */
export function configureShootdown(byHardware: boolean): void {
  broadcast = byHardware;
}

/** Whether a flush reaches the other CPUs without interrupts. */
export function flushesAreBroadcast(): boolean {
  return broadcast;
}

/**
 * Where flushes are broadcast: this CPU is about to translate by what it remembers, or to walk;
 * until `endAccess`. Callers ask first (`flushesAreBroadcast`), so that elsewhere it costs nothing.
 */
export function beginAccess(cpu: Cpu): void {
  const at = cpu.block + PERCPU.accesses;
  store(cpu, at, (peek(at) + 1) | 0);
  carryOutFlushes(cpu); // @access-flush
}

export function endAccess(cpu: Cpu): void {
  const at = cpu.block + PERCPU.accesses;
  storeAndWake(cpu, at, (peek(at) + 1) | 0);
}

/** Waits until no other CPU is in an access that had begun before. */
export function waitForAccesses(cpu: Cpu): void {
  const { percpu, percpuWords, geometry } = boundMap();
  for (let id = 0; id < geometry.cpus; id++) {
    if (id === cpu.id) continue;
    const at = percpu + id * percpuWords + PERCPU.accesses;
    const seen = load(cpu, at);
    if ((seen & 1) !== 0) waitUntilChanged(cpu, at, seen);
  }
}

/** A point at which this CPU's code can be interrupted. */
export function interruptPoint(cpu: Cpu): void {
  const wanted = read(cpu, cpu.block + PERCPU.ipiWanted);
  if (wanted !== peek(cpu.block + PERCPU.ipiServed) && cpu.irqsOff === 0) serveInterrupts(cpu);
}

/** Interrupts wait from now on; sections nest, never sleep, and wait for nothing. */
export function localIrqDisable(cpu: Cpu): void {
  cpu.irqsOff++;
}

export function localIrqEnable(cpu: Cpu): void {
  cpu.irqsOff--;
  interruptPoint(cpu);
}

/**
 * Waits until the word `at` is no longer `seen`, serving interrupts meanwhile; not with interrupts
 * off, since those waited for may wait for this CPU.
 */
export function waitUntilChanged(cpu: Cpu, at: number, seen: number): void {
  if (cpu.irqsOff !== 0) panic(cpu, FACT.waitIrqsOff, cpu.irqsOff, 0, 0, 0, 0);
  traceWordWait(cpu, at);
  for (;;) {
    waitWhile(cpu, at, seen);
    if (peek(cpu.block + PERCPU.tlbState) === TLB_STATE.asleep) enterMm(cpu);
    interruptPoint(cpu);
    if (load(cpu, at) !== seen) break;
  }
  traceWordWaitEnd(cpu, at);
}

/** This CPU begins to use the address space: it must be told of flushes from now on. */
export function enterMm(cpu: Cpu): void {
  store(cpu, cpu.block + PERCPU.tlbState, TLB_STATE.active);
  carryOutFlushes(cpu); // @enter-mm-flush
}

/** It uses the address space no more, until it enters it again. */
export function leaveMm(cpu: Cpu): void {
  store(cpu, cpu.block + PERCPU.tlbState, TLB_STATE.out);
  interruptPoint(cpu);
}

/** It goes idle with the address space still loaded; `enterMm` ends that. */
export function enterLazyTlb(cpu: Cpu): void {
  store(cpu, cpu.block + PERCPU.tlbState, TLB_STATE.lazy);
  interruptPoint(cpu);
}

/**
 * Interrupts every CPU that uses the address space, the lazy ones only if `lazy`, and waits until
 * all have served. May be called with spinlocks held, since waiters for them serve interrupts; not
 * with interrupts off.
 */
export function interruptOthers(cpu: Cpu, lazy: boolean): void {
  if (cpu.irqsOff !== 0) panic(cpu, FACT.waitIrqsOff, cpu.irqsOff, 0, 0, 0, 0);
  const { percpu, percpuWords, geometry } = boundMap();
  let sent = 0;
  for (let id = 0; id < geometry.cpus; id++) {
    if (id === cpu.id) continue;
    const block = percpu + id * percpuWords;
    const state = load(cpu, block + PERCPU.tlbState);
    if (state !== TLB_STATE.active && !(lazy && state === TLB_STATE.lazy)) continue;
    cpu.ipiBlocks[sent] = block;
    cpu.ipiTickets[sent] = (add(cpu, block + PERCPU.ipiWanted, 1) + 1) | 0;
    kick(block);
    sent++;
  }
  if (sent === 0) return;
  count(cpu, COUNTER.ipisSent, sent);
  for (let i = 0; i < sent; i++) {
    waitUntilServed(cpu, cpu.ipiBlocks[i]!, cpu.ipiTickets[i]!); // @flush-wait
  }
}

/**
 * Numbers a flush of [start, end). Its record is complete before its number can be seen, and stands
 * until this CPU's next flush.
 */
export function numberFlush(
  cpu: Cpu,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
  freedTables: boolean,
): void {
  const tlbGen = boundMap().mm + MM.tlbGen;
  const at = cpu.block + PERCPU.flush;
  for (let latest = load(cpu, tlbGen); ; ) {
    const number = (((latest >>> CPU_BITS) + 1) << CPU_BITS) | cpu.id | 0;
    store(cpu, at + FLUSH_RECORD.number, number);
    poke(at + FLUSH_RECORD.startSlot, startSlot);
    poke(at + FLUSH_RECORD.startIndex, startIndex);
    poke(at + FLUSH_RECORD.endSlot, endSlot);
    poke(at + FLUSH_RECORD.endIndex, endIndex);
    poke(at + FLUSH_RECORD.freedTables, freedTables ? 1 : 0);
    const found = compareExchange(cpu, tlbGen, latest, number);
    if (found === latest) return;
    latest = found;
  }
}

/** Carries out what this CPU has missed: one flush by its range, more by dropping everything. */
export function carryOutFlushes(cpu: Cpu): void {
  const latest = load(cpu, boundMap().mm + MM.tlbGen);
  if (latest === cpu.tlbSeen) return;
  const missed = ((latest >>> CPU_BITS) - (cpu.tlbSeen >>> CPU_BITS)) | 0;
  if (missed !== 1 || !flushAsRecorded(cpu, latest)) tlbFlushLocal(cpu);
  cpu.tlbSeen = latest;
}

/** False: the record of flush `number` has been overwritten by the next of the same CPU. */
function flushAsRecorded(cpu: Cpu, number: number): boolean {
  const { percpu, percpuWords } = boundMap();
  const at = percpu + (number & CPU_MASK) * percpuWords + PERCPU.flush;
  if (load(cpu, at + FLUSH_RECORD.number) !== number) return false;
  const startSlot = peek(at + FLUSH_RECORD.startSlot);
  const startIndex = peek(at + FLUSH_RECORD.startIndex);
  const endSlot = peek(at + FLUSH_RECORD.endSlot);
  const endIndex = peek(at + FLUSH_RECORD.endIndex);
  const freedTables = peek(at + FLUSH_RECORD.freedTables) !== 0;
  if (load(cpu, at + FLUSH_RECORD.number) !== number) return false;
  tlbFlushLocalRange(cpu, startSlot, startIndex, endSlot, endIndex);
  if (freedTables) pwcFlushLocalRange(cpu, startSlot, endIndex === 0 ? endSlot : endSlot + 1);
  return true;
}

function serveInterrupts(cpu: Cpu): void {
  const wanted = load(cpu, cpu.block + PERCPU.ipiWanted);
  carryOutFlushes(cpu); // @serve-flush
  storeAndWake(cpu, cpu.block + PERCPU.ipiServed, wanted);
}

/** A CPU that has left the address space meanwhile need not be waited for. */
function waitUntilServed(cpu: Cpu, block: number, ticket: number): void {
  for (;;) {
    const served = load(cpu, block + PERCPU.ipiServed);
    if (((served - ticket) | 0) >= 0) return;
    if (load(cpu, block + PERCPU.tlbState) === TLB_STATE.out) return;
    waitUntilChanged(cpu, block + PERCPU.ipiServed, served);
  }
}
