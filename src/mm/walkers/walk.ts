/**
 * The walkers: everything that goes through page tables and is neither a fault nor a zap. Each
 * takes the locks that Linux takes for it, and goes VMA by VMA and table by table through its
 * range:
 *
 *     smaps, pagemap, mincore, migrate, numa,   mmap lock for reading
 *     ksm, uffd-copy, uffd-zeropage, uffd-wp
 *     mprotect, fork                            mmap lock and VMA locks for writing
 *     gup                                       mmap lock for reading, page by page
 *     gup-fast                                  none: interrupts off; else as gup
 *     gup-fast-only                             none: interrupts off; else not at all
 *     perf                                      none: interrupts off
 */
import { type Cpu, enterActor, leaveActor } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import { pmdNone } from '#arch/pmd';
import { ptrsMask, vmaAt } from '#arena/arena';
import { VMA, VMA_FLAG } from '#arena/layout/mm';
import { peek, read } from '#arena/word';
import { rcuQuiescent } from '#sync/rcu';
import { ACTOR } from '#trace/vocabulary';
import { anonVmaPrepare } from '../anon-vma.ts';
import { changePteRange, PROT_NUMA } from '../change-protection.ts';
import { copyPteRange } from '../fork.ts';
import { GUP, getUserPages } from '../gup-fast.ts';
import { ksmPteRange } from '../ksm.ts';
import { migratePteRange } from '../migrate.ts';
import { type Mm, mmapReadLock, mmapReadUnlock, mmapWriteLock, mmapWriteUnlock } from '../mm.ts';
import { pmdOffset, pmdpGet } from '../pgtable.ts';
import { PROTECTION } from '../protection.ts';
import { pmdAlloc } from '../pte-alloc.ts';
import { boundProtocol, HOOK, hasHook } from '../reclaim-protocol.ts';
import { mfillAtomic, uffdWpRange } from '../userfaultfd.ts';
import { firstEndingAfter, isBefore, vmaInMap, vmaStartWrite } from '../vma.ts';
import { perfSampleRange } from './perf.ts';
import { mincorePteRange, pagemapPmdRange, smapsPteRange } from './read-only.ts';

/** Numbers of the walkers. */
export const WALKER = {
  smaps: 0,
  pagemap: 1,
  mincore: 2,
  mprotect: 3,
  migrate: 4,
  numa: 5,
  'uffd-copy': 6,
  'uffd-zeropage': 7,
  'uffd-wp': 8,
  fork: 9,
  gup: 10,
  'gup-fast': 11,
  ksm: 12,
  'gup-fast-only': 13,
  perf: 14,
} as const;

/** The second half of mprotect, which gives the right to write back. */
const RESTORE = 15;
/** VMAs in which what is none can be remembered as write-protected. */
const WP_MARKED = VMA_FLAG.uffdWp | VMA_FLAG.shared;

/**
 * One walk of [start, end), given as (slot, index) pairs, by `walker` (a value of `WALKER`).
 * Returns the number of entries that it found, changed or referenced.
 */
export function walkRange(
  cpu: Cpu,
  mm: Mm,
  walker: number,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): number {
  const ways = waysOf(walker);
  const before = enterActor(cpu, ways !== 0 ? ACTOR.gup : ACTOR.walker);
  let entries = 0;
  if (ways !== 0) {
    entries = getUserPages(cpu, mm, startSlot, startIndex, endSlot, endIndex, ways);
  } else if (walker === WALKER.perf) {
    entries = perfSampleRange(cpu, mm, startSlot, startIndex, endSlot, endIndex);
  } else if (walker === WALKER.mprotect || walker === WALKER.fork) {
    mmapWriteLock(cpu, mm);
    entries = walkVmas(cpu, mm, walker, startSlot, startIndex, endSlot, endIndex, true);
    if (walker === WALKER.mprotect)
      walkVmas(cpu, mm, RESTORE, startSlot, startIndex, endSlot, endIndex, true);
    mmapWriteUnlock(cpu, mm);
  } else {
    mmapReadLock(cpu, mm);
    entries = walkVmas(cpu, mm, walker, startSlot, startIndex, endSlot, endIndex, false);
    mmapReadUnlock(cpu, mm);
  }
  leaveActor(cpu, before);
  return entries;
}

/** By which ways (bits of `GUP`) `walker` references pages; 0: it does not. */
function waysOf(walker: number): number {
  switch (walker) {
    case WALKER.gup:
      return GUP.slow;
    case WALKER['gup-fast']:
      return GUP.fast | GUP.slow;
    case WALKER['gup-fast-only']:
      return GUP.fast;
    default:
      return 0;
  }
}

/** The parts of the range that VMAs map; `writes`: each is write-locked before it is walked. */
function walkVmas(
  cpu: Cpu,
  mm: Mm,
  walker: number,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
  writes: boolean,
): number {
  let entries = 0;
  for (let i = firstEndingAfter(cpu, mm, startSlot, startIndex); ; i++) {
    const vma = vmaInMap(cpu, mm, i);
    if (vma === 0) return entries;
    const at = vmaAt(vma);
    let fromSlot = read(cpu, at + VMA.startSlot);
    let fromIndex = read(cpu, at + VMA.startIndex);
    if (!isBefore(fromSlot, fromIndex, endSlot, endIndex)) return entries;
    if (isBefore(fromSlot, fromIndex, startSlot, startIndex)) {
      fromSlot = startSlot;
      fromIndex = startIndex;
    }
    let toSlot = read(cpu, at + VMA.endSlot);
    let toIndex = read(cpu, at + VMA.endIndex);
    if (isBefore(endSlot, endIndex, toSlot, toIndex)) {
      toSlot = endSlot;
      toIndex = endIndex;
    }
    if (writes) vmaStartWrite(cpu, mm, vma); // @walk-vma-write
    entries += walkPageRange(cpu, mm, vma, walker, fromSlot, fromIndex, toSlot, toIndex);
  }
}

/** The tables of [start, end), which lies in VMA `vma`. */
function walkPageRange(
  cpu: Cpu,
  mm: Mm,
  vma: number,
  walker: number,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): number {
  const mask = ptrsMask();
  const lastSlot = endIndex === 0 ? endSlot - 1 : endSlot;
  const populates = isPopulating(vma, walker);
  let entries = 0;
  for (let slot = startSlot; slot <= lastSlot; ) {
    // Slots below one PMD table: one walk.
    const lastOfWalk = Math.min(slot | mask, lastSlot);
    if (hasHook(HOOK.walks)) boundProtocol().walkBegin(cpu, mm, slot);
    const walked = slot;
    for (; slot <= lastOfWalk; slot++) {
      const pmdp = populates ? pmdAlloc(cpu, mm, slot) : pmdOffset(cpu, mm, slot);
      // Where an upper entry is none, so are all that it would lead to.
      if (pmdp === 0) slot = lastOfWalk;
      else if (populates || !pmdNone(pmdpGet(cpu, pmdp))) {
        const first = slot === startSlot ? startIndex : 0;
        const end = slot === endSlot ? endIndex : mask + 1;
        entries += Math.max(0, walkTable(cpu, mm, vma, walker, pmdp, slot, first, end));
        rcuQuiescent(cpu);
      }
    }
    if (hasHook(HOOK.walks)) boundProtocol().walkEnd(cpu, mm, walked);
  }
  return entries;
}

/** Whether the walker allocates tables where there are none. */
function isPopulating(vma: number, walker: number): boolean {
  return (
    walker === WALKER['uffd-copy'] ||
    walker === WALKER['uffd-zeropage'] ||
    (walker === WALKER['uffd-wp'] && isMarked(vma))
  );
}

function isMarked(vma: number): boolean {
  return (peek(vmaAt(vma) + VMA.flags) & WP_MARKED) === WP_MARKED;
}

function walkTable(
  cpu: Cpu,
  mm: Mm,
  vma: number,
  walker: number,
  pmdp: Pmdp,
  slot: number,
  first: number,
  end: number,
): number {
  switch (walker) {
    case WALKER.smaps:
      return smapsPteRange(cpu, mm, pmdp, slot, first, end);
    case WALKER.pagemap:
      return pagemapPmdRange(cpu, mm, pmdp, slot, first, end);
    case WALKER.mincore:
      return mincorePteRange(cpu, mm, pmdp, slot, first, end);
    case WALKER.mprotect:
    case RESTORE: {
      const protection = walker === RESTORE ? PROTECTION.write : PROTECTION.read;
      if ((peek(vmaAt(vma) + VMA.flags) & VMA_FLAG.noWrite) !== 0) return 0;
      return changePteRange(cpu, mm, pmdp, slot, first, end, protection);
    }
    case WALKER.migrate:
      return migratePteRange(cpu, mm, pmdp, slot, first, end);
    case WALKER.numa:
      return changePteRange(cpu, mm, pmdp, slot, first, end, PROT_NUMA);
    case WALKER.ksm:
      return ksmPteRange(cpu, mm, pmdp, slot, first, end);
    case WALKER['uffd-wp']:
      return uffdWpRange(cpu, mm, pmdp, slot, first, end, isMarked(vma));
    case WALKER.fork:
      return copyPteRange(cpu, mm, pmdp, slot, first, end);
    default:
      anonVmaPrepare(mm, vma);
      cpu.vmaFlags = peek(vmaAt(vma) + VMA.flags);
      return mfillAtomic(cpu, mm, pmdp, slot, first, end, walker === WALKER['uffd-zeropage']);
  }
}
