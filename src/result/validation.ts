/** What comes of holding the simulator against the live kernel: the document of `validate`. */
import type { Reading } from './reading.ts';

export interface Validation {
  /** Version of the program. */
  pttorture: string;
  schema: 1;
  kind: 'validation';
  command: string;
  machine: { node: string; platform: string; cores: number; memoryGiB: number };
  /** The day it ran, e.g. `2026-11-21`. */
  date: string;
  kernel: {
    release: string;
    /** Whether it reclaims tables as MADV_DONTNEED empties them, and how that is known. */
    reclaims: boolean;
    source: string;
  };
  /** What the simulator ran under, and the edit it ran with. */
  protocol: string;
  broken: string | null;
  seed: number;
  seconds: number;
  plans: Compared[];
  /** Plans made at random; null: none were. */
  random: RandomPlans | null;
  /** What was not compared, and why. */
  leftOut: LeftOut[];
  isInterrupted: boolean;
}

/** A plan, and how far both agreed. */
export interface Compared {
  name: string;
  operations: number;
  checkpoints: number;
  /** Of the live kernel, above what was there before the plan. */
  vmptePeakKiB: number;
  rssPeakKiB: number;
  /** Threads that ran at once, so that it was compared at quiescence only; 1: at checkpoints. */
  threads: number;
  /** What holds of this plan, e.g. the size it was cut down to. */
  notes: string[];
  /** Null: they agreed at every checkpoint. */
  difference: Difference | null;
}

/** A checkpoint at which the two do not read the same. */
export interface Difference {
  /** Number of the operation after which it was seen, the first being 1; and what it was. */
  operation: number;
  text: string;
  kernel: Reading;
  simulator: Reading;
  /** The checkpoints up to this one, the last of them. */
  history: Moment[];
  /** Whether it came out twice in the same way. */
  isSettled: boolean;
}

export interface Moment {
  operation: number;
  text: string;
  watched: { page: number; pages: number }[];
  kernel: Reading;
  simulator: Reading;
}

export interface RandomPlans {
  plans: number;
  /** Of all of them. */
  operations: number;
  checkpoints: number;
  /** The first plan that differed, made smaller; null: all agreed. */
  shrunk: Shrunk | null;
}

export interface Shrunk {
  /** The operations that are left, each in a few words. */
  ops: string[];
  /** As a scenario file. */
  scenario: string;
  /** Operations of the plan as it was found, and plans run to make it smaller. */
  foundOperations: number;
  trials: number;
  difference: Difference;
}

export interface LeftOut {
  name: string;
  why: string;
}

/** Plans compared, checkpoints, and plans that differ: the last line of every report. */
export function validationTotals({ plans, random }: Validation): {
  readonly plans: number;
  readonly checkpoints: number;
  readonly differences: number;
} {
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const differing = plans.filter(({ difference }) => difference !== null).length;
  return {
    plans: plans.length + (random?.plans ?? 0),
    checkpoints: sum(plans.map(({ checkpoints }) => checkpoints)) + (random?.checkpoints ?? 0),
    differences: differing + (random?.shrunk === null || random === null ? 0 : 1),
  };
}
