/**
 * P2, the percpu_ref of April 2022 (series "Try to free user PTE page table pages", Qi Zheng): each
 * PTE table has a reference count that costs no shared atomics until somebody asks for zero. One
 * reference for each entry that is not none, one for each walker inside.
 *
 * After a zap of any part of a table by MADV_DONTNEED, whoever zapped takes a reference, switches
 * the count to atomic mode, which sleeps for a grace period, returns the reference, and if the
 * count is zero frees the table: pml, clear the pmd, flush, RCU free; no ptl. Once the count is
 * atomic, the table goes with the last reference; a lookup that finds zero helps to free it.
 *
 * Why a lookup need not look at the pmd again under the ptl: a table is unhooked only in atomic
 * mode and at zero, and there no lookup gets a reference any more. What is needed for that beyond
 * the series, and what the series does (`as-posted`):
 * - `recheck`: between the test for zero and the pml somebody else may free the table and a fault
 *   put another in its place. Under the pml the count of the table that is now there must be zero;
 *   whether it is the same table does not matter then. As posted whatever is there is freed (S-15).
 *   Likewise whoever switches a table back to percpu mode does so to the one it has a reference to;
 *   as posted, to the one it remembers (S-16).
 * - `lastPut`: in atomic mode whoever returns the last reference frees the table. As posted the
 *   last
 *   put tells nobody (S-14), and the table of lazyfree pages, whose count stays atomic, is empty
 *   some day without anybody to test it (S-06); only the next lookup that fails frees it.
 * - `switchBack`: as posted a table not found empty goes back to percpu mode, and may be empty then
 *   without anybody to find it (S-26); its author dropped that, since it made things slow. Tables
 *   stay in atomic mode.
 * - `rmapFlushNext`: the flush after an rmap walk covers the table's slot; as posted, the next one
 *   (S-27). The hardware hides that, as x86 does: a flush for freed tables drops all pmd entries
 *   that a CPU remembers.
 *
 * A fault that sleeps between allocation and lookup holds no reference to its table, which may go;
 * it then runs again. Lookups without a reference (`pteOffsetMapHeld`) rely on the mmap lock held
 * for writing; nothing may free tables beside that (S-31). GUP-fast is safe by the RCU free.
 */
import type { Cpu } from '#arch/cpu';
import { interruptPoint } from '#arch/interrupts';
import { type Pmdp, pmdTable, pmdTablePresent } from '#arch/pmd';
import { flushTlbRange } from '#arch/shootdown';
import { boundMap } from '#arena/arena';
import { allocationFails } from '#mm/choices';
import { type Mm, mmDecNrTables } from '#mm/mm';
import { lastChanger, pmdLock, pmdpGet, pmdUnhook, pmdUnlock } from '#mm/pgtable';
import { pteOffsetMapRwNolock } from '#mm/pte-offset-map';
import { pteFreeDefer } from '#mm/rcu-free';
import { HOOK, type ZapFacts } from '#mm/reclaim-protocol';
import {
  bindPercpuRefs,
  percpuRefGet,
  percpuRefInit,
  percpuRefIsZero,
  percpuRefPut,
  percpuRefSwitchToAtomicSync,
  percpuRefSwitchToPercpu,
  percpuRefTryGet,
  percpuRefValue,
} from '#sync/percpu-ref';
import { rcuReadLock, rcuReadUnlock } from '#sync/rcu';
import { COUNTER, count } from '#trace/counters';
import { FACT, noteFact } from '#trace/fact';
import { countRace } from '#trace/race';
import { RACE } from '#trace/vocabulary';
import { NoReclaim } from './none.ts';
import { byVariant, type Options } from './variant.ts';

export interface PercpuRefcountOptions {
  readonly stableSync: boolean;
  readonly lastPutFrees: boolean;
  readonly perRefSwitchLock: boolean;
  readonly switchBack: boolean;
  readonly recheck: boolean;
  /** Slots beyond the table's own at which an rmap walk has it flushed. */
  readonly rmapFlushAhead: number;
}

export class PercpuRefcount extends NoReclaim {
  override readonly hooks: number =
    HOOK.tables |
    HOOK.references |
    HOOK.entries |
    HOOK.zapDone |
    HOOK.lazyfreeDone |
    HOOK.rmapDone |
    HOOK.stableTables;
  private readonly lastPutFrees: boolean;
  private readonly switchBack: boolean;
  private readonly recheck: boolean;
  private readonly rmapFlushAhead: number;

  constructor(options: PercpuRefcountOptions) {
    super();
    const { tableWords, tableCpuWords, tableCpuStride, geometry } = boundMap();
    const places = { base: tableWords, locals: tableCpuWords, stride: tableCpuStride };
    const { stableSync, perRefSwitchLock } = options;
    bindPercpuRefs({ ...places, cpus: geometry.cpus, stableSync, perRefSwitchLock });
    this.lastPutFrees = options.lastPutFrees;
    this.switchBack = options.switchBack;
    this.recheck = options.recheck;
    this.rmapFlushAhead = options.rmapFlushAhead;
  }

  /** Allocates the counter (patch 08), which may fail. Its value is 0. */
  override tableConstruct(cpu: Cpu, table: number): boolean {
    if (allocationFails(cpu)) return false;
    percpuRefInit(cpu, table);
    percpuRefPut(cpu, table);
    return true;
  }

  override tableDestruct(cpu: Cpu, table: number): void {
    const references = percpuRefValue(table);
    if (references !== 0) noteFact(cpu, FACT.referencesLeft, table, references, 0, 0, 0);
  }

  override tableGet(cpu: Cpu, table: number): boolean {
    return percpuRefTryGet(cpu, table);
  }

  /** Makes up for the reclaim that was missed, or has not come to its end. */
  override tableGetFailed(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number): void {
    this.freeUserPte(cpu, mm, pmdp, slot, slot); // @free-dying
  }

  override tablePut(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, table: number): void {
    const last = percpuRefPut(cpu, table);
    if (last && this.lastPutFrees) this.freeUserPte(cpu, mm, pmdp, slot, slot);
  }

  /** The setters count entry by entry (patches 16 and 17). */
  override entriesChanged(cpu: Cpu, table: number, entries: number, _zeros: number): void {
    for (let i = 0; i < entries; i++) percpuRefGet(cpu, table);
    for (let i = 0; i > entries; i--) percpuRefPut(cpu, table);
  }

  override zapDone(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, _facts: ZapFacts): number {
    this.tryToFreeUserPte(cpu, mm, pmdp, slot, this.switchBack);
    return 0;
  }

  /** With lazyfree pages the table stays in atomic mode, so that their discard finds zero. */
  override lazyfreeDone(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, marked: boolean): void {
    this.tryToFreeUserPte(cpu, mm, pmdp, slot, this.switchBack && !marked);
  }

  override rmapDone(
    cpu: Cpu,
    mm: Mm,
    pmdp: Pmdp,
    slot: number,
    discarded: boolean,
    redirtied: boolean,
  ): void {
    if (redirtied && this.switchBack) this.switchBackToPercpu(cpu, mm, pmdp, slot, 0);
    if (!discarded) return;
    rcuReadLock(cpu);
    const pmdval = pmdpGet(cpu, pmdp);
    const empty = pmdTablePresent(pmdval) && percpuRefIsZero(cpu, pmdTable(pmdval));
    rcuReadUnlock(cpu);
    if (empty) this.freeUserPte(cpu, mm, pmdp, slot, slot + this.rmapFlushAhead);
  }

  /** May sleep for a grace period, while its reference keeps the table. */
  private tryToFreeUserPte(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, switchBack: boolean): void {
    const table = referTo(cpu, mm, pmdp, slot);
    if (table === 0) return;
    percpuRefSwitchToAtomicSync(cpu, table);
    // The read section keeps the table's memory once the reference is returned.
    rcuReadLock(cpu);
    percpuRefPut(cpu, table);
    const empty = percpuRefIsZero(cpu, table);
    rcuReadUnlock(cpu);
    if (empty) this.freeUserPte(cpu, mm, pmdp, slot, slot);
    else count(cpu, COUNTER.reclaimKept, 1);
    if (!empty && switchBack) this.switchBackToPercpu(cpu, mm, pmdp, slot, table);
  }

  private switchBackToPercpu(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, remembered: number): void {
    // Here the table may go, and another take its place.
    interruptPoint(cpu);
    const referred = referTo(cpu, mm, pmdp, slot);
    if (referred === 0) return;
    const table = this.recheck || remembered === 0 ? referred : remembered; // @switch-back-table
    percpuRefSwitchToPercpu(cpu, table);
    percpuRefPut(cpu, table);
  }

  /** Unhooks and defers the table of `slot`; `flushSlot` is flushed, which ought to be the same. */
  private freeUserPte(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, flushSlot: number): void {
    const pml = pmdLock(cpu, mm, pmdp);
    const pmdval = pmdpGet(cpu, pmdp);
    const hooked = pmdTablePresent(pmdval);
    const table = pmdTable(pmdval);
    if (!hooked || (this.recheck && !percpuRefIsZero(cpu, table))) {
      if (hooked) countRace(cpu, RACE.refilled, lastChanger(table));
      pmdUnlock(cpu, pml);
      return;
    }
    pmdUnhook(cpu, pmdp, table, slot);
    flushTlbRange(cpu, flushSlot, 0, flushSlot + 1, 0, true);
    pmdUnlock(cpu, pml);
    mmDecNrTables(cpu, mm, 0);
    count(cpu, COUNTER.tablesReclaimed, 1);
    pteFreeDefer(cpu, table);
  }
}

/** `options` as in the registry. */
export function makePercpuRefcount(options: Options): PercpuRefcount {
  return new PercpuRefcount({
    stableSync: options['stableSync'] !== 'off',
    perRefSwitchLock: options['switchLock'] !== 'global',
    lastPutFrees: byVariant(options, 'lastPut', 'frees', 'silent') === 'frees',
    switchBack: byVariant(options, 'switchBack', 'off', 'on') === 'on',
    recheck: byVariant(options, 'recheck', 'on', 'off') === 'on',
    rmapFlushAhead: byVariant(options, 'rmapFlushNext', 'off', 'on') === 'on' ? 1 : 0,
  });
}

/** Takes a reference to the table of `slot`, which it returns, or 0: none, or it was dying. */
function referTo(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number): number {
  if (pteOffsetMapRwNolock(cpu, mm, pmdp, slot, 0) === 0) return 0;
  rcuReadUnlock(cpu);
  return cpu.table;
}
