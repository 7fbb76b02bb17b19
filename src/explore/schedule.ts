/**
 * A schedule: who goes on for how long, and what happens at choice points. It says all that a
 * strategy decides, so that it can be carried out again: on this thread by `ReplayStrategy`, on
 * real threads by an enforced gate.
 *
 * It is told in stretches: a CPU goes on for so many steps of its own, or (`null`) as long as it
 * can. Where a schedule says nothing more, or its CPU is not enabled, the running CPU goes on, or
 * else the lowest. Hence one preemption is one stretch, and taking a stretch away leaves the rest
 * its meaning.
 */

import { CHOICE, STEP } from '#arena/layout/history';
import { UserError } from '#base/user-error';
import type { History } from './history.ts';
import { type Strategy, stay } from './strategy.ts';

export interface Stretch {
  readonly cpu: number;
  /** Null: until it waits or ends. */
  readonly steps: number | null;
}

export interface Schedule {
  readonly stretches: readonly Stretch[];
  /** What was chosen at each choice point, in order; beyond the last: what is usual. */
  readonly choices: readonly number[];
}

/** The schedule of what was done, with a stretch for each run of steps of one CPU. */
export function scheduleOf(history: History): Schedule {
  const stretches: { cpu: number; steps: number }[] = [];
  for (let step = 0; step < history.decided; step++) {
    const cpu = history.step(step, STEP.cpu);
    const latest = stretches.at(-1);
    if (latest !== undefined && latest.cpu === cpu) latest.steps++;
    else stretches.push({ cpu, steps: 1 });
  }
  const choices = Array.from({ length: history.choices }, (_, i) =>
    history.choice(i, CHOICE.chosen),
  );
  while (choices.at(-1) === 0) choices.pop();
  return { stretches, choices };
}

/** Carries a schedule out. */
export class ReplayStrategy implements Strategy {
  private readonly schedule: Schedule;
  private stretch = 0;
  private taken = 0;
  private choice = 0;

  constructor(schedule: Schedule) {
    this.schedule = schedule;
  }

  begin(): boolean {
    this.stretch = 0;
    this.taken = 0;
    this.choice = 0;
    return true;
  }

  pick(enabled: number, running: number): number {
    const { stretches } = this.schedule;
    for (; this.stretch < stretches.length; this.stretch++, this.taken = 0) {
      const { cpu, steps } = stretches[this.stretch]!;
      if ((enabled & (1 << cpu)) === 0 || this.taken === steps) continue;
      this.taken++;
      return cpu;
    }
    return stay(enabled, running);
  }

  choose(_cpu: number, alternatives: number): number {
    const chosen = this.schedule.choices[this.choice++] ?? 0;
    return chosen < alternatives ? chosen : 0;
  }
}

/** One word, e.g. `0.23-1.41-0` and, with choices, `0.23-1_0.2`. */
export function formatSchedule({ stretches, choices }: Schedule): string {
  const told = stretches.map(({ cpu, steps }) => (steps === null ? `${cpu}` : `${cpu}.${steps}`));
  return told.join('-') + (choices.length === 0 ? '' : `_${choices.join('.')}`);
}

/** Throws a `UserError` on anything that `formatSchedule` does not write. */
export function parseSchedule(text: string): Schedule {
  const [, told, chosen] =
    /^((?:\d+(?:\.\d+)?(?:-(?!$|_)|(?=_|$)))*)(?:_([\d.]+))?$/.exec(text) ?? [];
  if (told === undefined)
    throw new UserError(
      `"${text}" is no schedule; expected stretches such as 0.23-1.41-0: a CPU and its steps`,
    );
  const stretches = told
    .split('-')
    .filter((word) => word !== '')
    .map((word) => {
      const [cpu, steps] = word.split('.').map(Number);
      return { cpu: cpu!, steps: steps ?? null };
    });
  return { stretches, choices: chosen === undefined ? [] : chosen.split('.').map(Number) };
}
