/** One execution of a plan in the stepped form: how it ended, what it did, and what is wrong. */
import type { Verdict } from '#oracles/verdict';

/**
 * `done`: all phases and the end of the process; `halted`: a fact left memory in doubt; `deadlock`:
 * nobody can go on; `steps`: cut off at the limit.
 */
export type ExecutionEnd = 'done' | 'halted' | 'deadlock' | 'steps';

export interface Execution {
  readonly end: ExecutionEnd;
  readonly steps: number;
  /** `STEP_WORDS` words for each step, in the order in which they were taken. */
  readonly history: Int32Array<ArrayBuffer>;
  readonly verdicts: readonly Verdict[];
}

/** A step: the CPU, the kind of passage, the word, and what it held before the step. */
export const STEP = { cpu: 0, op: 1, at: 2, found: 3 } as const;
export const STEP_WORDS = 4;

/** The steps of one execution while it runs. One buffer, used again by each. */
export class History {
  /** Steps taken so far. */
  steps = 0;
  private readonly words: Int32Array<ArrayBuffer>;

  constructor(stepsMax: number) {
    this.words = new Int32Array(stepsMax * STEP_WORDS);
  }

  get isFull(): boolean {
    return this.steps * STEP_WORDS === this.words.length;
  }

  add(cpu: number, op: number, at: number, found: number): void {
    const { words } = this;
    const to = this.steps++ * STEP_WORDS;
    words[to + STEP.cpu] = cpu;
    words[to + STEP.op] = op;
    words[to + STEP.at] = at;
    words[to + STEP.found] = found;
  }

  copy(): Int32Array<ArrayBuffer> {
    return this.words.slice(0, this.steps * STEP_WORDS);
  }
}
