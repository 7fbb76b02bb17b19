/**
 * P5, the asynchronous scanner of June 2024 (RFC "asynchronously scan and free empty user PTE
 * pages", Qi Zheng): every `delay` the mm's tables are scanned for `size` of address space, by a
 * task on its way back to user space or by a kernel thread, and those found empty are unhooked
 * under pml and ptl and freed by RCU.
 *
 * A fault that mapped the table earlier re-reads the pmd after it gets the ptl; the scanner clears
 * the pmd within its own hold of the ptl, and re-reads it under both locks, since the table it
 * mapped may have been replaced. Passed over: hugetlb, VM_HUGEPAGE and userfaultfd-wp VMAs, and
 * slots that no single VMA contains.
 */

import { type Cpu, enterActor } from '#arch/cpu';
import { pmdSame, pmdTable } from '#arch/pmd';
import { flushTlbRange } from '#arch/shootdown';
import { vmaAt } from '#arena/arena';
import { nowMs } from '#arena/clock';
import { CONTROL } from '#arena/layout/control';
import { VMA, VMA_FLAG } from '#arena/layout/mm';
import { compareExchange, load, peek, poke } from '#arena/word';
import { type Mm, mmapReadTrylock, mmapReadUnlock, mmDecNrTables } from '#mm/mm';
import { lastChanger, pmdLock, pmdOffset, pmdpGet, pmdUnhook, pmdUnlock } from '#mm/pgtable';
import { pteOffsetMapRwNolock, pteUnmap } from '#mm/pte-offset-map';
import { pteFreeDefer } from '#mm/rcu-free';
import { HOOK } from '#mm/reclaim-protocol';
import { tableIsEmpty, tableLooksEmpty } from '#mm/table-scan';
import { firstEndingAfter, vmaInMap } from '#mm/vma';
import { rcuQuiescent, rcuReadUnlock } from '#sync/rcu';
import { SINGLE_DEPTH_NESTING, spinLockNested, spinUnlock } from '#sync/spinlock';
import { COUNTER, count } from '#trace/counters';
import { countRace } from '#trace/race';
import { ACTOR, LOCK, RACE } from '#trace/vocabulary';
import { NoReclaim } from './none.ts';

const FILTERED = VMA_FLAG.hugetlb | VMA_FLAG.hugepage | VMA_FLAG.uffdWp;

export class AsyncScanner extends NoReclaim {
  override readonly hooks: number;

  /** `taskWork`: tasks scan on return to user space; else a kernel thread calls `scan`. */
  constructor(taskWork: boolean) {
    super();
    this.hooks = HOOK.scan | (taskWork ? HOOK.userReturn : 0);
  }

  /** Task work: whoever moves the time of the next scan on does the scan. */
  override userReturn(cpu: Cpu, mm: Mm): void {
    const due = peek(CONTROL.scanNext);
    const now = nowMs();
    if (((now - due) | 0) < 0) return;
    const next = (now + peek(CONTROL.scanDelay)) | 0;
    if (compareExchange(cpu, CONTROL.scanNext, due, next) !== due) return;
    this.scan(cpu, mm, peek(CONTROL.scanSlots));
  }

  override scan(cpu: Cpu, mm: Mm, slots: number): number {
    if (!mmapReadTrylock(cpu, mm)) return -1;
    const before = enterActor(cpu, ACTOR.scanner);
    const unhooked = scanVmas(cpu, mm, slots);
    count(cpu, COUNTER.scanPasses, 1);
    enterActor(cpu, before);
    mmapReadUnlock(cpu, mm);
    return unhooked;
  }
}

/** Scans up to `slots` slots from the stored offset on, and stores where to go on. */
function scanVmas(cpu: Cpu, mm: Mm, slots: number): number {
  let left = slots;
  let unhooked = 0;
  let slot = load(cpu, CONTROL.scanOffset);
  let position = firstEndingAfter(cpu, mm, slot, 0);
  if (vmaInMap(cpu, mm, position) === 0) {
    slot = 0;
    position = 0;
  }
  for (let i = position; left > 0; i++) {
    const vma = vmaInMap(cpu, mm, i);
    if (vma === 0) {
      slot = 0;
      break;
    }
    const at = vmaAt(vma);
    const first = peek(at + VMA.startSlot) + (peek(at + VMA.startIndex) === 0 ? 0 : 1);
    const end = peek(at + VMA.endSlot);
    if (slot < first) slot = first;
    if ((peek(at + VMA.flags) & FILTERED) !== 0) slot = end;
    for (; slot < end && left > 0; slot++, left--) {
      unhooked += scanSlot(cpu, mm, slot);
      rcuQuiescent(cpu);
    }
  }
  poke(CONTROL.scanOffset, slot);
  return unhooked;
}

/**
 * Unhooks and defers the table of `slot` if it is empty; returns how many. Lock order: pml, then
 * ptl.
 */
function scanSlot(cpu: Cpu, mm: Mm, slot: number): number {
  const pmdp = pmdOffset(cpu, mm, slot);
  if (pmdp === 0) return 0;
  const ptep = pteOffsetMapRwNolock(cpu, mm, pmdp, slot, 0);
  if (ptep === 0) return 0;
  count(cpu, COUNTER.scanTables, 1);
  const { ptl, pmdval } = cpu;
  const table = pmdTable(pmdval);
  const looked = tableLooksEmpty(table);
  const pml = pmdLock(cpu, mm, pmdp);
  const nested = ptl !== pml; // @scan-ptl
  if (nested) spinLockNested(cpu, ptl, LOCK.ptl, SINGLE_DEPTH_NESTING);
  const hooked = pmdSame(pmdval, pmdpGet(cpu, pmdp)); // @scan-recheck-pmd
  if (!hooked) countRace(cpu, RACE.pmdChanged, lastChanger(table));
  const empty = hooked && tableIsEmpty(cpu, table); // @scan-empty
  if (hooked && looked && !empty) countRace(cpu, RACE.refilled, lastChanger(table));
  if (empty) {
    pmdUnhook(cpu, pmdp, table, slot);
    flushTlbRange(cpu, slot, 0, slot + 1, 0, true); // @scan-flush
  }
  if (nested) spinUnlock(cpu, ptl, LOCK.ptl);
  pmdUnlock(cpu, pml);
  if (empty) rcuReadUnlock(cpu);
  else pteUnmap(cpu, mm, pmdp, slot, pmdval);
  if (!empty) return 0;
  mmDecNrTables(cpu, mm, 0); // @scan-dec-nr-ptes
  count(cpu, COUNTER.tablesReclaimed, 1);
  pteFreeDefer(cpu, table);
  return 1;
}
