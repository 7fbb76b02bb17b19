/**
 * VMAs: records in the arena, and the sorted map of those in use. Changes are made under the mmap
 * lock for writing, with the write lock of each VMA that changes; lookups for faults take neither.
 *
 * The map is double-buffered: a writer fills the idle one and flips. A lockless lookup may read a
 * map that is being refilled; whatever it finds it must lock and then check (`lockVmaUnderRcu`),
 * and VMA records are never anything but VMA records.
 */

import type { Cpu } from '#arch/cpu';
import { boundMap, ptrsMask, vmaAt } from '#arena/arena';
import { MM, VMA } from '#arena/layout/mm';
import { peek, poke, read, store, write } from '#arena/word';
import { assert } from '#base/assert';
import { rcuReadLock, rcuReadUnlock } from '#sync/rcu';
import { vmaReadTrylock, vmaReadUnlock, vmaWriteLock } from '#sync/vma-lock';
import { COUNTER, count } from '#trace/counters';
import { FACT, panic } from '#trace/fact';
import type { Mm } from './mm.ts';

/** Whether (slotA, indexA) lies before (slotB, indexB). */
export function isBefore(slotA: number, indexA: number, slotB: number, indexB: number): boolean {
  return slotA < slotB || (slotA === slotB && indexA < indexB);
}

/**
 * Whether VMA `vma` is in use and contains (slot, index). Stable only under a lock of the VMA or
 * mm.
 */
export function vmaCovers(cpu: Cpu, vma: number, slot: number, index: number): boolean {
  const at = vmaAt(vma);
  if (read(cpu, at + VMA.attached) === 0) return false;
  const startSlot = read(cpu, at + VMA.startSlot);
  const endSlot = read(cpu, at + VMA.endSlot);
  if (slot > startSlot && slot < endSlot) return true;
  return (
    !isBefore(slot, index, startSlot, read(cpu, at + VMA.startIndex)) &&
    isBefore(slot, index, endSlot, read(cpu, at + VMA.endIndex))
  );
}

/**
 * The VMA that contains (slot, index), locked for reading, or 0: there is none, or a writer is at
 * it. The VMA of the latest fault is tried first, without a look at the map.
 */
export function lockVmaUnderRcu(cpu: Cpu, mm: Mm, slot: number, index: number): number {
  const hint = cpu.vmaHint;
  if (hint !== 0 && lockIfCovers(cpu, mm, hint, slot, index)) return hint;
  rcuReadLock(cpu);
  const vma = findVma(cpu, mm, slot, index);
  const locked = vma !== 0 && lockIfCovers(cpu, mm, vma, slot, index);
  rcuReadUnlock(cpu);
  if (!locked) return 0;
  cpu.vmaHint = vma;
  return vma;
}

/** Locks first and looks then: what an unlocked record says may be of the past. */
function lockIfCovers(cpu: Cpu, mm: Mm, vma: number, slot: number, index: number): boolean {
  if (!vmaStartRead(cpu, mm, vma)) return false;
  if (vmaCovers(cpu, vma, slot, index)) return true;
  vmaEndRead(cpu, vma);
  return false;
}

export function vmaStartRead(cpu: Cpu, mm: Mm, vma: number): boolean {
  count(cpu, COUNTER.vmaLocks, 1);
  return vmaReadTrylock(cpu, vma, vmaAt(vma) + VMA.lockSeq, mm.lockSeq);
}

export function vmaEndRead(cpu: Cpu, vma: number): void {
  vmaReadUnlock(cpu, vma);
}

/** Locks a VMA for writing, until the mmap write lock ends. */
export function vmaStartWrite(cpu: Cpu, mm: Mm, vma: number): void {
  vmaWriteLock(cpu, vma, vmaAt(vma) + VMA.lockSeq, mm.lockSeq);
}

/** The VMA that contains (slot, index), or 0. Under the mmap lock, or as a guess to be checked. */
export function findVma(cpu: Cpu, mm: Mm, slot: number, index: number): number {
  const position = firstEndingAfter(cpu, mm, slot, index);
  const vma = vmaInMap(cpu, mm, position);
  return vma !== 0 && vmaCovers(cpu, vma, slot, index) ? vma : 0;
}

/** Position in the map of the first VMA that ends after (slot, index). */
export function firstEndingAfter(cpu: Cpu, mm: Mm, slot: number, index: number): number {
  const map = mapAt(cpu, mm);
  let low = 0;
  let high = read(cpu, map);
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = vmaAt(read(cpu, map + 1 + middle));
    if (isBefore(slot, index, read(cpu, at + VMA.endSlot), read(cpu, at + VMA.endIndex)))
      high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The VMA at `position` of the map, or 0 beyond its ends. */
export function vmaInMap(cpu: Cpu, mm: Mm, position: number): number {
  const map = mapAt(cpu, mm);
  return position < 0 || position >= read(cpu, map) ? 0 : read(cpu, map + 1 + position);
}

/** Whether VMA `vma`, whose lock or the mmap lock is held, begins before (slot, index). */
export function startsBefore(vma: number, slot: number, index: number): boolean {
  return isBefore(peek(vmaAt(vma) + VMA.startSlot), peek(vmaAt(vma) + VMA.startIndex), slot, index);
}

/** Whether nothing is mapped in [start, end); under the mmap lock. */
export function isFreeBetween(
  cpu: Cpu,
  mm: Mm,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): boolean {
  const vma = vmaInMap(cpu, mm, firstEndingAfter(cpu, mm, startSlot, startIndex));
  return vma === 0 || !startsBefore(vma, endSlot, endIndex);
}

/** Sets a VMA's bounds; under its write lock, or before it is in the map. */
export function setVmaBounds(
  cpu: Cpu,
  vma: number,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): void {
  const at = vmaAt(vma);
  write(cpu, at + VMA.startSlot, startSlot);
  write(cpu, at + VMA.startIndex, startIndex);
  write(cpu, at + VMA.endSlot, endSlot);
  write(cpu, at + VMA.endIndex, endIndex);
}

/**
 * For whoever goes by VMA `vma` for longer than the lock hold in which it was found: it must be in
 * the map still, or else it is used after it was freed.
 */
export function checkVma(cpu: Cpu, vma: number): void {
  const at = vmaAt(vma);
  if (peek(at + VMA.attached) === 0)
    panic(cpu, FACT.vmaGone, vma, peek(at + VMA.startSlot), 0, 0, 0);
}

/** By how many pages the offsets of VMA `vma` are beyond its addresses. */
export function vmaShift(vma: number): number {
  const at = vmaAt(vma);
  return peek(at + VMA.shiftSlots) * (ptrsMask() + 1) + peek(at + VMA.shiftIndex);
}

/** Says where VMA `vma`, which is write-locked, comes from: its `anon_vma`, and its shift. */
export function setVmaOrigin(vma: number, anonVma: number, shift: number): void {
  const ptrs = ptrsMask() + 1;
  const slots = Math.floor(shift / ptrs) | 0;
  poke(vmaAt(vma) + VMA.anonVma, anonVma);
  poke(vmaAt(vma) + VMA.shiftSlots, slots);
  poke(vmaAt(vma) + VMA.shiftIndex, (shift - slots * ptrs) | 0);
}

/**
 * A VMA record that is not in use, write-locked until the mmap write lock ends; nothing was written
 * there, and offsets are addresses.
 */
export function allocVma(cpu: Cpu, mm: Mm, flags: number): number {
  const { vmas } = boundMap().geometry;
  for (let vma = 1; vma < vmas; vma++) {
    if (peek(vmaAt(vma) + VMA.attached) !== 0) continue;
    vmaStartWrite(cpu, mm, vma);
    poke(vmaAt(vma) + VMA.flags, flags);
    setVmaOrigin(vma, 0, 0);
    return vma;
  }
  assert(false, `no more than ${vmas - 1} VMAs`);
  return 0;
}

/** Puts VMA `vma`, whose bounds are set, into the map. */
export function insertVma(cpu: Cpu, mm: Mm, vma: number): void {
  const at = vmaAt(vma);
  const position = firstEndingAfter(cpu, mm, peek(at + VMA.startSlot), peek(at + VMA.startIndex));
  write(cpu, at + VMA.attached, 1);
  rebuildMap(cpu, mm, position, vma);
}

/** Takes VMA `vma`, which is write-locked, out of the map. */
export function removeVma(cpu: Cpu, mm: Mm, vma: number): void {
  write(cpu, vmaAt(vma) + VMA.attached, 0);
  rebuildMap(cpu, mm, -1, vma);
}

/**
 * Fills the idle map with the present one, with `vma` inserted at `position` (-1: left out), and
 * flips.
 */
function rebuildMap(cpu: Cpu, mm: Mm, position: number, vma: number): void {
  const { vmaMaps, vmaMapWords } = boundMap();
  const next = 1 - peek(mm.at + MM.vmaMap);
  const from = mapAt(cpu, mm);
  const to = vmaMaps + next * vmaMapWords;
  const count = peek(from);
  let filled = 0;
  for (let i = 0; i <= count; i++) {
    if (i === position) poke(to + 1 + filled++, vma);
    if (i === count || (position === -1 && peek(from + 1 + i) === vma)) continue;
    poke(to + 1 + filled++, peek(from + 1 + i));
  }
  poke(to, filled);
  store(cpu, mm.at + MM.vmaMap, next);
}

function mapAt(cpu: Cpu, mm: Mm): number {
  const { vmaMaps, vmaMapWords } = boundMap();
  return vmaMaps + read(cpu, mm.at + MM.vmaMap) * vmaMapWords;
}
