/** Random plans, one after another, until one shows a difference, which is made smaller then. */
import fc from 'fast-check';
import type { Compared, Difference } from '#result/validation';
import type { Op, Plan } from '#scenario/plan';
import { type Comparison, comparePlan, type Peers } from './compare.ts';
import { randomOps } from './random-plans.ts';

export interface RandomRequest {
  /** The machine that the plans run on; its columns are not looked at. */
  readonly plan: Plan;
  readonly plans: number;
  /** Operations of a plan. */
  readonly operations: number;
  readonly seed: number;
  readonly every: number;
  readonly show: (op: Op) => string;
  readonly rssMaxKiB: number;
  readonly signal?: AbortSignal | undefined;
  /** Called after each plan. */
  readonly onPlan?: (plans: number) => void;
}

/** The smallest plan found that differs. */
export interface Differing {
  readonly ops: readonly Op[];
  readonly difference: Difference;
  readonly foundOperations: number;
  readonly trials: number;
}

export interface RandomOutcome {
  readonly plans: number;
  readonly operations: number;
  readonly checkpoints: number;
  readonly differing: Differing | null;
}

/** Says to fast-check that a plan shows a difference; anything else thrown is a fault of ours. */
class PlanDiffers extends Error {}

export async function compareRandom(peers: Peers, request: RandomRequest): Promise<RandomOutcome> {
  let plans = 0;
  let checkpoints = 0;
  let operations = 0;
  let found: { ops: readonly Op[]; compared: Compared } | null = null;
  let foundOperations = 0;
  let trials = 0;
  const property = fc.asyncProperty(randomOps(request.operations), async (ops) => {
    if (request.signal?.aborted) return;
    // Once there is a difference, every checkpoint is after one operation: the first one tells.
    const every = found === null ? request.every : 1;
    const compared = await comparePlan(peers, comparisonOf(request, ops, every));
    if (found === null) {
      plans++;
      checkpoints += compared.checkpoints;
      operations += compared.operations;
      request.onPlan?.(plans);
    } else trials++;
    if (compared.difference === null) return;
    if (found === null) foundOperations = ops.length;
    found = { ops, compared };
    throw new PlanDiffers();
  });
  const { errorInstance } = await fc.check(property, {
    numRuns: request.plans,
    seed: request.seed,
  });
  const totals = { plans, operations, checkpoints };
  const last = found as { ops: readonly Op[]; compared: Compared } | null;
  if (errorInstance !== null && !(errorInstance instanceof PlanDiffers)) throw errorInstance;
  if (last === null) return { ...totals, differing: null };
  const { ops, compared } = last;
  const difference = compared.difference!;
  return { ...totals, differing: { ops, difference, foundOperations, trials } };
}

function comparisonOf(request: RandomRequest, ops: readonly Op[], every: number): Comparison {
  const { plan, show, rssMaxKiB, signal } = request;
  const course = { every, thins: false, show, rssMaxKiB, signal };
  return { plan, name: 'random', notes: [], ops, ...course };
}
