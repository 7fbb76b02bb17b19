/**
 * The search loop: one plan after another, execution after execution, until something is found or
 * nothing is left. A plan that leaves nothing to chance is searched as it is; of one that does,
 * each seed is another plan, and gets so many executions.
 *
 * Several searchers share the work: searcher `lane` of `lanes` takes every `lanes`-th seed, so that
 * together they try what one alone would, in any number.
 */
import type { Plan } from '#scenario/plan';
import type { Execution } from './execution.ts';
import { formatSchedule, scheduleOf } from './schedule.ts';
import { signature } from './signature.ts';
import { NOT_REDUCED, type Reduction, reducePlan } from './smaller/reduction.ts';
import { settlePlan } from './smaller/settle.ts';
import { geometryFor, smallGeometry } from './smaller/small-geometry.ts';
import { SteppedMachine } from './stepped-machine.ts';
import type { SteppedTree } from './stepped-tree.ts';
import { isSystematic, makeStrategy, type StrategyName } from './strategies/registry.ts';
import type { Strategy } from './strategy.ts';
import { TraceCensus } from './trace-census.ts';

export interface StrategyChoice {
  readonly name: StrategyName;
  readonly depth?: number | undefined;
  readonly bound?: number | undefined;
}

export interface SearchOrder {
  /** As the scenario has it; what is searched is `explorationPlan` of it. */
  readonly plan: Plan;
  readonly strategy: StrategyChoice;
  /** Executions of this searcher; null: no limit. */
  readonly executionsMax: number | null;
  readonly lane: number;
  readonly lanes: number;
}

/** A violation, with all that is needed to see it again. */
export interface Found {
  readonly kind: string;
  readonly message: string;
  readonly cpus: readonly number[];
  /** Violations of one signature count as the same. */
  readonly signature: string;
  readonly planSeed: number;
  readonly execution: number;
  /** Of the main phase. */
  readonly steps: number;
  readonly schedule: string;
}

export interface Figures {
  executions: number;
  /** Executions that the strategy gave up, since they would have become like others. */
  abandoned: number;
  steps: number;
  /** The longest main phase. */
  longest: number;
  /** Different traces, and final states. */
  traces: number;
  states: number;
  /** Different traces among the latest thousand executions. */
  latestNew: number;
  violations: number;
  /** Plans drawn, by seeds; whether there is one only. */
  plans: number;
  isOnePlan: boolean;
  /** Outcomes seen at all, and in every execution. */
  someOutcomes: number;
  allOutcomes: number;
  /** Which part of the search is done, and the chance of one execution to find a bug. */
  done: number | null;
  chance: number | null;
}

/** Executions of each seed of a plan that leaves things to chance. */
const EXECUTIONS_PER_PLAN = 200;
/** Executions of which the new traces are counted, to tell how much is left. */
const LATEST = 1000;

/** The plan that is searched: a straight line of operations on a small machine. */
export function explorationPlan(
  plan: Plan,
  seed: number,
  reduction: Reduction = NOT_REDUCED,
): Plan {
  return reducePlan(settlePlan({ ...smallGeometry(plan), seed }), reduction);
}

export class Search {
  readonly figures: Figures = {
    ...{ executions: 0, abandoned: 0, steps: 0, longest: 0, traces: 0, states: 0, latestNew: 0 },
    ...{ violations: 0, plans: 0, isOnePlan: false, someOutcomes: 0, allOutcomes: -1 },
    ...{ done: null, chance: null },
  };
  /** True: the strategy has tried all that it can try. */
  isExhausted = false;
  private readonly tree: SteppedTree;
  private readonly order: SearchOrder;
  private readonly news = new Uint8Array(LATEST);
  private readonly census = new TraceCensus();
  private machine: SteppedMachine | null = null;
  private strategy: Strategy | null = null;
  private planSeed = 0;
  /** Executions of the present plan. */
  private execution = 0;
  private statesBefore = 0;

  constructor(tree: SteppedTree, order: SearchOrder) {
    this.tree = tree;
    this.order = order;
    this.figures.isOnePlan = isSystematic(order.strategy.name) || leavesNothingToChance(order.plan);
    this.beginPlan(0);
  }

  /** Up to `executions` more; what violations they ended in. Stops early when nothing is left. */
  go(executions: number): Found[] {
    const found: Found[] = [];
    for (let i = 0; i < executions && !this.isOver(); i++) {
      if (!this.figures.isOnePlan && this.execution === EXECUTIONS_PER_PLAN)
        this.beginPlan(this.figures.plans);
      const execution = this.machine!.execute(this.strategy!, this.execution++);
      if (execution.end === 'exhausted') {
        this.isExhausted = true;
        break;
      }
      this.note(execution);
      if (execution.verdicts.length > 0) found.push(this.found(execution));
    }
    this.figures.states = this.statesBefore + this.machine!.finalStates;
    return found;
  }

  /** Fingerprints of the traces so far. */
  traces(): Float64Array<ArrayBuffer> {
    return this.census.fingerprints();
  }

  isOver(): boolean {
    const { executionsMax } = this.order;
    return this.isExhausted || (executionsMax !== null && this.figures.executions >= executionsMax);
  }

  private beginPlan(number: number): void {
    const { plan, strategy, lane, lanes } = this.order;
    const draw = lane + number * lanes;
    this.statesBefore = this.figures.states;
    this.planSeed = this.figures.isOnePlan ? plan.seed : plan.seed + draw;
    const small = explorationPlan(plan, this.planSeed);
    this.machine = new SteppedMachine(this.tree, small, geometryFor(small));
    this.census.beginPlan(this.planSeed, this.machine.map.sizeWords);
    const seed = this.figures.isOnePlan ? plan.seed + draw : this.planSeed;
    this.strategy = makeStrategy(strategy.name, { ...strategy, seed });
    this.execution = 0;
    this.figures.plans++;
  }

  private note({ end, outcomes, history, verdicts }: Execution): void {
    const { figures, news } = this;
    if (end === 'abandoned') {
      figures.abandoned++;
      return;
    }
    const isNew = this.census.add(history);
    const at = figures.executions++ % LATEST;
    figures.latestNew += Number(isNew) - news[at]!;
    news[at] = Number(isNew);
    figures.traces = this.census.size;
    figures.steps += history.decided;
    figures.longest = Math.max(figures.longest, history.decided);
    figures.someOutcomes |= outcomes;
    figures.allOutcomes &= outcomes;
    if (verdicts.length > 0) figures.violations++;
    figures.done = this.strategy!.progress?.() ?? null;
    figures.chance = this.strategy!.findingChance?.() ?? null;
  }

  private found({ verdicts, history }: Execution): Found {
    const { kind, message, cpus } = verdicts[0]!;
    return {
      ...{ kind, message, cpus, signature: signature(verdicts) },
      planSeed: this.planSeed,
      execution: this.execution - 1,
      steps: history.decided,
      schedule: formatSchedule(scheduleOf(history)),
    };
  }
}

/** Whether every seed makes the same of a plan. */
function leavesNothingToChance(plan: Plan): boolean {
  const drawn = [1, 2, 3].map((seed) => ({ ...explorationPlan(plan, seed), seed: 0 }));
  const [first, ...others] = drawn.map((each) => JSON.stringify(each));
  return others.every((other) => other === first);
}
