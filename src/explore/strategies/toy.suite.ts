/**
 * Toys for the tests of strategies: hand-written CPUs of a few steps each over a few words. A CPU
 * is a list of steps; what is wrong is read from the order in which they were taken.
 */
import { GATE } from '#arena/gate';
import { CHOICE, STEP } from '#arena/layout/history';
import type { CpuEnd } from '#tasks/cpu-main';
import type { ExecutionEnd } from '../execution.ts';
import { History } from '../history.ts';
import { Stepper } from '../stepper.ts';
import type { Strategy } from '../strategy.ts';

/** A step: the kind of passage, the word, and what it leaves there (null: what it found). */
export interface ToyStep {
  readonly op: number;
  readonly at: number;
  readonly value: number | 'one more' | null;
  /** Goes back so many steps (0: does this one again) while the word is not that. */
  readonly until?: { readonly value: number; readonly back: number };
  /** Comes to a choice point of so many alternatives after the step. */
  readonly choices?: number;
}

export const WORDS = 64;

export class Toy {
  readonly cpus: number;
  readonly history: History;
  readonly words = new Int32Array(WORDS);
  private readonly stepper: Stepper;
  private readonly columns: readonly (readonly ToyStep[])[];

  constructor(columns: readonly (readonly ToyStep[])[], stepsMax = 1000) {
    this.columns = columns;
    this.cpus = columns.length;
    this.history = new History(stepsMax);
    this.stepper = new Stepper(this.words, this.cpus, this.history, null);
  }

  execute(strategy: Strategy, execution: number): ExecutionEnd {
    const { history, stepper } = this;
    history.clear();
    if (!strategy.begin(execution, this.cpus, stepper.standing)) return 'exhausted';
    this.words.fill(0);
    const end = stepper.run(
      this.columns.map((_, id) => this.live(id)),
      strategy,
    );
    history.decided = history.steps;
    strategy.end?.(history);
    return end;
  }

  /** The CPUs in the order of their steps, e.g. `0011`, and behind each choice what was chosen. */
  order(): string {
    const { history } = this;
    const cpus = Array.from({ length: history.steps }, (_, i) => history.step(i, STEP.cpu));
    const chosen = Array.from({ length: history.choices }, (_, i) =>
      history.choice(i, CHOICE.chosen),
    );
    return [cpus.join(''), ...chosen].join('.');
  }

  private *live(id: number): Generator<undefined, CpuEnd, undefined> {
    const { stepper, words } = this;
    const cpu = { id, block: 0 };
    const column = this.columns[id]!;
    for (let i = 0; i < column.length; i++) {
      const { op, at, value, until, choices } = column[i]!;
      if (stepper.pass(cpu, op, at, 0)) yield;
      if (value !== null) words[at] = value === 'one more' ? words[at]! + 1 : value;
      if (choices !== undefined) stepper.choose(cpu, choices);
      if (until !== undefined && words[at] !== until.value) i -= until.back + 1;
    }
    return 'done';
  }
}

/** `count` steps that have nothing to do with any other CPU's. */
export function alone(cpu: number, count: number): ToyStep[] {
  return Array.from({ length: count }, (_, i) => ({
    op: GATE.store,
    at: WORDS - 1 - cpu,
    value: i,
  }));
}

/** Looks at the word, and goes back so many steps until it is 1. */
export function retry(at: number, back: number): ToyStep {
  return { ...load(at), until: { value: 1, back } };
}

export function store(at: number, value: number): ToyStep {
  return { op: GATE.store, at, value };
}

export function load(at: number): ToyStep {
  return { op: GATE.load, at, value: null };
}

/** The orders of so many executions, or of all until the strategy has none left. */
export function orders(toy: Toy, strategy: Strategy, executions: number): string[] {
  const found: string[] = [];
  for (let execution = 0; execution < executions; execution++) {
    if (toy.execute(strategy, execution) === 'exhausted') break;
    found.push(toy.order());
  }
  return found;
}

/** In how many of the executions an order was taken that matches. */
export function frequency(found: readonly string[], bad: RegExp): number {
  return found.filter((order) => bad.test(order)).length / found.length;
}
