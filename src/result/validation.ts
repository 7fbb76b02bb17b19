/** What comes of holding the simulator against the live kernel: the document of `validate`. */
import type { Reading } from './reading.ts';

export interface Validation {
  /** Version of the program. */
  readonly pttorture: string;
  readonly validation: 1;
  /** When it ran: an ISO date. */
  readonly date: string;
  readonly kernel: {
    readonly release: string;
    /** Whether it reclaims tables as MADV_DONTNEED empties them, and how that is known. */
    readonly reclaims: boolean;
    readonly source: string;
  };
  /** What the simulator ran under. */
  readonly protocol: string;
  readonly broken: string | null;
  readonly seed: number;
  readonly plans: readonly Compared[];
  /** Plans made at random: how many, and of how many operations each; those that differ are in `plans`. */
  readonly random: RandomPlans | null;
  /** What was not compared, and why. */
  readonly leftOut: readonly LeftOut[];
  readonly interrupted: boolean;
}

/** A plan, and how far both agreed. */
export interface Compared {
  readonly name: string;
  readonly operations: number;
  readonly checkpoints: number;
  /** Of the live kernel, above what was there before the plan. */
  readonly vmptePeakKiB: number;
  readonly rssPeakKiB: number;
  /** Columns of several CPUs ran at once, so it was compared at quiescence only. */
  readonly threads?: number;
  /** What holds of this plan, e.g. the size it was cut down to. */
  readonly notes?: readonly string[];
  /** Null: they agreed at every checkpoint. */
  readonly difference: Difference | null;
}

/** A checkpoint at which the two do not read the same. */
export interface Difference {
  /** Number of the operation after which it was seen, the first being 1; and what it was. */
  readonly operation: number;
  readonly text: string;
  readonly kernel: Reading;
  readonly simulator: Reading;
  /** The checkpoints up to this one, the last of them. */
  readonly history: readonly Moment[];
  /** It did not come out twice in the same way. */
  readonly unsettled?: boolean;
  /** Where the plan was saved, to be run again. */
  readonly saved?: string;
}

export interface Moment {
  readonly operation: number;
  readonly text: string;
  readonly watched: readonly { readonly page: number; readonly pages: number }[];
  readonly kernel: Reading;
  readonly simulator: Reading;
}

export interface RandomPlans {
  readonly plans: number;
  readonly operations: number;
  readonly checkpoints: number;
}

export interface LeftOut {
  readonly name: string;
  readonly why: string;
}
