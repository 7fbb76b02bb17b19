/**
 * P1, the atomic reference count of November 2021 (series "Free user PTE page table pages", v3, Qi
 * Zheng): each PTE table counts its users, and goes with the last of them. One reference for each
 * entry that is not none, one for each walker inside, one for the caller that has allocated it.
 *
 *     pteAlloc      1, the allocating caller's; it returns it when the fault is over
 *     lookup        add 1 unless zero; at zero the table is dying, and as good as none
 *     entry set     add 1, under the ptl
 *     entry clear   remembered, and returned with the walker's own reference in one subtraction
 *     last put      pml; clear the pmd; flush, or hand the table to the gather; RCU free
 *
 * Whoever finds a table dying does the same in place of the last put, which may not have come to it
 * yet: it may have been preempted, and if a task of higher priority waits for it there, for good.
 * Under the pml the count is looked at again: a table at zero stays at zero, so whoever comes first
 * unhooks it, and to all others the pmd entry is none, or of a table with references. As posted an
 * installer tries again until the table is gone (K-37, `helps` false).
 *
 * Nobody looks at the pmd again under the ptl: who holds a reference keeps the table hooked, and
 * whoever brings the count to zero alone unhooks it. Hence munmap finds no PTE table: its zap has
 * cleared the last entry. Whoever clears entries must be a walker with a reference.
 *
 * Unlike the series, the table needs no pointer back to its pmd entry, since those who return a
 * reference pass the entry along; and the zap visits anew whenever it has dropped the ptl.
 *
 * As posted, fault-around counts its entries only after it has dropped the ptl (K-33): a zap may
 * clear them first, find one reference too few, and free the table with the walker inside. There is
 * no fault-around here, so with `lateGets` each fault does so for its one entry. As in the series
 * the walker then finds its table again by the pmd entry, whatever that holds by now.
 */
import type { Cpu } from '#arch/cpu';
import { type Pmdp, pmdTable, pmdTablePresent } from '#arch/pmd';
import { flushTlbRange } from '#arch/shootdown';
import { boundMap } from '#arena/arena';
import { add, compareExchange, load, write } from '#arena/word';
import { type Mm, mmDecNrTables } from '#mm/mm';
import { pteFreeTlb, tlbGathers } from '#mm/mmu-gather';
import { checkFrame, pmdLock, pmdpGet, pmdUnhook, pmdUnlock } from '#mm/pgtable';
import { pteFreeDefer } from '#mm/rcu-free';
import { HOOK } from '#mm/reclaim-protocol';
import { COUNTER, count } from '#trace/counters';
import { NoReclaim } from './none.ts';
import { byVariant, type Options } from './variant.ts';

export class AtomicRefcount extends NoReclaim {
  override readonly hooks: number =
    HOOK.tables | HOOK.references | HOOK.entries | HOOK.stableTables | HOOK.lastPutFrees;
  /** Place of the count of table 0. */
  private readonly counts: number;
  private readonly lateGets: boolean;
  private readonly helps: boolean;

  /** `lateGets`: entries that were set are counted after the ptl is dropped, as posted. */
  constructor(lateGets: boolean, helps: boolean) {
    super();
    this.counts = boundMap().tableWords;
    this.lateGets = lateGets;
    this.helps = helps;
  }

  override tableConstruct(cpu: Cpu, table: number): boolean {
    write(cpu, this.counts + table, 1);
    return true;
  }

  override tableGet(cpu: Cpu, table: number): boolean {
    const countp = this.counts + table;
    for (let seen = load(cpu, countp); seen !== 0; ) {
      count(cpu, COUNTER.refAtomics, 1);
      const found = compareExchange(cpu, countp, seen, seen + 1); // @visit-reference
      if (found === seen) return true;
      seen = found;
    }
    return false;
  }

  override tablePut(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, table: number): void {
    let references = 1;
    if (cpu.refsTable === table) {
      references += cpu.refsOwed;
      cpu.refsOwed = 0;
    }
    const visited = this.lateGets ? this.getLate(cpu, pmdp) : table;
    if (this.addReferences(cpu, visited, -references) === references)
      this.freeUnreferenced(cpu, mm, pmdp, slot);
  }

  override tableGetFailed(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number): void {
    if (this.helps) this.freeUnreferenced(cpu, mm, pmdp, slot);
  }

  /** The walker's reference to `table` keeps the count from zero. */
  override entriesChanged(cpu: Cpu, table: number, entries: number, _zeros: number): void {
    if (entries > 0) {
      if (this.lateGets) cpu.refsWanted += entries;
      else this.addReferences(cpu, table, entries);
    } else if (cpu.refsOwed === 0 || cpu.refsTable === table) {
      cpu.refsTable = table;
      cpu.refsOwed -= entries;
    } else {
      this.addReferences(cpu, table, entries);
    }
  }

  /**
   * After the ptl was dropped: takes the references for entries that were set, of whatever table
   * the pmd entry now points to, which it returns.
   */
  private getLate(cpu: Cpu, pmdp: Pmdp): number {
    const pmdval = pmdpGet(cpu, pmdp);
    if (!pmdTablePresent(pmdval)) checkFrame(cpu, pmdval, 0);
    const table = pmdTable(pmdval);
    if (cpu.refsWanted !== 0) this.addReferences(cpu, table, cpu.refsWanted);
    cpu.refsWanted = 0;
    return table;
  }

  /** Returns the count before. */
  private addReferences(cpu: Cpu, table: number, references: number): number {
    count(cpu, COUNTER.refAtomics, 1);
    return add(cpu, this.counts + table, references);
  }

  /** Unhooks the table that the pmd entry points to, if it has no references any more. */
  private freeUnreferenced(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number): void {
    const gathers = tlbGathers(cpu);
    const pml = pmdLock(cpu, mm, pmdp);
    const pmdval = pmdpGet(cpu, pmdp);
    const table = pmdTable(pmdval);
    const dying = pmdTablePresent(pmdval) && load(cpu, this.counts + table) === 0;
    if (dying) pmdUnhook(cpu, pmdp, table, slot);
    if (dying && !gathers) flushTlbRange(cpu, slot, 0, slot + 1, 0, true);
    pmdUnlock(cpu, pml);
    if (!dying) return;
    mmDecNrTables(cpu, mm, 0);
    count(cpu, COUNTER.tablesReclaimed, 1);
    if (gathers) pteFreeTlb(cpu, table, slot, 1);
    else pteFreeDefer(cpu, table);
  }
}

/** `options` as in the registry. */
export function makeAtomicRefcount(options: Options): AtomicRefcount {
  const lateGets = byVariant(options, 'gets', 'under-ptl', 'after-unlock') !== 'under-ptl';
  return new AtomicRefcount(lateGets, byVariant(options, 'dying', 'help', 'spin') === 'help');
}
