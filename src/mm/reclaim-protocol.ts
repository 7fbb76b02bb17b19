/**
 * The socket: what a way of freeing empty PTE tables may do, and when it is asked. `mm` names no
 * protocol; each lives in a file of `reclaim`. A place that a protocol does not use costs one test
 * of a bit.
 *
 * What a place may do follows from the locks held when it is asked, which each says.
 */
import type { Cpu } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import type { Mm } from './mm.ts';

/** Which places of the socket a protocol uses. */
export const HOOK = {
  zapLocked: 1 << 0,
  zapDone: 1 << 1,
  userReturn: 1 << 2,
  scan: 1 << 3,
  /** `tableConstruct` and `tableDestruct`. */
  tables: 1 << 4,
  /** `tableGet`, `tableGetFailed` and `tablePut`. */
  references: 1 << 5,
  /** `entriesChanged`. */
  entries: 1 << 6,
  /** `walkBegin` and `walkEnd`. */
  walks: 1 << 7,
  rangeDone: 1 << 8,
  lazyfreeDone: 1 << 9,
  rmapDone: 1 << 10,
  pressure: 1 << 11,
  /**
   * Not a place but a promise: while a walker holds what the protocol asks of it, the table that a
   * pmd entry points to stays. Lookups under the ptl then do not look again.
   */
  stableTables: 1 << 12,
  /**
   * A promise too: a table goes with its last reference. `tableConstruct` takes one for the
   * allocating caller (see `pteAlloc`), and munmap finds no PTE table.
   */
  lastPutFrees: 1 << 13,
} as const;

/**
 * What the zap of one PTE table knows: `reclaim`, the request is one after which empty tables may
 * be freed; `whole`, it covers all entries; `direct`, they were all zapped under the present hold
 * of the ptl; `lastFrom`, the first entry that was; `anySkipped`, an entry was left in place.
 */
export interface ZapFacts {
  reclaim: boolean;
  whole: boolean;
  direct: boolean;
  lastFrom: number;
  anySkipped: boolean;
}

export interface ReclaimProtocol {
  /** Bits of `HOOK`. */
  readonly hooks: number;

  /** A PTE table is about to be used; no lock. False: no memory for what belongs to it. */
  tableConstruct(cpu: Cpu, table: number): boolean;
  /** It is about to be freed: nobody can reach it. */
  tableDestruct(cpu: Cpu, table: number): void;

  /** A walk of page tables begins at `slot`, in the reach of one PMD table. May sleep. */
  walkBegin(cpu: Cpu, mm: Mm, slot: number): void;
  walkEnd(cpu: Cpu, mm: Mm, slot: number): void;

  /** Takes a reference to `table`, in a read section or under the pml. False: it is dying. */
  tableGet(cpu: Cpu, table: number): boolean;
  /** After `tableGet` has failed, and the read section or pml hold has ended; no lock. */
  tableGetFailed(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number): void;
  /** Returns a reference; no ptl, no read section. */
  tablePut(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, table: number): void;

  /**
   * Under the ptl of `table`: its entries that are not none have become `entries` more (or fewer),
   * those that map the zero page `zeros`.
   */
  entriesChanged(cpu: Cpu, table: number, entries: number, zeros: number): void;

  /**
   * At the end of a zap that is `whole`, under the ptl of `table`. Returns whether it unhooked the
   * table, which the zap then hands to its gather.
   */
  zapLocked(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, table: number, facts: ZapFacts): boolean;
  /**
   * After the zap of one table with `facts.reclaim` has dropped its locks, and `zapLocked` has not
   * unhooked. May sleep. Returns the table unhooked, for the gather, or 0.
   */
  zapDone(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, facts: ZapFacts): number;
  /**
   * After the zap of [start, end) within VMA `vma`, with its gather still open; outside all page-
   * table locks and walks. May sleep, and hand tables to the gather.
   */
  rangeDone(
    cpu: Cpu,
    mm: Mm,
    vma: number,
    startSlot: number,
    startIndex: number,
    endSlot: number,
    endIndex: number,
  ): void;

  /**
   * After MADV_FREE has been through one table; `marked`: it made a page lazyfree. May sleep.
   */
  lazyfreeDone(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, marked: boolean): void;
  /**
   * After an rmap walk has left a table, with the rmap lock held; `discarded`: it dropped a
   * lazyfree page, `redirtied`: it found one dirty again. Must not sleep for the mmap lock.
   */
  rmapDone(
    cpu: Cpu,
    mm: Mm,
    pmdp: Pmdp,
    slot: number,
    discarded: boolean,
    redirtied: boolean,
  ): void;

  /** On return to user space, between two operations; no lock is held. */
  userReturn(cpu: Cpu, mm: Mm): void;
  /**
   * One pass of the protocol's scanner over up to `slots` slots, from where the last pass ended.
   * Returns the number of tables it unhooked, or -1 when it gave up (somebody else holds the mmap
   * lock).
   */
  scan(cpu: Cpu, mm: Mm, slots: number): number;
  /** Memory is short; no lock is held. Returns the number of tables unhooked. */
  pressure(cpu: Cpu, mm: Mm): number;
}

let protocol: ReclaimProtocol;
let hooks = 0;

/** Binds this thread to a protocol for the life of the machine. */
export function bindProtocol(next: ReclaimProtocol): void {
  protocol = next;
  hooks = next.hooks;
}

/** The protocol in use. */
export function boundProtocol(): ReclaimProtocol {
  return protocol;
}

/** Whether the protocol in use has a place for `hook` (a value of `HOOK`). */
export function hasHook(hook: number): boolean {
  return (hooks & hook) !== 0;
}
