/**
 * Shared lists of free frames with a private cache per CPU (the kernel's pcp lists): a CPU takes
 * and returns frames in its own cache and goes to the shared list, under its lock, for a batch at a
 * time. Frames never used yet are handed out in order, so that nothing needs to be prepared at
 * boot.
 */

import type { Cpu } from '#arch/cpu';
import { peek, poke, read, write } from '#arena/word';
import { spinLock, spinUnlock } from '#sync/spinlock';
import { noteMemoryShort } from './truthful.ts';

/**
 * One kind of frames: the words of its shared list, its cache in a CPU's block, and where links go.
 */
export interface FreeList {
  readonly lock: number;
  readonly lockClass: number;
  readonly head: number;
  readonly fresh: number;
  /** One more than the highest frame number. */
  readonly limit: number;
  /** Offsets in a per-CPU block: number cached, and the cache. */
  readonly count: number;
  readonly cache: number;
  /** Frames moved at once; the cache holds twice as many. */
  readonly batch: number;
  /** Place of frame n's link word is `link + (n << linkShift)`. */
  readonly link: number;
  readonly linkShift: number;
}

/** A free frame of `list`, or 0 if there is none. */
export function takeFrame(cpu: Cpu, list: FreeList): number {
  let count = peek(cpu.block + list.count);
  if (count === 0) {
    refill(cpu, list);
    count = peek(cpu.block + list.count);
    if (count === 0) {
      noteMemoryShort(cpu);
      return 0;
    }
  }
  poke(cpu.block + list.count, count - 1);
  return peek(cpu.block + list.cache + count - 1);
}

/** Returns `frame` to `list`. */
export function putFrame(cpu: Cpu, list: FreeList, frame: number): void {
  const count = peek(cpu.block + list.count);
  poke(cpu.block + list.cache + count, frame);
  poke(cpu.block + list.count, count + 1);
  if (count + 1 >= 2 * list.batch) spill(cpu, list);
}

function refill(cpu: Cpu, list: FreeList): void {
  const { batch } = list;
  let count = 0;
  spinLock(cpu, list.lock, list.lockClass);
  let head = read(cpu, list.head);
  while (count < batch && head !== 0) {
    poke(cpu.block + list.cache + count++, head);
    head = peek(list.link + (head << list.linkShift));
  }
  write(cpu, list.head, head);
  if (count < batch) {
    let fresh = read(cpu, list.fresh);
    const from = fresh;
    while (count < batch && fresh < list.limit) {
      fresh++;
      count++;
    }
    // The lowest number is taken first, so that a CPU's frames lie in address order.
    for (let i = 0; i < fresh - from; i++) poke(cpu.block + list.cache + count - 1 - i, from + i);
    write(cpu, list.fresh, fresh);
  }
  spinUnlock(cpu, list.lock, list.lockClass);
  poke(cpu.block + list.count, count);
}

function spill(cpu: Cpu, list: FreeList): void {
  const { batch } = list;
  let count = peek(cpu.block + list.count);
  spinLock(cpu, list.lock, list.lockClass);
  let head = read(cpu, list.head);
  for (let i = 0; i < batch; i++) {
    const frame = peek(cpu.block + list.cache + --count);
    poke(list.link + (frame << list.linkShift), head);
    head = frame;
  }
  write(cpu, list.head, head);
  spinUnlock(cpu, list.lock, list.lockClass);
  poke(cpu.block + list.count, count);
}
