/**
 * What is asked of whoever executes a linear plan, be it the live kernel or the simulator: a batch
 * of operations, and readings after some of them.
 */
import type { Reading } from '#result/reading';
import type { Op, PageSpan, Plan } from '#scenario/plan';

/** Operations one after another on one CPU, and where readings are taken. */
export interface Batch {
  /** Linear: each names its pages. */
  readonly ops: readonly Op[];
  readonly checkpoints: readonly Checkpoint[];
}

export interface Checkpoint {
  /** After so many operations of the batch. */
  readonly after: number;
  /** Pages, as numbers of the simulated address space, of which is read whether they are there. */
  readonly watched: readonly PageSpan[];
}

/** What says where the memory of a plan is. */
export type Memory = Pick<Plan, 'levels' | 'ptrsShift' | 'regions'>;

/** What was read, and whether it can be believed: nothing else moved the figures meanwhile. */
export interface Readings {
  readonly readings: readonly Reading[];
  readonly isStill: boolean;
}

/** There is no answer: whoever asked wants the end of it. */
export class Interrupted extends Error {}

/** One executor of linear plans. */
export interface Peer {
  /** Does all of it in an empty address space, which `plan` has the regions of. */
  run(plan: Plan, batch: Batch): Promise<Readings>;
}
