/**
 * Shrinking: from what a search finds in shipped scenarios to one or two operations and as few
 * preemptions as can be. Time is counted in looks at the clock here, so that it is always the same.
 */
import { describe, expect, test } from 'vitest';
import { lineEditOf } from '#catalogue/broken-version';
import { brokenVersion } from '#catalogue/named.suite';
import type { Plan } from '#scenario/plan';
import { modelM1, modelM2, modelM3 } from '../../../bench/models.ts';
import { planOf } from '../catalogue.suite.ts';
import type { Subject } from '../execution.ts';
import { ModelMachine } from '../model-machine.ts';
import { formatSchedule, ReplayStrategy, type Schedule, scheduleOf } from '../schedule.ts';
import { RandomStrategy } from '../strategies/random.ts';
import { formatReduction, NOT_REDUCED, parseReduction, reducePlan } from './reduction.ts';
import { machines, settledPlan } from './settle.suite.ts';
import { settlePlan } from './settle.ts';
import { shrink } from './shrink.ts';
import { shrinkSchedule } from './shrink-schedule.ts';
import { smallGeometry } from './small-geometry.ts';

/** Executions of one plan, and plans. */
const EXECUTIONS = 100;
const PLANS_MAX = 20;

interface Failure {
  readonly plan: Plan;
  readonly schedule: Schedule;
  readonly kind: string;
  readonly steps: number;
}

/** Time that passes by one at each look. */
function ticking(ticks: number): { deadlineMs: number; now: () => number } {
  let now = 0;
  return { deadlineMs: ticks, now: () => now++ };
}

function firstFailure(subject: Subject, plan: Plan): Failure | null {
  const strategy = new RandomStrategy(plan.seed, 100_000);
  for (let execution = 0; execution < EXECUTIONS; execution++) {
    const { verdicts, history } = subject.execute(strategy, execution);
    const [first] = verdicts;
    if (first === undefined) continue;
    return { plan, schedule: scheduleOf(history), kind: first.kind, steps: history.decided };
  }
  return null;
}

async function broken(name: string) {
  const version = brokenVersion(name);
  const makeMachine = await machines(lineEditOf(version));
  const small = smallGeometry(planOf(version));
  for (let seed = 1; seed <= PLANS_MAX; seed++) {
    const plan = settlePlan({ ...small, seed });
    const failure = firstFailure(makeMachine(plan), plan);
    if (failure !== null) return { makeMachine, failure };
  }
  throw new Error(`nothing is wrong with ${name}`);
}

test.each([
  ['no-pmd-recheck', 1],
  ['scan-without-ptl', 2],
  ['no-reverify', 2],
  ['blocking-pml-under-ptl', 1],
  ['no-shootdown', 1],
  ['skipped-forgotten', 0],
])('%s shrinks to two operations and %i preemptions at most', async (name, preemptionsMax) => {
  const { makeMachine, failure } = await broken(name);
  const { plan, schedule, kind, steps } = failure;
  const shrunk = shrink(makeMachine, plan, schedule, kind, ticking(15_000));
  const operations = shrunk.plan.columns.flat().length;
  expect(operations).toBeLessThanOrEqual(3);
  expect(shrunk.preemptions).toBeLessThanOrEqual(preemptionsMax);
  expect(shrunk.minimal).toBe(true);
  expect(shrunk.steps).toBeLessThan(steps);
  // What is told of it in words makes the same of what was given.
  const reduction = parseReduction(formatReduction(shrunk.reduction));
  expect(reducePlan(plan, reduction)).toEqual(shrunk.plan);
  const machine = makeMachine(shrunk.plan);
  for (let replay = 0; replay < 10; replay++) {
    const { verdicts, history } = machine.execute(new ReplayStrategy(shrunk.schedule), replay);
    expect(verdicts[0]!.kind).toBe(kind);
    expect(history.decided).toBe(shrunk.steps);
  }
});

describe('what is given is returned', async () => {
  const { makeMachine, failure } = await broken('no-pmd-recheck');
  const { plan, schedule, kind } = failure;
  const original = { plan, schedule, reduction: NOT_REDUCED, minimal: false };

  test('where there is no time', () => {
    const shrunk = shrink(makeMachine, plan, schedule, kind, ticking(0));
    expect(shrunk).toMatchObject({ ...original, executions: 0 });
  });

  test('where it does not fail so', () => {
    const other = shrink(makeMachine, plan, schedule, 'double-free', ticking(15_000));
    expect(other).toMatchObject({ ...original, executions: 1 });
    const { stretches } = schedule;
    const whole = { stretches: stretches.slice(0, 1), choices: [] };
    const shrunk = shrink(makeMachine, plan, whole, kind, ticking(15_000));
    expect(shrunk).toMatchObject({ plan, schedule: whole });
  });

  test.each([1, 3, 30, 300])('or something that fails so, after %i looks at the clock', (ticks) => {
    const shrunk = shrink(makeMachine, plan, schedule, kind, ticking(ticks));
    const machine = makeMachine(shrunk.plan);
    const { verdicts } = machine.execute(new ReplayStrategy(shrunk.schedule), 0);
    expect(verdicts[0]!.kind).toBe(kind);
  });
});

test.each([
  ['M1', modelM1(true)],
  ['M2', modelM2(1, true)],
  ['M2 with three walkers', modelM2(3, true)],
  ['M3', modelM3(true)],
])('%s needs one preemption, and that is proven', (_, model) => {
  const subject = new ModelMachine(model);
  const plan = settledPlan('fault-vs-zap', 'none');
  for (let seed = 1; seed <= 10; seed++) {
    const failure = firstFailure(subject, { ...plan, seed });
    if (failure === null) continue;
    const { schedule } = failure;
    const isSame = ({ verdicts }: { verdicts: readonly unknown[] }) => verdicts.length > 0;
    const shrunk = shrinkSchedule(subject, schedule, isSame, ticking(20_000));
    expect(shrunk).toMatchObject({ preemptions: 1, minimal: true });
    const { verdicts } = subject.execute(new ReplayStrategy(shrunk.schedule), 0);
    expect(verdicts.length).toBe(1);
    expect(formatSchedule(shrunk.schedule).length).toBeLessThanOrEqual(12);
  }
});
