/**
 * Carries a schedule out once more and writes down what no history holds: from where each step was
 * made, what its word was called then, and what the CPUs did quietly between steps.
 */
import type { CacheAct } from '#oracles/cache-name';
import type { NamedWord } from '#oracles/word-name';
import type { FactName } from '#trace/fact';
import type { DecodedEvent } from '#trace/ring';
import type { Execution } from '../execution.ts';
import { ReplayStrategy, type Schedule } from '../schedule.ts';
import type { SteppedMachine } from '../stepped-machine.ts';
import { Recorder } from './recorder.ts';
import type { Frame } from './sites.ts';
import { Twin } from './twin.ts';

/** A step with all that is known of it. `announced`: how many steps stood before its passage. */
export interface RecordedStep {
  readonly step: number;
  readonly cpu: number;
  readonly op: number;
  readonly at: number;
  readonly found: number;
  readonly left: number;
  readonly announced: number;
  readonly word: NamedWord;
  readonly frames: readonly Frame[];
  readonly actor: string;
  readonly operation: number;
}

/** What a CPU did quietly after step `after` (-1: before all steps), and from where. */
export type QuietAct = {
  readonly after: number;
  readonly cpu: number;
  readonly frames: readonly Frame[];
} & (
  | { readonly kind: DecodedEvent['kind']; readonly a: number; readonly name: string }
  | { readonly kind: 'fact'; readonly fact: FactName; readonly words: readonly number[] }
  | { readonly kind: 'took' | 'releases'; readonly lock: number; readonly name: string }
  | { readonly kind: 'rcu-enter' | 'rcu-leave' | 'no-memory' }
  | CacheAct
  | { readonly kind: 'page'; readonly page: number; readonly from: number; readonly to: number }
);

export interface Recording {
  readonly execution: Execution;
  readonly machine: SteppedMachine;
  /** Those of the main phase, and from `decided` on those of the fair phase. */
  readonly steps: readonly RecordedStep[];
  readonly decided: number;
  readonly quiet: readonly QuietAct[];
}

/** Executes `schedule` on a machine like `machine`, whose tree it borrows. */
export function record(machine: SteppedMachine, schedule: Schedule, stepsMax?: number): Recording {
  const recorders: Recorder[] = [];
  const twin = new Twin(machine, stepsMax, (stepper) => {
    recorders[0] ??= new Recorder(stepper, twin.machine.words, machine.map);
    return recorders[0];
  });
  const execution = twin.execute(new ReplayStrategy(schedule));
  const { decided } = execution.history;
  const { steps, acts } = recorders[0]?.finish() ?? { steps: [], acts: [] };
  return { execution, machine: twin.machine, steps, decided, quiet: acts };
}
