/**
 * A simulated processor as its own code sees it: its number, its block, and its private registers.
 */
import { boundMap } from '#arena/arena';
import type { CpuRef } from '#arena/gate';
import { PERCPU } from '#arena/layout/percpu';
import {
  USE_ACTOR_MASK,
  USE_ACTOR_SHIFT,
  USE_CPU_MASK,
  USE_CPU_SHIFT,
  USE_OPERATION_MASK,
  USE_OPERATION_SHIFT,
} from '#arena/layout/ptdesc';
import { peek, poke } from '#arena/word';
import { Prng } from '#base/prng';
import { traceEnter, traceLeave } from '#trace/tracing';
import { PMD_NONE, type Pmd } from './pmd.ts';
import { PTE_NONE, type Pte } from './pte.ts';

/** Pages that one CPU's GUP holds at a time. */
export const PINS_MAX = 8;

/** Pages that reclaim unmaps before it flushes (Linux's `SWAP_CLUSTER_MAX`). */
export const SHRINK_BATCH_MAX = 32;

export class Cpu implements CpuRef {
  readonly id: number;
  readonly block: number;
  /** Source of this CPU's choice points (need-resched, random operands). */
  readonly prng: Prng;
  /**
   * Registers: what the latest successful map of a PTE table returned beside the entry's place (C
   * would use out-parameters). Callers copy them before they map again.
   */
  ptl = 0;
  pmdval: Pmd = PMD_NONE;
  table = 0;
  /**
   * What it does (a value of `ACTOR`); and actor, CPU and operation as they stand in a use word.
   */
  actor = 0;
  changer: number;
  /**
   * Paging-structure cache of one entry: the body of the PMD table for the slots that share
   * `pmdBase`, good while the state word at `pmdStateAt` is still `pmdState`. 0 at `pmdStateAt`:
   * nothing cached.
   */
  pmdBase = -1;
  pmdBody = 0;
  pmdStateAt = 0;
  pmdState = 0;
  /** Number of the latest TLB flush that this CPU has carried out. */
  tlbSeen = 0;
  /** Not 0: interrupts are off, and wait. */
  irqsOff = 0;
  /** Scratch of the interrupts being sent: blocks of the CPUs addressed, and their tickets. */
  readonly ipiBlocks: Int32Array;
  readonly ipiTickets: Int32Array;
  /** VMA in which the latest fault fell: the first guess for the next one. */
  vmaHint = 0;
  /** Scratch of the zap in progress (C would have it on the stack). */
  readonly zapFacts = {
    reclaim: false,
    whole: false,
    direct: false,
    lastFrom: 0,
    anySkipped: false,
  };
  /** The table to which `pteAlloc` has left a reference with this CPU, or 0. */
  tableAllocated = 0;
  /**
   * Of a protocol that counts entries as references: for how many cleared entries of `refsTable`
   * this CPU must still return one, and for how many entries it must still take one.
   */
  refsTable = 0;
  refsOwed = 0;
  refsWanted = 0;
  /** Scratch of reclaim in batches: the tables unhooked under one hold, and how many. */
  readonly unhooked: Int32Array;
  unhookedCount = 0;
  /** Scratch of page reclaim: the pages it has unmapped and not yet let go, and how many. */
  readonly shrunk: Int32Array = new Int32Array(SHRINK_BATCH_MAX);
  shrunkCount = 0;
  /** The entry that the hardware walk found last; the fault handler's first knowledge of it. */
  walked: Pte = PTE_NONE;
  /** Flags of the VMA in which this CPU handles a fault or fills memory. */
  vmaFlags = 0;
  /** Pages that GUP holds references to: frames, and which life each lived when it was found. */
  readonly pinnedPages = new Int32Array(PINS_MAX);
  readonly pinnedLives = new Int32Array(PINS_MAX);
  pins = 0;

  constructor(id: number, seed: number) {
    const map = boundMap();
    this.id = id;
    this.block = map.percpu + id * map.percpuWords;
    this.prng = new Prng(seed, id + 1);
    this.changer = (id & USE_CPU_MASK) << USE_CPU_SHIFT;
    this.unhooked = new Int32Array(1 << map.geometry.ptrsShift);
    this.ipiBlocks = new Int32Array(map.geometry.cpus);
    this.ipiTickets = new Int32Array(map.geometry.cpus);
  }
}

/**
 * This CPU begins to do something (a value of `ACTOR`); returns what it did before, which it goes
 * on with at `leaveActor`.
 */
export function enterActor(cpu: Cpu, actor: number): number {
  const before = cpu.actor;
  becomeActor(cpu, actor);
  traceEnter(cpu, actor);
  return before;
}

export function leaveActor(cpu: Cpu, before: number): void {
  traceLeave(cpu, cpu.actor);
  becomeActor(cpu, before);
}

/** Says what this CPU does from now on, for good. */
export function becomeActor(cpu: Cpu, actor: number): void {
  cpu.actor = actor;
  cpu.changer = (cpu.changer & ~(USE_ACTOR_MASK << USE_ACTOR_SHIFT)) | (actor << USE_ACTOR_SHIFT);
  poke(cpu.block + PERCPU.actor, actor);
}

/** Begins this CPU's next operation. */
export function enterOperation(cpu: Cpu): void {
  const operation = (peek(cpu.block + PERCPU.operation) + 1) | 0;
  poke(cpu.block + PERCPU.operation, operation);
  cpu.changer =
    (cpu.changer & ~(USE_OPERATION_MASK << USE_OPERATION_SHIFT)) |
    ((operation & USE_OPERATION_MASK) << USE_OPERATION_SHIFT);
}
