/** One execution: how it ended, what it did, and what is wrong. */
import type { Verdict } from '#oracles/verdict';
import type { History } from './history.ts';
import type { Strategy } from './strategy.ts';

/**
 * `done`: all phases and the end of the process; `halted`: a fact left memory in doubt; `deadlock`:
 * nobody can go on; `livelock`: the fair phase does not come to its end; `steps`: cut off at the
 * limit; `abandoned`: the strategy has seen its like; `exhausted`: the strategy has none left, and
 * nothing was done.
 */
export type ExecutionEnd =
  | 'done'
  | 'halted'
  | 'deadlock'
  | 'livelock'
  | 'steps'
  | 'abandoned'
  | 'exhausted';

export interface Execution {
  readonly end: ExecutionEnd;
  readonly verdicts: readonly Verdict[];
  /** What was seen, as bits of `OUTCOMES`. */
  readonly outcomes: number;
  /** Good until the next execution. */
  readonly history: History;
}

/** What can be executed again and again: a plan's machine, or a model. */
export interface Subject {
  readonly cpus: number;
  execute(strategy: Strategy, execution: number): Execution;
}
