/**
 * A model: a few words, and a generator for each CPU that asks the gate before each access as
 * derived code does. `ModelMachine` executes one under a strategy, with nothing around it: no boot,
 * no fair phase, no interrupts. What an execution costs is what the explorer costs.
 */
import type { CpuRef, Gate } from '#arena/gate';
import { type Verdict, verdict } from '#oracles/verdict';
import type { Execution, ExecutionEnd, Subject } from './execution.ts';
import { History } from './history.ts';
import type { Coroutine } from './stepped-tree.ts';
import { Stepper } from './stepper.ts';
import { NO_PASSAGE, type Strategy } from './strategy.ts';

/** Steps after which an execution of a model is cut off. */
const STEPS_MAX = 10_000;

export interface Model {
  readonly cpus: number;
  /** The words as an execution finds them. Word 0 is used as any other. */
  readonly initial: Int32Array;
  /** What CPU `cpu` does. */
  column(cpu: CpuRef, words: Int32Array, gate: Gate): Coroutine;
  /** What is wrong with the words at the end, or null. */
  check(words: Int32Array): Verdict | null;
}

export class ModelMachine implements Subject {
  readonly cpus: number;
  readonly model: Model;
  readonly words: Int32Array;
  private readonly history = new History(STEPS_MAX);
  private readonly stepper: Stepper;
  private readonly refs: readonly CpuRef[];
  private readonly columns: Coroutine[] = [];
  /** Executions that found nothing, by their ends. */
  private readonly silent = new Map<ExecutionEnd, Execution>();

  constructor(model: Model) {
    const { cpus, initial } = model;
    this.cpus = cpus;
    this.model = model;
    this.words = new Int32Array(initial.length);
    this.stepper = new Stepper(this.words, cpus, this.history, null);
    this.refs = Array.from({ length: cpus }, (_, id) => ({ id, block: 0 }));
  }

  /** Runs the model from its initial words, as the strategy has it for execution `execution`. */
  execute(strategy: Strategy, execution: number): Execution {
    const { model, words, history, stepper, columns, refs, cpus } = this;
    history.clear();
    if (!strategy.begin(execution, cpus, stepper.standing)) return this.quiet('exhausted');
    words.set(model.initial);
    for (let id = 0; id < cpus; id++) columns[id] = model.column(refs[id]!, words, stepper);
    const end = stepper.run(columns, strategy);
    history.decided = history.steps;
    strategy.end?.(history);
    const wrong = end === 'deadlock' ? this.deadlock() : end === 'done' ? model.check(words) : null;
    if (wrong === null) return this.quiet(end);
    return { end, verdicts: [wrong], outcomes: 0, history };
  }

  private quiet(end: ExecutionEnd): Execution {
    const known = this.silent.get(end);
    if (known !== undefined) return known;
    const execution = { end, verdicts: [], outcomes: 0, history: this.history };
    this.silent.set(end, execution);
    return execution;
  }

  private deadlock(): Verdict {
    const waiting = this.refs.map(({ id }) => id).filter((id) => this.waits(id));
    return verdict('deadlock', waiting, 'nobody can go on');
  }

  private waits(id: number): boolean {
    return this.stepper.standing.op[id] !== NO_PASSAGE;
  }
}
