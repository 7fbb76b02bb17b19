/**
 * The shortest schedule of a subject that still ends in the violation: as few preemptions as can
 * be, proven where there is time for it, nothing unusual at choice points, and as few steps as that
 * many preemptions allow.
 *
 * The proof is iterative context bounding: all schedules with fewer preemptions are tried.
 */

import type { Execution, Subject } from '../execution.ts';
import { ReplayStrategy, type Schedule, type Stretch } from '../schedule.ts';
import { BoundedDfsStrategy } from '../strategies/bounded-dfs.ts';
import type { Strategy } from '../strategy.ts';
import { type Clock, type Found, isShorter, Trials } from './shrink-trial.ts';

export interface ShrinkLimits {
  /** When to be done, on the clock `now`. */
  readonly deadlineMs: number;
  readonly now: Clock;
}

export interface ShrunkSchedule {
  readonly schedule: Schedule;
  readonly preemptions: number;
  /** Whether it is proven that fewer preemptions do not do. */
  readonly minimal: boolean;
  readonly steps: number;
  readonly executions: number;
}

/** Of what is left, how much may be spent on each part of the work. */
const REMOVAL_SHARE = 0.25;
const LOWERING_SHARE = 0.4;
const PROOF_SHARE = 0.7;

/** Returns the schedule itself if it does not end in what `isSame` recognizes. */
export function shrinkSchedule(
  subject: Subject,
  schedule: Schedule,
  isSame: (execution: Execution) => boolean,
  { deadlineMs, now }: ShrinkLimits,
): ShrunkSchedule {
  const trials = new Trials(isSame, now);
  const found =
    now() < deadlineMs ? trials.attempt(subject, new ReplayStrategy(schedule), 0) : null;
  if (found === null) {
    const preemptions = schedule.stretches.filter(({ steps }) => steps !== null).length;
    return { schedule, preemptions, minimal: false, steps: 0, executions: trials.executions };
  }
  const { best, minimal } = shortest(subject, found, trials, deadlineMs);
  const { preemptions, steps } = best;
  return { schedule: best.schedule, preemptions, minimal, steps, executions: trials.executions };
}

/** From one schedule that does it to the shortest that is found by `deadlineMs`. */
export function shortest(
  subject: Subject,
  found: Found,
  trials: Trials,
  deadlineMs: number,
): { best: Found; minimal: boolean } {
  const part = (share: number): number => trials.now() + share * (deadlineMs - trials.now());
  const work = new Shortening(subject, found, trials);
  work.removeAll(part(REMOVAL_SHARE));
  work.lower(part(LOWERING_SHARE));
  work.prove(part(PROOF_SHARE));
  work.moveSwitches(deadlineMs);
  work.removeAll(deadlineMs);
  return { best: work.best, minimal: work.isProven };
}

class Shortening {
  best: Found;
  isProven = false;
  private readonly subject: Subject;
  private readonly trials: Trials;

  constructor(subject: Subject, best: Found, trials: Trials) {
    this.subject = subject;
    this.best = best;
    this.trials = trials;
  }

  /** Takes stretches and choices away, one at a time, as long as that helps. */
  removeAll(untilMs: number): void {
    while (this.removeChoices(untilMs) || this.removeStretches(untilMs));
  }

  /** Tries schedules with fewer preemptions and the same choices, the fewest first. */
  lower(untilMs: number): void {
    const { preemptions, choices, schedule } = this.best;
    if (preemptions === 0 || choices === 0) return;
    this.goThrough(new SameChoices(preemptions - 1, schedule.choices), untilMs);
  }

  /** Tries all schedules with fewer preemptions than the best one has, the fewest first. */
  prove(untilMs: number): void {
    const { preemptions } = this.best;
    this.isProven =
      preemptions === 0 || this.goThrough(new BoundedDfsStrategy(preemptions - 1), untilMs);
  }

  /** Until one is found or there is none left: true; or there is no time left: false. */
  private goThrough(search: Strategy, untilMs: number): boolean {
    for (let execution = 0; this.trials.now() < untilMs; execution++) {
      const found = this.trials.attempt(this.subject, search, execution);
      if (found !== null) this.best = found;
      if (found !== null || this.trials.end === 'exhausted') return true;
    }
    return false;
  }

  /** Moves each preemption to where fewer steps are taken in all. */
  moveSwitches(untilMs: number): void {
    for (let hasMoved = true; hasMoved; ) {
      hasMoved = false;
      for (let i = 0; i < this.best.schedule.stretches.length; i++)
        if (this.moveSwitch(i, untilMs)) hasMoved = true;
    }
  }

  private moveSwitch(index: number, untilMs: number): boolean {
    const { stretches } = this.best.schedule;
    if (stretches[index]!.steps === null) return false;
    const before = this.best;
    for (let steps = 1; steps <= before.steps && this.trials.now() < untilMs; steps++) {
      const moved = stretches.with(index, { ...stretches[index]!, steps });
      this.tryOut({ ...before.schedule, stretches: moved });
    }
    return this.best !== before;
  }

  private removeStretches(untilMs: number): boolean {
    const before = this.best;
    for (let i = this.best.schedule.stretches.length - 1; i >= 0; i--) {
      const { stretches } = this.best.schedule;
      if (this.trials.now() >= untilMs || i >= stretches.length) continue;
      const stretch = stretches[i]!;
      const without = stretches.filter((_, at) => at !== i);
      if (this.tryStretches(without) || stretch.steps === null) continue;
      if (this.tryStretches(stretches.with(i, { cpu: stretch.cpu, steps: null }))) continue;
      this.tryStretches(withMerged(stretches, i));
    }
    return this.best !== before;
  }

  private removeChoices(untilMs: number): boolean {
    const before = this.best;
    for (let i = this.best.schedule.choices.length - 1; i >= 0; i--) {
      const { schedule } = this.best;
      if (this.trials.now() >= untilMs || !schedule.choices[i]) continue;
      if (this.tryOut({ ...schedule, choices: schedule.choices.with(i, 0) })) continue;
      this.tryOut({ ...schedule, choices: schedule.choices.filter((_, at) => at !== i) });
    }
    return this.best !== before;
  }

  private tryStretches(stretches: readonly Stretch[]): boolean {
    return this.tryOut({ ...this.best.schedule, stretches });
  }

  /** Takes a schedule for the best if it is shorter and does it. */
  private tryOut(schedule: Schedule): boolean {
    const found = this.trials.attempt(this.subject, new ReplayStrategy(schedule), 0);
    if (found === null || !isShorter(found, this.best)) return false;
    this.best = found;
    return true;
  }
}

/** The systematic search with choices that are given, so that there is less to go through. */
class SameChoices extends BoundedDfsStrategy {
  private readonly choices: readonly number[];
  private made = 0;

  constructor(boundMax: number, choices: readonly number[]) {
    super(boundMax);
    this.choices = choices;
  }

  override begin(): boolean {
    this.made = 0;
    return super.begin();
  }

  override choose(_cpu: number, alternatives: number): number {
    const chosen = this.choices[this.made++] ?? 0;
    return chosen < alternatives ? chosen : 0;
  }
}

/** Stretch `index` with the next one of its CPU, and what came between them after both. */
function withMerged(stretches: readonly Stretch[], index: number): Stretch[] {
  const { cpu, steps } = stretches[index]!;
  const next = stretches.findIndex((each, at) => at > index && each.cpu === cpu);
  if (next < 0) return [...stretches];
  const more = stretches[next]!.steps;
  const merged = { cpu, steps: more === null || steps === null ? null : steps + more };
  const others = stretches.filter((_, at) => at !== next);
  return others.with(index, merged);
}
