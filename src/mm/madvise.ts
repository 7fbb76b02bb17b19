/**
 * madvise: what a process says about its memory, each kind under the lock that Linux takes for it:
 *
 *     dontneed, free, guards    the per-VMA lock where one VMA contains the range (Linux 6.17 and
 *                               later), else the mmap lock for reading
 *     the flags for scanners    the mmap lock and the VMA locks for writing
 *     all others                the mmap lock for reading
 *
 * Parts of the range that no VMA maps are passed over; populating ends at the first of them.
 */

import { type Cpu, enterActor, leaveActor } from '#arch/cpu';
import { vmaAt } from '#arena/arena';
import { nowNs } from '#arena/clock';
import { VMA, VMA_FLAG } from '#arena/layout/mm';
import { read } from '#arena/word';
import { recordMadviseLatency } from '#trace/latency';
import { countRace } from '#trace/race';
import { ACTOR, RACE } from '#trace/vocabulary';
import { ADVISED, adviseTables } from './advise-tables.ts';
import { anonVmaPrepare } from './anon-vma.ts';
import { guardInstallRange } from './guard.ts';
import { type Mm, mmapReadLock, mmapReadUnlock, mmapWriteLock, mmapWriteUnlock } from './mm.ts';
import { tlbFinishMmu, tlbGatherMmu } from './mmu-gather.ts';
import { populateRange } from './populate.ts';
import { allowsAccess } from './protection.ts';
import { shrinkRange } from './shrink.ts';
import {
  findVma,
  firstEndingAfter,
  isBefore,
  lockVmaUnderRcu,
  vmaEndRead,
  vmaInMap,
} from './vma.ts';
import { changeVmaFlags } from './vma-flags.ts';
import { zapPageOfSlots, zapPageRangeSingle } from './zap-vma.ts';

/** Numbers of the kinds of advice, by the words of a scenario. */
export const MADV = {
  dontneed: 0,
  free: 1,
  'guard-install': 2,
  'guard-remove': 3,
  pageout: 4,
  cold: 5,
  willneed: 6,
  'populate-read': 7,
  'populate-write': 8,
  'pt-scan': 9,
  'no-pt-scan': 10,
} as const;

/**
 * Takes `advice` (a value of `MADV`) for [start, end), given as (slot, index) pairs. False: not for
 * all of it, because memory is short or (populate) a guard or the protection stands in the way.
 */
export function madvise(
  cpu: Cpu,
  mm: Mm,
  advice: number,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): boolean {
  if (advice <= MADV['guard-remove'])
    return underVmaLock(cpu, mm, advice, startSlot, startIndex, endSlot, endIndex);
  const before = enterActor(cpu, populates(advice) ? ACTOR.fault : ACTOR.madvise);
  let done = true;
  if (advice >= MADV['pt-scan']) {
    const [on, off] = scanFlags(advice);
    mmapWriteLock(cpu, mm);
    changeVmaFlags(cpu, mm, startSlot, startIndex, endSlot, endIndex, on, off);
    mmapWriteUnlock(cpu, mm);
  } else {
    mmapReadLock(cpu, mm);
    done = adviseByVma(cpu, mm, advice, startSlot, startIndex, endSlot, endIndex);
    mmapReadUnlock(cpu, mm);
  }
  leaveActor(cpu, before);
  return done;
}

export function madviseDontneed(
  cpu: Cpu,
  mm: Mm,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): void {
  underVmaLock(cpu, mm, MADV.dontneed, startSlot, startIndex, endSlot, endIndex);
}

/**
 * `process_madvise` with MADV_DONTNEED for a vector of pages: entry `index` of each of the slots
 * [startSlot, endSlot). Within one VMA all go into one gather, and one flush (Linux 6.16).
 */
export function processMadviseDontneed(
  cpu: Cpu,
  mm: Mm,
  startSlot: number,
  endSlot: number,
  index: number,
): void {
  if (startSlot >= endSlot) return;
  const before = enterActor(cpu, ACTOR.madvise);
  const since = nowNs();
  const vma = lockVmaUnderRcu(cpu, mm, startSlot, index);
  if (vma !== 0 && !endsBefore(cpu, vma, endSlot - 1, index + 1)) {
    zapPageOfSlots(cpu, mm, vma, startSlot, endSlot, index);
    vmaEndRead(cpu, vma);
    recordMadviseLatency(cpu, since);
  } else {
    if (vma !== 0) vmaEndRead(cpu, vma);
    for (let slot = startSlot; slot < endSlot; slot++)
      madviseDontneed(cpu, mm, slot, index, slot, index + 1);
  }
  leaveActor(cpu, before);
}

function underVmaLock(
  cpu: Cpu,
  mm: Mm,
  advice: number,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): boolean {
  const before = enterActor(cpu, ACTOR.madvise);
  const since = nowNs();
  let done: boolean;
  const vma = lockVmaUnderRcu(cpu, mm, startSlot, startIndex);
  if (vma !== 0 && !endsBefore(cpu, vma, endSlot, endIndex)) {
    done = adviseVma(cpu, mm, advice, vma, startSlot, startIndex, endSlot, endIndex);
    vmaEndRead(cpu, vma);
  } else {
    if (vma !== 0) vmaEndRead(cpu, vma);
    mmapReadLock(cpu, mm);
    if (vma === 0 && findVma(cpu, mm, startSlot, startIndex) !== 0)
      countRace(cpu, RACE.vmaLockFallback, ACTOR.munmap);
    done = adviseByVma(cpu, mm, advice, startSlot, startIndex, endSlot, endIndex);
    mmapReadUnlock(cpu, mm);
  }
  recordMadviseLatency(cpu, since);
  leaveActor(cpu, before);
  return done;
}

function adviseByVma(
  cpu: Cpu,
  mm: Mm,
  advice: number,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): boolean {
  const endsAtHole = populates(advice);
  let doneSlot = startSlot;
  let doneIndex = startIndex;
  for (let i = firstEndingAfter(cpu, mm, startSlot, startIndex); ; i++) {
    const vma = vmaInMap(cpu, mm, i);
    if (vma === 0) return !endsAtHole || !isBefore(doneSlot, doneIndex, endSlot, endIndex);
    const at = vmaAt(vma);
    let fromSlot = read(cpu, at + VMA.startSlot);
    let fromIndex = read(cpu, at + VMA.startIndex);
    const isHole = isBefore(doneSlot, doneIndex, fromSlot, fromIndex);
    if (isHole && endsAtHole) return !isBefore(doneSlot, doneIndex, endSlot, endIndex);
    if (!isBefore(fromSlot, fromIndex, endSlot, endIndex)) return true;
    if (isBefore(fromSlot, fromIndex, startSlot, startIndex)) {
      fromSlot = startSlot;
      fromIndex = startIndex;
    }
    let toSlot = endSlot;
    let toIndex = endIndex;
    if (endsBefore(cpu, vma, endSlot, endIndex)) {
      toSlot = read(cpu, at + VMA.endSlot);
      toIndex = read(cpu, at + VMA.endIndex);
    }
    if (!adviseVma(cpu, mm, advice, vma, fromSlot, fromIndex, toSlot, toIndex)) return false;
    doneSlot = toSlot;
    doneIndex = toIndex;
  }
}

/** The part [start, end), which lies in VMA `vma`. */
function adviseVma(
  cpu: Cpu,
  mm: Mm,
  advice: number,
  vma: number,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): boolean {
  switch (advice) {
    case MADV.dontneed:
      zapPageRangeSingle(cpu, mm, vma, startSlot, startIndex, endSlot, endIndex, true);
      return true;
    case MADV.free:
    case MADV.cold: {
      const what = advice === MADV.free ? ADVISED.free : ADVISED.cold;
      tlbGatherMmu(cpu, mm);
      adviseTables(cpu, mm, what, startSlot, startIndex, endSlot, endIndex);
      tlbFinishMmu(cpu, mm);
      return true;
    }
    case MADV['guard-install']:
      anonVmaPrepare(mm, vma);
      return guardInstallRange(cpu, mm, vma, startSlot, startIndex, endSlot, endIndex);
    case MADV['guard-remove']:
      return adviseTables(cpu, mm, ADVISED.guardRemove, startSlot, startIndex, endSlot, endIndex);
    case MADV.pageout:
      shrinkRange(cpu, mm, startSlot, startIndex, endSlot, endIndex);
      return true;
    case MADV.willneed:
      adviseTables(cpu, mm, ADVISED.swapin, startSlot, startIndex, endSlot, endIndex);
      return true;
    default: {
      const write = advice === MADV['populate-write'];
      if (!allowsAccess(cpu, vma, write)) return false;
      if (write) anonVmaPrepare(mm, vma);
      return populateRange(cpu, mm, startSlot, startIndex, endSlot, endIndex, write);
    }
  }
}

function populates(advice: number): boolean {
  return advice === MADV['populate-read'] || advice === MADV['populate-write'];
}

function endsBefore(cpu: Cpu, vma: number, slot: number, index: number): boolean {
  const at = vmaAt(vma);
  return isBefore(read(cpu, at + VMA.endSlot), read(cpu, at + VMA.endIndex), slot, index);
}

/** Flags that the advice to or against scanners sets, and those that it clears. */
function scanFlags(advice: number): readonly [on: number, off: number] {
  const { ptScan, noPtScan } = VMA_FLAG;
  return advice === MADV['pt-scan'] ? [ptScan, noPtScan] : [noPtScan, ptScan];
}
