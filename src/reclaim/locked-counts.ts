/**
 * P3, counts under the ptl, as posted in August 2022 (RFC "try to free empty and zero user PTE page
 * table pages", Qi Zheng). Each table counts its entries that are not none, and those that map the
 * zero page, with plain additions under the ptl; walkers do nothing. Under memory pressure somebody
 * goes through the whole address space under the mmap lock for reading, and where a count says that
 * a table is empty (or holds nothing but the zero page) takes that lock for writing, finds the pmd
 * again, and unhooks the table under the pml.
 *
 * As posted, much was missing, which the review said or time has shown; each can be chosen:
 * - the mmap lock stops neither rmap walkers (`rmapLocks`) nor faults under the VMA lock
 *   (`vmaLock`);
 * - the table was freed at once, with lockless walkers inside (`rcuFree`);
 * - counts were read without the ptl (`counts`);
 * - tables that several VMAs share were freed too, though each has locks of its own (`slots`), and
 *   tables of zero pages for which userfaultfd had answered (`zeroTables`);
 * - the flush did not say that tables go (`flush`);
 * - a zero page that takes the place of another entry was not counted (`transitions`).
 *
 * One mmap write hold per table blocks all faults for each; `batch` tables share a hold, a pml hold
 * and a flush. CPUs that reclaim at once share the work: each claims the next PMD table's reach.
 */

import { type Cpu, enterActor, leaveActor } from '#arch/cpu';
import { interruptPoint } from '#arch/interrupts';
import { type Pmdp, pmdTable, pmdTablePresent } from '#arch/pmd';
import { type Ptep, pteZeroPage } from '#arch/pte';
import { flushTlbRange } from '#arch/shootdown';
import { bodyAt, ptdescAt, ptrsMask, vmaAt } from '#arena/arena';
import { CONTROL } from '#arena/layout/control';
import { MM, VMA, VMA_FLAG } from '#arena/layout/mm';
import { PTDESC } from '#arena/layout/ptdesc';
import { compareExchange, load, peek } from '#arena/word';
import {
  type Mm,
  mmapReadLock,
  mmapReadUnlock,
  mmapWriteLock,
  mmapWriteUnlock,
  mmDecNrTables,
} from '#mm/mm';
import {
  lastChanger,
  noteCleared,
  pmdLock,
  pmdOffset,
  pmdpGet,
  pmdUnhook,
  pmdUnlock,
  pteClear,
  pteLockptr,
  ptepGet,
} from '#mm/pgtable';
import { pteFreeDefer, rcuOperationEnd } from '#mm/rcu-free';
import { HOOK } from '#mm/reclaim-protocol';
import { freeTable } from '#mm/table-alloc';
import { checkVma, findVma, firstEndingAfter, vmaInMap, vmaStartWrite } from '#mm/vma';
import { downWrite, upWrite } from '#sync/rwsem';
import { SINGLE_DEPTH_NESTING, spinLockNested, spinUnlock } from '#sync/spinlock';
import { COUNTER, count } from '#trace/counters';
import { countRace } from '#trace/race';
import { ACTOR, LOCK, RACE } from '#trace/vocabulary';
import { NoReclaim } from './none.ts';
import { countEntries, countsOf, mappedOf, resetCounts, zerosOf } from './table-counts.ts';
import { byVariant, type Options } from './variant.ts';

/** What the discussion found to choose; see above. */
interface LockedCountsChoices {
  readonly rmapLocks: boolean;
  readonly vmaLock: boolean;
  readonly rcuFree: boolean;
  readonly countsUnderPtl: boolean;
  readonly wholeSlots: boolean;
  readonly zeroTables: 'off' | 'on' | 'everywhere';
  readonly flushTables: boolean;
  readonly allTransitions: boolean;
  /** Lookups under the ptl do not look again, as before Linux 6.5. */
  readonly stableTables: boolean;
  readonly batch: number;
}

/** No limit: all tables below one PMD table. */
const WHOLE_REACH = 1 << 30;

/** VMAs in which userfaultfd is told of faults: what is populated there stays. */
const WATCHED = VMA_FLAG.uffdWp | VMA_FLAG.uffdMissing;

class LockedCounts extends NoReclaim {
  override readonly hooks: number;
  private readonly choices: LockedCountsChoices;

  constructor(choices: LockedCountsChoices) {
    super();
    this.choices = choices;
    const stable = choices.stableTables ? HOOK.stableTables : 0;
    this.hooks = HOOK.tables | HOOK.entries | HOOK.pressure | stable;
  }

  override tableConstruct(_cpu: Cpu, table: number): boolean {
    resetCounts(table);
    return true;
  }

  override entriesChanged(cpu: Cpu, table: number, entries: number, zeros: number): void {
    if (entries === 0 && zeros > 0 && !this.choices.allTransitions) return;
    countEntries(cpu, table, entries, zeros);
  }

  /**
   * Goes once around the address space, from where the last call ended to there, or as far as
   * others have not been there meanwhile.
   */
  override pressure(cpu: Cpu, mm: Mm): number {
    const before = enterActor(cpu, ACTOR.pressure);
    const began = load(cpu, CONTROL.pressureSlot);
    let reclaimed = 0;
    let around = false;
    for (let seen = began; ; ) {
      mmapReadLock(cpu, mm);
      const first = firstMappedSlot(cpu, mm, seen);
      mmapReadUnlock(cpu, mm);
      if (first < 0 && seen === 0) break;
      const end = first < 0 ? 0 : (first | ptrsMask()) + 1;
      const claimed = compareExchange(cpu, CONTROL.pressureSlot, seen, end) === seen;
      if (claimed) reclaimed += this.reclaimStretch(cpu, mm, first, end);
      const next = load(cpu, CONTROL.pressureSlot);
      if (next < seen && around) break;
      if (next < seen) around = true;
      if (around && next >= began) break;
      seen = next;
    }
    leaveActor(cpu, before);
    return reclaimed;
  }

  /** Reclaims the tables of [first, end), below one PMD table; returns how many. */
  private reclaimStretch(cpu: Cpu, mm: Mm, first: number, end: number): number {
    let reclaimed = 0;
    let vma = 0;
    for (let slot = first; slot < end; ) {
      mmapReadLock(cpu, mm);
      vma = firstVma(cpu, mm, slot); // @pressure-vma
      slot = this.nextCandidate(cpu, mm, vma, slot, end);
      mmapReadUnlock(cpu, mm);
      if (slot === end) break;
      slot = this.unhookBatch(cpu, mm, slot, end);
      reclaimed += this.freeBatch(cpu, mm);
    }
    rcuOperationEnd(cpu);
    return reclaimed;
  }

  /**
   * Walks from VMA `vma` on, VMA by VMA: the first slot from `first` on whose table may be
   * reclaimed, by its counts; else `end`.
   */
  private nextCandidate(cpu: Cpu, mm: Mm, vma: number, first: number, end: number): number {
    const zeros = this.choices.zeroTables !== 'off';
    let slot = first;
    for (let next = vma; next !== 0; next = firstVma(cpu, mm, slot)) {
      checkVma(cpu, next);
      slot = Math.max(slot, peek(vmaAt(next) + VMA.startSlot));
      for (const last = Math.min(end, slotAfter(next)); slot < last; slot++) {
        const pmdp = pmdOffset(cpu, mm, slot);
        if (pmdp === 0) return end;
        const pmdval = pmdpGet(cpu, pmdp);
        if (!pmdTablePresent(pmdval)) continue;
        if (isReclaimable(cpu, pmdTable(pmdval), zeros)) return slot;
      }
      if (slot >= end) break;
    }
    return end;
  }

  /**
   * Under one mmap write hold, unhooks what can be reclaimed in up to `batch` slots from `first` on
   * and notes it in `cpu.unhooked`; returns where to go on. Everything is found again: the VMA may
   * be another by now, or gone. Lock order: mmap, VMA, rmap, pml, ptl.
   */
  private unhookBatch(cpu: Cpu, mm: Mm, first: number, end: number): number {
    const { batch, wholeSlots, vmaLock, rmapLocks } = this.choices;
    cpu.unhookedCount = 0;
    let last = Math.min(end, first + batch);
    mmapWriteLock(cpu, mm);
    const vma = findVma(cpu, mm, first, 0);
    if (wholeSlots) last = vma === 0 ? first : Math.min(last, peek(vmaAt(vma) + VMA.endSlot));
    if (last > first && !(vma !== 0 && isHugetlb(vma))) {
      if (vmaLock && vma !== 0) vmaStartWrite(cpu, mm, vma);
      if (rmapLocks) downWrite(cpu, mm.at + MM.anonVma, LOCK.anonVma);
      this.unhookSlots(cpu, mm, first, last, this.reclaimsZeros(vma));
      if (rmapLocks) upWrite(cpu, mm.at + MM.anonVma);
    }
    mmapWriteUnlock(cpu, mm);
    return last > first ? last : first + 1;
  }

  private unhookSlots(cpu: Cpu, mm: Mm, first: number, last: number, zeros: boolean): void {
    const pmdp = pmdOffset(cpu, mm, first);
    if (pmdp === 0) return;
    const pml = pmdLock(cpu, mm, pmdp);
    for (let slot = first; slot < last; slot++)
      this.unhookSlot(cpu, mm, (pmdp + slot - first) as Pmdp, slot, pml, zeros);
    if (cpu.unhookedCount > 0) flushTlbRange(cpu, first, 0, last, 0, this.choices.flushTables);
    pmdUnlock(cpu, pml);
  }

  /** Unhooks the table of `slot` if its counts allow it; under the pml, which keeps the pmd. */
  private unhookSlot(
    cpu: Cpu,
    mm: Mm,
    pmdp: Pmdp,
    slot: number,
    pml: number,
    zeros: boolean,
  ): void {
    const pmdval = pmdpGet(cpu, pmdp);
    if (!pmdTablePresent(pmdval)) return;
    const table = pmdTable(pmdval);
    if (!isReclaimable(cpu, table, zeros)) return;
    const ptl = pteLockptr(mm, pmdval);
    const nested = this.choices.countsUnderPtl && ptl !== pml;
    if (nested) spinLockNested(cpu, ptl, LOCK.ptl, SINGLE_DEPTH_NESTING);
    const still = !nested || isReclaimable(cpu, table, zeros);
    if (still) {
      clearZeroPages(cpu, table);
      pmdUnhook(cpu, pmdp, table, slot);
      cpu.unhooked[cpu.unhookedCount++] = table;
    } else {
      countRace(cpu, RACE.refilled, lastChanger(table));
    }
    if (nested) spinUnlock(cpu, ptl, LOCK.ptl);
  }

  /** Frees what `unhookBatch` has unhooked; returns how many tables. */
  private freeBatch(cpu: Cpu, mm: Mm): number {
    const tables = cpu.unhookedCount;
    for (let i = 0; i < tables; i++) {
      mmDecNrTables(cpu, mm, 0);
      if (this.choices.rcuFree) pteFreeDefer(cpu, cpu.unhooked[i]!);
      else freeTable(cpu, cpu.unhooked[i]!);
      interruptPoint(cpu);
    }
    count(cpu, COUNTER.tablesReclaimed, tables);
    return tables;
  }

  /** Whether tables that hold nothing but the zero page may go from VMA `vma`. */
  private reclaimsZeros(vma: number): boolean {
    const { zeroTables } = this.choices;
    if (zeroTables !== 'on' || vma === 0) return zeroTables === 'everywhere';
    return (peek(vmaAt(vma) + VMA.flags) & WATCHED) === 0;
  }
}

/** `options`: as in the registry. */
export function makeLockedCounts(options: Options): LockedCounts {
  const isOn = (name: string): boolean => byVariant(options, name, 'on', 'off') === 'on';
  const zeroTables = byVariant(options, 'zeroTables', 'on', 'everywhere');
  return new LockedCounts({
    rmapLocks: isOn('rmapLocks'),
    vmaLock: isOn('vmaLock'),
    rcuFree: isOn('rcuFree'),
    countsUnderPtl: byVariant(options, 'counts', 'under-ptl', 'under-pml') === 'under-ptl',
    wholeSlots: byVariant(options, 'slots', 'within-vma', 'any') === 'within-vma',
    zeroTables: zeroTables as LockedCountsChoices['zeroTables'],
    flushTables: byVariant(options, 'flush', 'tables', 'pages') === 'tables',
    allTransitions: byVariant(options, 'transitions', 'all', 'as-posted') === 'all',
    stableTables: byVariant(options, 'rules', '6.5', '5.18') === '5.18',
    batch: Number(options['batch'] ?? 0) || (options['variant'] === 'as-posted' ? 1 : WHOLE_REACH),
  });
}

/** By the counts of `table`: all entries are none; or, with `zeros`, all map the zero page. */
function isReclaimable(cpu: Cpu, table: number, zeros: boolean): boolean {
  const counts = countsOf(cpu, table);
  const mapped = mappedOf(counts); // @pressure-mapped
  return mapped === 0 || (zeros && zerosOf(counts) === ptrsMask() + 1);
}

/** The zero page goes with the table that maps it: entries of it belong to nobody's rss. */
function clearZeroPages(cpu: Cpu, table: number): void {
  if (zerosOf(countsOf(cpu, table)) === 0) return;
  const first = bodyAt(peek(ptdescAt(table) + PTDESC.body));
  let cleared = 0;
  for (let place = first; place <= first + ptrsMask(); place++) {
    const ptep = place as Ptep;
    if (!pteZeroPage(ptepGet(cpu, ptep))) continue;
    pteClear(cpu, ptep);
    cleared++;
  }
  if (cleared > 0) noteCleared(cpu, table, cleared, cleared);
}

/** The first VMA that has a part at or after `slot`, or 0; under the mmap lock. */
function firstVma(cpu: Cpu, mm: Mm, slot: number): number {
  return vmaInMap(cpu, mm, firstEndingAfter(cpu, mm, slot, 0));
}

/** The first slot that VMA `vma` has no part of. */
function slotAfter(vma: number): number {
  const at = vmaAt(vma);
  return peek(at + VMA.endSlot) + (peek(at + VMA.endIndex) === 0 ? 0 : 1);
}

/** The first slot from `slot` on that a VMA touches, or -1; under the mmap lock. */
function firstMappedSlot(cpu: Cpu, mm: Mm, slot: number): number {
  const vma = firstVma(cpu, mm, slot);
  return vma === 0 ? -1 : Math.max(slot, peek(vmaAt(vma) + VMA.startSlot));
}

function isHugetlb(vma: number): boolean {
  return (peek(vmaAt(vma) + VMA.flags) & VMA_FLAG.hugetlb) !== 0;
}
