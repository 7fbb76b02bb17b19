/** Random plans for the live kernel; one that differs is written down as a scenario. */

import { compareRandom, type Differing } from '#live/random';
import { RANDOM_REGIONS } from '#live/random-plans';
import type { RandomPlans, Shrunk } from '#result/validation';
import type { Plan } from '#scenario/plan';
import { showOp } from '#scenario/written-op';
import { writtenScenario } from '#scenario/written-scenario';
import type { Context } from './command-line.ts';
import type { Comparing } from './validate-plans.ts';

/** Operations between two checkpoints of a random plan. */
const EVERY = 3;

export interface RandomFlags {
  readonly plans: number;
  readonly operations: number;
  readonly seed: number;
  readonly onPlan: (plans: number) => void;
}

export async function compareRandomPlans(
  { engine }: Pick<Context, 'engine'>,
  { peers, request, every, rssMaxKiB, signal }: Comparing,
  flags: RandomFlags,
): Promise<RandomPlans> {
  const origin = {
    question: 'Does the simulator leave as many page tables and pages here as Linux does?',
    source: `pttorture validate --random ${flags.plans} --seed ${flags.seed}`,
    regions: RANDOM_REGIONS,
  };
  const { buildPlan } = await engine.loadScenario({
    path: 'random.yaml',
    text: writtenScenario(origin, EMPTY, []),
  });
  const plan = buildPlan({ ...request, parameters: {} });
  const outcome = await compareRandom(peers, {
    ...{ plan, every: every ?? EVERY, rssMaxKiB, signal, ...flags },
    show: (op) => showOp(op, plan.regions),
  });
  const { differing, ...totals } = outcome;
  const scenario = (ops: Differing['ops']): string => writtenScenario(origin, plan, ops);
  return { ...totals, shrunk: differing === null ? null : shrunkOf(plan, differing, scenario) };
}

const EMPTY: Pick<Plan, 'regions'> = { regions: [] };

function shrunkOf(
  plan: Plan,
  { ops, ...rest }: Differing,
  scenario: (ops: Differing['ops']) => string,
): Shrunk {
  return { ops: ops.map((op) => showOp(op, plan.regions)), scenario: scenario(ops), ...rest };
}
