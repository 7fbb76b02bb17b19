/**
 * The queue lock of Mellor-Crummey and Scott (ACM TOCS 9(1), 1991): each waiter waits on a word of
 * its own, so that a release touches one cache line of one other CPU. The lock word names the last
 * node of the queue; a CPU has a few nodes, one per lock it waits for or holds.
 */

import type { Cpu } from '#arch/cpu';
import { waitUntilChanged } from '#arch/interrupts';
import { boundMap } from '#arena/arena';
import { MCS_DEPTH_MAX, MCS_NODE, PERCPU } from '#arena/layout/percpu';
import { compareExchange, exchange, load, peek, poke, store, storeAndWake } from '#arena/word';
import { assert } from '#base/assert';

export function mcsLock(cpu: Cpu, lockp: number): void {
  const node = takeNode(cpu, lockp);
  store(cpu, node + MCS_NODE.waiting, 1);
  const before = exchange(cpu, lockp, node);
  if (before === 0) return;
  storeAndWake(cpu, before + MCS_NODE.next, node);
  waitUntilChanged(cpu, node + MCS_NODE.waiting, 1); // @mcs-wait
}

export function mcsTrylock(cpu: Cpu, lockp: number): boolean {
  const node = takeNode(cpu, lockp);
  if (compareExchange(cpu, lockp, 0, node) === 0) return true;
  poke(node + MCS_NODE.lock, 0);
  return false;
}

export function mcsUnlock(cpu: Cpu, lockp: number): void {
  const node = heldNode(cpu, lockp);
  let next = load(cpu, node + MCS_NODE.next);
  if (next === 0 && compareExchange(cpu, lockp, node, 0) !== node) {
    // Somebody has queued behind us and is about to say so.
    waitUntilChanged(cpu, node + MCS_NODE.next, 0);
    next = load(cpu, node + MCS_NODE.next);
  }
  poke(node + MCS_NODE.lock, 0);
  if (next !== 0) storeAndWake(cpu, next + MCS_NODE.waiting, 0); // @mcs-handover
}

/** The CPU that owns the node at `node`; for whoever reports who holds a lock. */
export function mcsNodeOwner(node: number): number {
  const { percpu, percpuWords } = boundMap();
  return Math.floor((node - percpu) / percpuWords);
}

function takeNode(cpu: Cpu, lockp: number): number {
  for (let i = 0; i < MCS_DEPTH_MAX; i++) {
    const node = cpu.block + PERCPU.mcs + i * MCS_NODE.sizeWords;
    if (peek(node + MCS_NODE.lock) !== 0) continue;
    poke(node + MCS_NODE.lock, lockp);
    poke(node + MCS_NODE.next, 0);
    return node;
  }
  assert(false, `no more than ${MCS_DEPTH_MAX} queue locks at a time`);
  return 0;
}

function heldNode(cpu: Cpu, lockp: number): number {
  for (let i = 0; i < MCS_DEPTH_MAX; i++) {
    const node = cpu.block + PERCPU.mcs + i * MCS_NODE.sizeWords;
    if (peek(node + MCS_NODE.lock) === lockp) return node;
  }
  assert(false, 'a queue lock is released by its holder');
  return 0;
}
