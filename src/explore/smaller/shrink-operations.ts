/**
 * A schedule told by operations: not after how many steps a CPU was preempted, but in which of its
 * operations, and after how many steps of that. Told so it keeps its meaning where other operations
 * are taken away.
 */
import type { Execution } from '../execution.ts';
import { ReplayStrategy, type Schedule } from '../schedule.ts';
import type { SteppedMachine } from '../stepped-machine.ts';
import { type Standing, type Strategy, stay } from '../strategy.ts';

/** CPU `cpu` goes on until it has taken `steps` steps of its operation number `operation`. */
export interface Turn {
  readonly cpu: number;
  readonly operation: number;
  readonly steps: number;
}

/** What was chosen, in which operation; in order. */
export interface OperationChoice {
  readonly cpu: number;
  readonly operation: number;
  readonly chosen: number;
}

export interface OperationSchedule {
  readonly turns: readonly Turn[];
  readonly choices: readonly OperationChoice[];
}

/** Carries a schedule out and tells it by operations. */
export function byOperations(machine: SteppedMachine, schedule: Schedule): OperationSchedule {
  const telling = new TellingStrategy(machine, new ReplayStrategy(schedule));
  machine.execute(telling, 0);
  return telling;
}

/**
 * By which numbers a column's operations go; null: that CPU is gone, and the others have moved up.
 */
export type Numbers = readonly number[] | null;

/**
 * The same of columns in which other operations are left. One that is gone is skipped: where a CPU
 * was preempted in it, it is before the next.
 */
export function moved(
  { turns, choices }: OperationSchedule,
  before: readonly Numbers[],
  after: readonly Numbers[],
): OperationSchedule {
  const columns = before.flatMap((numbers, column) => (numbers === null ? [] : [column]));
  const left = after.flatMap((numbers, column) => (numbers === null ? [] : [column]));
  const place = (cpu: number, operation: number) => {
    const column = columns[cpu]!;
    const numbers = after[column] ?? [];
    const number = before[column]![operation] ?? Number.POSITIVE_INFINITY;
    const at = numbers.findIndex((each) => each >= number);
    const isKept = at < 0 ? number === Number.POSITIVE_INFINITY : numbers[at] === number;
    return { cpu: left.indexOf(column), operation: at < 0 ? numbers.length : at, isKept };
  };
  return {
    turns: turns.flatMap((turn) => {
      const { isKept, ...where } = place(turn.cpu, turn.operation);
      return where.cpu < 0 ? [] : [{ ...where, steps: isKept ? turn.steps : 0 }];
    }),
    choices: choices.flatMap(({ cpu, operation, chosen }) => {
      const { isKept, ...where } = place(cpu, operation);
      return isKept && where.cpu >= 0 ? [{ ...where, chosen }] : [];
    }),
  };
}

/** Where each CPU is: operations that it has ended, and steps that it has taken since. */
class Positions {
  readonly operation: number[] = [];
  readonly steps: number[] = [];
  private readonly base: number[] = [];
  private readonly machine: SteppedMachine;

  constructor(machine: SteppedMachine) {
    this.machine = machine;
  }

  /** Before the first step. */
  start(): void {
    for (let cpu = 0; cpu < this.machine.cpus; cpu++) {
      this.base[cpu] = this.ended(cpu);
      this.operation[cpu] = 0;
      this.steps[cpu] = 0;
    }
  }

  /** CPU `cpu` has taken a step. */
  advance(cpu: number): void {
    const operation = this.ended(cpu) - this.base[cpu]!;
    this.steps[cpu] = operation === this.operation[cpu] ? this.steps[cpu]! + 1 : 0;
    this.operation[cpu] = operation;
  }

  private ended(cpu: number): number {
    const { words, map, tree } = this.machine;
    return words[map.percpu + cpu * map.percpuWords + tree.percpu.PERCPU.operation]!;
  }
}

class TellingStrategy implements Strategy, OperationSchedule {
  readonly turns: Turn[] = [];
  readonly choices: OperationChoice[] = [];
  private readonly positions: Positions;
  private readonly strategy: Strategy;

  constructor(machine: SteppedMachine, strategy: Strategy) {
    this.positions = new Positions(machine);
    this.strategy = strategy;
  }

  begin(execution: number, cpus: number, standing: Standing): boolean {
    return this.strategy.begin(execution, cpus, standing);
  }

  pick(enabled: number, running: number): number {
    const { positions } = this;
    if (running < 0) positions.start();
    else positions.advance(running);
    const next = this.strategy.pick(enabled, running);
    if (running >= 0 && next !== running) {
      const [operation, steps] = [positions.operation[running]!, positions.steps[running]!];
      this.turns.push({ cpu: running, operation, steps });
    }
    return next;
  }

  choose(cpu: number, alternatives: number): number {
    const chosen = this.strategy.choose(cpu, alternatives);
    this.choices.push({ cpu, operation: this.positions.operation[cpu] ?? 0, chosen });
    return chosen;
  }

  end(history: Execution['history']): void {
    this.strategy.end?.(history);
  }
}

/** Carries out what `byOperations` tells, as far as it goes. */
export class OperationStrategy implements Strategy {
  private readonly schedule: OperationSchedule;
  private readonly positions: Positions;
  private turn = 0;
  private left: OperationChoice[] = [];

  constructor(machine: SteppedMachine, schedule: OperationSchedule) {
    this.positions = new Positions(machine);
    this.schedule = schedule;
  }

  begin(): boolean {
    this.turn = 0;
    this.left = [...this.schedule.choices];
    return true;
  }

  pick(enabled: number, running: number): number {
    const { turns } = this.schedule;
    if (running < 0) this.positions.start();
    else this.positions.advance(running);
    for (; this.turn < turns.length; this.turn++) {
      const { cpu } = turns[this.turn]!;
      if ((enabled & (1 << cpu)) !== 0 && !this.isOver(turns[this.turn]!)) return cpu;
    }
    return stay(enabled, running);
  }

  choose(cpu: number, alternatives: number): number {
    const operation = this.positions.operation[cpu] ?? 0;
    const at = this.left.findIndex((each) => each.cpu === cpu && each.operation === operation);
    if (at < 0) return 0;
    const [{ chosen }] = this.left.splice(at, 1) as [OperationChoice];
    return chosen < alternatives ? chosen : 0;
  }

  private isOver({ cpu, operation, steps }: Turn): boolean {
    const reached = this.positions.operation[cpu]!;
    return reached > operation || (reached === operation && this.positions.steps[cpu]! >= steps);
  }
}
