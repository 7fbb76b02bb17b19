/**
 * What was done in one execution: the steps in the order in which they were taken, and what was
 * chosen at choice points. The buffers are used again by the next execution.
 */

import { CHOICE, CHOICE_WORDS, STEP, STEP_WORDS } from '#arena/layout/history';

export class History {
  /** Steps taken so far, and choices made. */
  steps = 0;
  choices = 0;
  /** How many of the steps were the strategy's: those before the fair phase. */
  decided = 0;
  readonly stepsMax: number;
  private rows: Int32Array<ArrayBuffer>;
  private chosen = new Int32Array(16 * CHOICE_WORDS);

  constructor(stepsMax: number) {
    this.stepsMax = stepsMax;
    this.rows = new Int32Array(Math.min(stepsMax, 1024) * STEP_WORDS);
  }

  get isFull(): boolean {
    return this.steps >= this.stepsMax;
  }

  clear(): void {
    this.steps = 0;
    this.choices = 0;
    this.decided = 0;
  }

  /** Adds a step; what it leaves is noted by `leave`. */
  add(cpu: number, op: number, at: number, found: number): void {
    const to = this.steps++ * STEP_WORDS;
    if (to === this.rows.length) this.rows = grown(this.rows);
    const { rows } = this;
    rows[to + STEP.cpu] = cpu;
    rows[to + STEP.op] = op;
    rows[to + STEP.at] = at;
    rows[to + STEP.found] = found;
    rows[to + STEP.left] = found;
  }

  /** Notes what the latest step left in its word. */
  leave(left: number): void {
    this.rows[(this.steps - 1) * STEP_WORDS + STEP.left] = left;
  }

  addChoice(cpu: number, alternatives: number, chosen: number): void {
    const to = this.choices++ * CHOICE_WORDS;
    if (to === this.chosen.length) this.chosen = grown(this.chosen);
    this.chosen[to + CHOICE.cpu] = cpu;
    this.chosen[to + CHOICE.alternatives] = alternatives;
    this.chosen[to + CHOICE.chosen] = chosen;
    this.chosen[to + CHOICE.steps] = this.steps;
  }

  /** Field `field` (a value of `STEP`) of step `step`. */
  step(step: number, field: number): number {
    return this.rows[step * STEP_WORDS + field]!;
  }

  /** Field `field` (a value of `CHOICE`) of choice `choice`. */
  choice(choice: number, field: number): number {
    return this.chosen[choice * CHOICE_WORDS + field]!;
  }

  /** A copy of the first `steps` steps, `STEP_WORDS` words each; those that were decided. */
  copySteps(steps = this.decided): Int32Array<ArrayBuffer> {
    return this.rows.slice(0, steps * STEP_WORDS);
  }

  /** A copy of the choices, `CHOICE_WORDS` words each. */
  copyChoices(): Int32Array<ArrayBuffer> {
    return this.chosen.slice(0, this.choices * CHOICE_WORDS);
  }
}

function grown(words: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * words.length);
  larger.set(words);
  return larger;
}
