/**
 * The socket of strategies: who goes on before each step, and what happens at choice points. The
 * stepper asks inline, so `pick` and `choose` allocate nothing and keep nothing of what they are
 * given. Sets of CPUs are bit masks (bit `1 << cpu`).
 */
import type { QuietWatch } from '#arena/gate';
import type { History } from './history.ts';

/**
 * What each CPU is about to do: kind of passage (`GATE`, or `NO_PASSAGE`), the word, and for a wait
 * the value that must change. Indexed by CPU; the same arrays for the life of a machine.
 */
export interface Standing {
  readonly op: Int32Array;
  readonly at: Int32Array;
  readonly seen: Int32Array;
  /** The arena's words, as the next step will find them. */
  readonly words: Int32Array;
  /** Where CPUs find that they are interrupted, which lets them go on from a wait. */
  readonly interrupts?: InterruptWords | null;
  /** 1 for each word whose quiet accesses need no order, for strategies that watch them. */
  readonly ignored?: Uint8Array | null;
}

/** Offsets in the blocks of CPUs: interrupts that were asked for, and served. */
export interface InterruptWords {
  readonly blocks: Int32Array;
  readonly wanted: number;
  readonly served: number;
}

/** Of a CPU that has not come to its first passage, or has ended. */
export const NO_PASSAGE = -1;

/** Returned by `pick`: this execution need not go on; no other is like it. */
export const ABANDON = -1;

export interface Strategy {
  /**
   * Before execution number `execution` on `cpus` CPUs: forgets the one before. False: there is
   * none left.
   */
  begin(execution: number, cpus: number, standing: Standing): boolean;

  /**
   * The CPU that takes the next step, one of the mask `enabled` (not empty), or `ABANDON`.
   * `running` took the last one (-1: nobody yet), and may not be enabled. Asked before every step,
   * also when only one CPU is enabled.
   */
  pick(enabled: number, running: number): number;

  /** What happens at a choice point of CPU `cpu`: 0 (what is usual) .. `alternatives` - 1. */
  choose(cpu: number, alternatives: number): number;

  /**
   * After an execution: what was done. `history` is good until the next one begins. Strategies that
   * learn from executions need it.
   */
  end?(history: History): void;

  /** Which part of the search is done, 0 to 1; only where that can be told. */
  progress?(): number;

  /** The least chance with which one execution finds a bug, where the strategy has such a bound. */
  findingChance?(): number;

  /** Told of all quiet accesses while the strategy decides, if it has to know of them. */
  readonly watch?: QuietWatch;
}

/** The lowest CPU of a mask that is not empty. */
export function lowestOf(mask: number): number {
  return 31 - Math.clz32(mask & -mask);
}

/** How many CPUs a mask has. */
export function sizeOf(mask: number): number {
  let size = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) size++;
  return size;
}

/** The member number `index` (0: the lowest) of a mask. */
export function memberOf(mask: number, index: number): number {
  let rest = mask;
  for (let i = 0; i < index; i++) rest &= rest - 1;
  return lowestOf(rest);
}

/** The CPU that goes on where nothing speaks for another: the running one, or else the lowest. */
export function stay(enabled: number, running: number): number {
  return running >= 0 && (enabled & (1 << running)) !== 0 ? running : lowestOf(enabled);
}
