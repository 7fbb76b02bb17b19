/**
 * P5, the asynchronous scanner of June 2024 (RFC "asynchronously scan and free empty user PTE
 * pages", Qi Zheng): every `delay` the mm's tables are scanned for `size` of address space, by a
 * task on its way back to user space or by a kernel thread, and those found empty are unhooked
 * under pml and ptl and freed by RCU (unhook-empty.ts says why that is safe).
 *
 * Passed over: hugetlb, VM_HUGEPAGE and userfaultfd-wp VMAs, and slots that no single VMA contains.
 * What the RFC planned is here as well: a switch per process, consent per VMA, and tables found by
 * a count of their entries instead of a look at each; switch, consent and look can be changed while
 * the scanner runs.
 *
 * As posted, the flush did not say that tables go (freedTables), so that a CPU in lazy TLB mode
 * kept what its hardware remembered of them.
 */

import { type Cpu, enterActor, leaveActor } from '#arch/cpu';
import { pmdTable, pmdTablePresent } from '#arch/pmd';
import { ptrsMask, vmaAt } from '#arena/arena';
import { nowMs } from '#arena/clock';
import { CONTROL, SCAN_CONSENT } from '#arena/layout/control';
import { VMA, VMA_FLAG } from '#arena/layout/mm';
import { compareExchange, load, peek } from '#arena/word';
import { type Mm, mmapReadTrylock, mmapReadUnlock, mmDecNrTables } from '#mm/mm';
import { pmdOffset, pmdpGet } from '#mm/pgtable';
import { pteFreeDefer } from '#mm/rcu-free';
import { HOOK } from '#mm/reclaim-protocol';
import { firstEndingAfter, vmaInMap } from '#mm/vma';
import { rcuQuiescent } from '#sync/rcu';
import { COUNTER, count } from '#trace/counters';
import { ACTOR } from '#trace/vocabulary';
import { NoReclaim } from './none.ts';
import { countEntries, mappedEntries, resetCounts } from './table-counts.ts';
import { FLUSH, LEFT_ALONE, LOOK, unhookIfEmpty } from './unhook-empty.ts';
import { byVariant, type Options } from './variant.ts';

export class AsyncScanner extends NoReclaim {
  override readonly hooks: number;
  private readonly flush: number;

  /**
   * `taskWork`: tasks scan on return to user space; else a kernel thread calls `scan`. `counts`:
   * tables count their entries. `flush`: a value of `FLUSH`.
   */
  constructor(taskWork: boolean, counts: boolean, flush: number) {
    super();
    this.flush = flush;
    const counting = counts ? HOOK.entries | HOOK.tables : 0;
    this.hooks = HOOK.scan | counting | (taskWork ? HOOK.userReturn : 0);
  }

  override tableConstruct(_cpu: Cpu, table: number): boolean {
    resetCounts(table);
    return true;
  }

  override entriesChanged(cpu: Cpu, table: number, entries: number, zeros: number): void {
    countEntries(cpu, table, entries, zeros);
  }

  /** Task work: whoever moves the time of the next scan on does the scan. */
  override userReturn(cpu: Cpu, mm: Mm): void {
    const due = peek(CONTROL.scanNext);
    const now = nowMs();
    if (((now - due) | 0) < 0 || peek(CONTROL.scanSwitch) === 0) return;
    const next = (now + peek(CONTROL.scanDelay)) | 0;
    if (compareExchange(cpu, CONTROL.scanNext, due, next) !== due) return;
    this.scan(cpu, mm, peek(CONTROL.scanSlots));
  }

  /** A process that is switched off has nothing to find. */
  override scan(cpu: Cpu, mm: Mm, slots: number): number {
    if (peek(CONTROL.scanSwitch) === 0) return 0;
    if (!mmapReadTrylock(cpu, mm)) return -1;
    const before = enterActor(cpu, ACTOR.scanner);
    const unhooked = scanVmas(cpu, mm, slots, this.flush);
    count(cpu, COUNTER.scanPasses, 1);
    leaveActor(cpu, before);
    mmapReadUnlock(cpu, mm);
    return unhooked;
  }
}

/** `options`: as in the registry. */
export function makeAsyncScanner(options: Options): AsyncScanner {
  const flush = byVariant(options, 'flush', 'tables', 'pages') === 'tables';
  const taskWork = options['where'] !== 'kthread';
  const counts = options['guided'] === 'counts';
  return new AsyncScanner(taskWork, counts, flush ? FLUSH.tables : FLUSH.pages);
}

/**
 * Scans up to `slots` slots from the stored offset on. The offset is moved on before each stretch
 * (at most the reach of a PMD table), so that scanners that run at once share the work; one that
 * finds it moved back, by another that has come to the end, is done.
 */
function scanVmas(cpu: Cpu, mm: Mm, slots: number, flush: number): number {
  let left = slots;
  let unhooked = 0;
  let seen = load(cpu, CONTROL.scanOffset);
  let slot = seen;
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
    if (isPassedOver(peek(at + VMA.flags))) slot = end;
    while (slot < end && left > 0) {
      const to = Math.min((slot | ptrsMask()) + 1, slot + left, end);
      const found = compareExchange(cpu, CONTROL.scanOffset, seen, to);
      if (found === seen) {
        unhooked += scanStretch(cpu, mm, slot, to, flush);
        left -= to - slot;
        slot = to;
        seen = to;
      } else {
        if (found < seen) return unhooked;
        seen = found;
        slot = Math.max(slot, found);
      }
    }
  }
  if (slot !== seen) compareExchange(cpu, CONTROL.scanOffset, seen, slot);
  return unhooked;
}

function scanStretch(cpu: Cpu, mm: Mm, first: number, end: number, flush: number): number {
  let unhooked = 0;
  for (let slot = first; slot < end; slot++) {
    unhooked += scanSlot(cpu, mm, slot, flush);
    rcuQuiescent(cpu);
  }
  return unhooked;
}

/** By its kind, or because the mm's `opt` asks for consent that the VMA has not given. */
function isPassedOver(flags: number): boolean {
  if ((flags & LEFT_ALONE) !== 0) return true;
  const consent = peek(CONTROL.scanConsent);
  if (consent === SCAN_CONSENT.in) return (flags & VMA_FLAG.ptScan) === 0;
  return consent === SCAN_CONSENT.out && (flags & VMA_FLAG.noPtScan) !== 0;
}

/** Unhooks and defers the table of `slot` if it is empty; returns how many. */
function scanSlot(cpu: Cpu, mm: Mm, slot: number, flush: number): number {
  const pmdp = pmdOffset(cpu, mm, slot);
  if (pmdp === 0) return 0;
  const guided = peek(CONTROL.scanGuided) !== 0;
  if (guided) {
    // A count costs no lock; what it says is found again under the locks.
    const pmdval = pmdpGet(cpu, pmdp);
    if (!pmdTablePresent(pmdval) || mappedEntries(cpu, pmdTable(pmdval)) !== 0) return 0;
  }
  const look = guided ? LOOK.counts : LOOK.entries;
  const table = unhookIfEmpty(cpu, mm, pmdp, slot, flush, look);
  if (table === 0) return 0;
  mmDecNrTables(cpu, mm, 0); // @scan-dec-nr-ptes
  count(cpu, COUNTER.tablesReclaimed, 1);
  pteFreeDefer(cpu, table);
  return 1;
}
