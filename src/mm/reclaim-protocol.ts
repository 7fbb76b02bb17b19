/**
 * The socket: what a way of freeing empty PTE tables may do, and when it is asked. `mm` names no
 * protocol; each lives in a file of `reclaim`. A place that a protocol does not use costs one test
 * of a bit.
 */
import type { Cpu } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import type { Mm } from './mm.ts';

/** Which places of the socket a protocol uses. */
export const HOOK = { zapLocked: 1, zapDone: 2, userReturn: 4, scan: 8 } as const;

/**
 * What the zap of one PTE table knows: `whole`, the request covers all entries; `direct`, they were
 * all zapped under the present hold of the ptl; `anySkipped`, an entry was left in place.
 */
export interface ZapFacts {
  whole: boolean;
  direct: boolean;
  anySkipped: boolean;
}

export interface ReclaimProtocol {
  /** Bits of `HOOK`. */
  readonly hooks: number;
  /**
   * At the end of a zap, under the ptl of `table`. Returns whether it unhooked the table, which the
   * zap then hands to its gather.
   */
  zapLocked(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, table: number, facts: ZapFacts): boolean;
  /**
   * After the zap has dropped its locks and `zapLocked` has not unhooked. Returns the table
   * unhooked, or 0.
   */
  zapDone(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, facts: ZapFacts): number;
  /** On return to user space, between two operations; no lock is held. */
  userReturn(cpu: Cpu, mm: Mm): void;
  /**
   * One pass of the protocol's scanner over up to `slots` slots, from where the last pass ended.
   * Returns the number of tables it unhooked, or -1 when it gave up (somebody else holds the mmap
   * lock).
   */
  scan(cpu: Cpu, mm: Mm, slots: number): number;
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
