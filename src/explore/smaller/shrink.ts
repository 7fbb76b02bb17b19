/**
 * From a failing execution to the smallest that fails the same way: fewer operations and CPUs, a
 * smaller machine, then fewer preemptions, nothing unusual at choice points, fewer steps. Whatever
 * is taken on the way has been executed and ended in a violation of the same kind, and what is
 * returned has been replayed.
 */
import type { Plan } from '#scenario/plan';
import type { Execution } from '../execution.ts';
import { ReplayStrategy, type Schedule } from '../schedule.ts';
import { NOT_REDUCED, type Reduction } from './reduction.ts';
import { type MakeMachine, PlanShrinker } from './shrink-plan.ts';
import { type ShrinkLimits, shortest } from './shrink-schedule.ts';
import { Trials } from './shrink-trial.ts';

export interface Shrunk {
  readonly plan: Plan;
  /** What makes `plan` of the plan that was given. */
  readonly reduction: Reduction;
  readonly schedule: Schedule;
  readonly preemptions: number;
  /** Whether it is proven that fewer preemptions do not do. */
  readonly minimal: boolean;
  /** Steps up to the fair phase; 0 if nothing was executed. */
  readonly steps: number;
  readonly executions: number;
}

/** Of the time, how much may be spent on the plan; the rest is for the schedule. */
const PLAN_SHARE = 0.6;
const REPLAYS = 3;

/**
 * `kind`: of the first verdict. Returns what was given if that does not fail so, or if there is no
 * time.
 */
export function shrink(
  makeMachine: MakeMachine,
  plan: Plan,
  schedule: Schedule,
  kind: string,
  { deadlineMs, now }: ShrinkLimits,
): Shrunk {
  const isSame = ({ verdicts }: Execution): boolean => verdicts[0]?.kind === kind;
  const trials = new Trials(isSame, now);
  const began = now();
  const given = (): Shrunk => ({
    ...{ plan, reduction: NOT_REDUCED, schedule, minimal: false, steps: 0 },
    preemptions: schedule.stretches.filter(({ steps }) => steps !== null).length,
    executions: trials.executions,
  });
  if (began >= deadlineMs) return given();
  const machine = makeMachine(plan);
  const first = trials.attempt(machine, new ReplayStrategy(schedule), 0);
  if (first === null) return given();
  const planMs = began + PLAN_SHARE * (deadlineMs - began);
  const smaller = new PlanShrinker(makeMachine, plan, [machine, first], trials, planMs);
  smaller.shrink();
  const { best, minimal } = shortest(smaller.machine, smaller.found, trials, deadlineMs);
  for (let replay = 0; replay < REPLAYS; replay++)
    if (!trials.replays(smaller.machine, best.schedule)) return given();
  const { reduction } = smaller;
  const { preemptions, steps } = best;
  return {
    ...{ plan: smaller.plan, reduction, schedule: best.schedule, preemptions, minimal, steps },
    executions: trials.executions,
  };
}
