/**
 * Splitting and merging VMAs, after mm/vma.c. Under the mmap lock for writing.
 *
 * Two neighbours are one if their flags are the same, their offsets go on from the one to the
 * other, and they do not have two `anon_vma`s: what was never written to may join what was. Where
 * a new mapping fits to both sides, but these have two, it joins the left one.
 *
 * A split leaves both halves what they were, and so does unmapping a part.
 */
import type { Cpu } from '#arch/cpu';
import { vmaAt } from '#arena/arena';
import { VMA } from '#arena/layout/mm';
import { peek, poke, write } from '#arena/word';
import type { Mm } from './mm.ts';
import {
  allocVma,
  firstEndingAfter,
  insertVma,
  removeVma,
  setVmaBounds,
  setVmaOrigin,
  vmaCovers,
  vmaInMap,
  vmaShift,
  vmaStartWrite,
} from './vma.ts';

/** What a mapping is, beside its place. */
export interface Mapping {
  readonly flags: number;
  readonly anonVma: number;
  /** See `vmaShift`. */
  readonly shift: number;
}

/** Sides on which a new mapping may merge, as bits. */
export const MERGE = { left: 1, right: 2, both: 3 } as const;

/** Maps [start, end), where nothing is mapped; it merges with neighbours on `sides`. */
export function mapRange(
  cpu: Cpu,
  mm: Mm,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
  mapping: Mapping,
  sides: number,
): void {
  const position = firstEndingAfter(cpu, mm, startSlot, startIndex);
  const previous = vmaInMap(cpu, mm, position - 1);
  const next = vmaInMap(cpu, mm, position);
  const mergesLeft =
    (sides & MERGE.left) !== 0 &&
    previous !== 0 &&
    endsAt(previous, startSlot, startIndex) &&
    isLike(previous, mapping);
  const mergesRight =
    (sides & MERGE.right) !== 0 &&
    next !== 0 &&
    startsAt(next, endSlot, endIndex) &&
    isLike(next, mapping) &&
    (!mergesLeft || areCompatible(anonVmaOf(previous), anonVmaOf(next)));
  let { anonVma } = mapping;
  let untilSlot = endSlot;
  let untilIndex = endIndex;
  if (mergesRight) {
    vmaStartWrite(cpu, mm, next);
    untilSlot = peek(vmaAt(next) + VMA.endSlot);
    untilIndex = peek(vmaAt(next) + VMA.endIndex);
    removeVma(cpu, mm, next);
    anonVma ||= anonVmaOf(next);
  }
  if (mergesLeft) {
    vmaStartWrite(cpu, mm, previous);
    write(cpu, vmaAt(previous) + VMA.endSlot, untilSlot);
    write(cpu, vmaAt(previous) + VMA.endIndex, untilIndex);
    inheritAnonVma(previous, anonVma);
  } else {
    const vma = allocVma(cpu, mm, mapping.flags);
    setVmaOrigin(vma, anonVma, mapping.shift);
    setVmaBounds(cpu, vma, startSlot, startIndex, untilSlot, untilIndex);
    insertVma(cpu, mm, vma);
  }
}

/** Makes (slot, index) a boundary, if it lies within a VMA. */
export function splitAt(cpu: Cpu, mm: Mm, slot: number, index: number): void {
  const vma = vmaInMap(cpu, mm, firstEndingAfter(cpu, mm, slot, index));
  if (vma === 0 || !vmaCovers(cpu, vma, slot, index)) return;
  if (startsAt(vma, slot, index)) return;
  const at = vmaAt(vma);
  vmaStartWrite(cpu, mm, vma);
  const tail = allocLike(cpu, mm, vma);
  setVmaBounds(cpu, tail, slot, index, peek(at + VMA.endSlot), peek(at + VMA.endIndex));
  write(cpu, at + VMA.endSlot, slot);
  write(cpu, at + VMA.endIndex, index);
  insertVma(cpu, mm, tail);
}

/** Merges the VMA at `position` of the map into the one before it, if they can be one. */
export function mergedIntoPrevious(cpu: Cpu, mm: Mm, position: number): boolean {
  const previous = vmaInMap(cpu, mm, position - 1);
  const vma = vmaInMap(cpu, mm, position);
  const [at, to] = [vmaAt(vma), vmaAt(previous)];
  if (!startsAt(vma, peek(to + VMA.endSlot), peek(to + VMA.endIndex))) return false;
  if (!isLike(vma, mappingOf(previous))) return false;
  vmaStartWrite(cpu, mm, previous);
  vmaStartWrite(cpu, mm, vma);
  removeVma(cpu, mm, vma);
  write(cpu, to + VMA.endSlot, peek(at + VMA.endSlot));
  write(cpu, to + VMA.endIndex, peek(at + VMA.endIndex));
  inheritAnonVma(previous, anonVmaOf(vma));
  return true;
}

/** A VMA record that is not in use, the same as `vma` in all but its bounds. */
export function allocLike(cpu: Cpu, mm: Mm, vma: number): number {
  const { flags, anonVma, shift } = mappingOf(vma);
  const other = allocVma(cpu, mm, flags);
  setVmaOrigin(other, anonVma, shift);
  return other;
}

/** What VMA `vma` is, beside its place. */
export function mappingOf(vma: number): Mapping {
  return { flags: peek(vmaAt(vma) + VMA.flags), anonVma: anonVmaOf(vma), shift: vmaShift(vma) };
}

/** The merged VMA is one that was written to, if either was. */
function inheritAnonVma(vma: number, anonVma: number): void {
  if (anonVmaOf(vma) === 0) poke(vmaAt(vma) + VMA.anonVma, anonVma);
}

function isLike(vma: number, { flags, anonVma, shift }: Mapping): boolean {
  if (peek(vmaAt(vma) + VMA.flags) !== flags || vmaShift(vma) !== shift) return false;
  return areCompatible(anonVmaOf(vma), anonVma);
}

function areCompatible(a: number, b: number): boolean {
  return a === b || a === 0 || b === 0;
}

function anonVmaOf(vma: number): number {
  return peek(vmaAt(vma) + VMA.anonVma);
}

function startsAt(vma: number, slot: number, index: number): boolean {
  const at = vmaAt(vma);
  return peek(at + VMA.startSlot) === slot && peek(at + VMA.startIndex) === index;
}

function endsAt(vma: number, slot: number, index: number): boolean {
  const at = vmaAt(vma);
  return peek(at + VMA.endSlot) === slot && peek(at + VMA.endIndex) === index;
}
