/**
 * Trials of shrinking: executions of which it is asked whether they end in the violation that is
 * being shrunk, and by which schedule.
 */
import type { Execution, ExecutionEnd, Subject } from '../execution.ts';
import { ReplayStrategy, type Schedule, type Stretch, scheduleOf } from '../schedule.ts';
import { makeStrategy } from '../strategies/registry.ts';
import { type Standing, type Strategy, stay } from '../strategy.ts';

/** Milliseconds, from an unspecified moment on. */
export type Clock = () => number;

/** An execution that ended in the violation, as the shortest way to tell its schedule. */
export interface Found {
  readonly schedule: Schedule;
  readonly preemptions: number;
  /** Choices other than what is usual. */
  readonly choices: number;
  /** Steps up to the fair phase. */
  readonly steps: number;
}

/** What a search has found, and after how many executions. */
export interface Search {
  readonly found: Found | null;
  readonly executions: number;
}

export class Trials {
  executions = 0;
  /** How the latest execution of an attempt ended. */
  end: ExecutionEnd = 'done';
  readonly now: Clock;
  private readonly isSame: (execution: Execution) => boolean;

  constructor(isSame: (execution: Execution) => boolean, now: Clock) {
    this.isSame = isSame;
    this.now = now;
  }

  /** Executes; null if it ends otherwise, or what was noted does not lead there again. */
  attempt(subject: Subject, strategy: Strategy, execution: number): Found | null {
    const noting = new NotingStrategy(strategy);
    this.executions++;
    const done = subject.execute(noting, execution);
    this.end = done.end;
    if (!this.isSame(done)) return null;
    const { choices } = scheduleOf(done.history);
    const found: Found = {
      schedule: { stretches: noting.stretches(), choices },
      preemptions: noting.preemptions,
      choices: choices.filter((chosen) => chosen !== 0).length,
      steps: done.history.decided,
    };
    return this.replays(subject, found.schedule) ? found : null;
  }

  /** Whether a schedule ends in the violation. */
  replays(subject: Subject, schedule: Schedule): boolean {
    this.executions++;
    return this.isSame(subject.execute(new ReplayStrategy(schedule), 0));
  }

  /** Tries what `likely` proposes, and then what chance does. */
  search(subject: Subject, likely: Strategy, executionsMax: number, untilMs: number): Search {
    const found = this.attempt(subject, likely, 0);
    if (found !== null) return { found, executions: 0 };
    const seed = this.executions;
    const strategies = [
      makeStrategy('pos', { seed }),
      makeStrategy('pct', { seed, depth: 3 }),
      makeStrategy('random', { seed }),
    ];
    for (let execution = 0; execution < executionsMax && this.now() < untilMs; execution++) {
      const strategy = strategies[execution % strategies.length]!;
      const found = this.attempt(subject, strategy, execution);
      if (found !== null) return { found, executions: execution + 1 };
    }
    return { found: null, executions: executionsMax };
  }
}

/** Fewer preemptions first, then fewer unusual choices, then fewer steps, then fewer stretches. */
export function isShorter(one: Found, other: Found): boolean {
  if (one.preemptions !== other.preemptions) return one.preemptions < other.preemptions;
  if (one.choices !== other.choices) return one.choices < other.choices;
  if (one.steps !== other.steps) return one.steps < other.steps;
  return one.schedule.stretches.length < other.schedule.stretches.length;
}

/**
 * Does as another strategy does, and notes it in stretches. A CPU that went on as long as it could
 * is noted so; one that was preempted, with its steps.
 */
class NotingStrategy implements Strategy {
  preemptions = 0;
  private readonly noted: Stretch[] = [];
  private taken = 0;
  /** Who took the last step; -1: nobody yet. */
  private latest = -1;
  /** Stretches up to the last that need be told: from there on, it goes as it goes of itself. */
  private told = 1;
  private readonly strategy: Strategy;

  constructor(strategy: Strategy) {
    this.strategy = strategy;
  }

  begin(execution: number, cpus: number, standing: Standing): boolean {
    return this.strategy.begin(execution, cpus, standing);
  }

  pick(enabled: number, running: number): number {
    const next = this.strategy.pick(enabled, running);
    if (next !== stay(enabled, running)) this.told = this.noted.length + Number(running >= 0) + 1;
    if (running >= 0 && next !== running) {
      const isPreempted = (enabled & (1 << running)) !== 0;
      this.noted.push({ cpu: running, steps: isPreempted ? this.taken : null });
      if (isPreempted) this.preemptions++;
      this.taken = 0;
    }
    this.taken++;
    this.latest = next;
    return next;
  }

  choose(cpu: number, alternatives: number): number {
    return this.strategy.choose(cpu, alternatives);
  }

  end(history: Execution['history']): void {
    this.strategy.end?.(history);
  }

  stretches(): Stretch[] {
    if (this.latest < 0) return [];
    return [...this.noted, { cpu: this.latest, steps: null }].slice(0, this.told);
  }
}
