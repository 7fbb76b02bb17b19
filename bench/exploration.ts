/**
 * The group `exploration`: what an execution costs under each strategy, of the models M1, M2 and M3
 * and of a litmus scenario, how long systematic search takes for all of M2, and how many executions
 * find what is broken in M3. Peers' figures stand beside them (`peers.ts`).
 */

import { treeRoots } from '#derive/variants';
import { type Model, ModelMachine } from '#explore/model-machine';
import { explorationPlan } from '#explore/search';
import { geometryFor } from '#explore/smaller/small-geometry';
import { SteppedMachine } from '#explore/stepped-machine';
import { loadSteppedTree } from '#explore/stepped-tree';
import { DporStrategy } from '#explore/strategies/dpor';
import { PctStrategy } from '#explore/strategies/pct';
import { PosStrategy } from '#explore/strategies/pos';
import { RandomStrategy } from '#explore/strategies/random';
import type { Strategy } from '#explore/strategy';
import type { Figure, Group, Variant } from './harness.ts';
import { modelM1, modelM2, modelM3 } from './models.ts';
import { PEERS, peerName } from './peers.ts';
import { shippedPlan } from './shipped.ts';
import { median } from './statistics.ts';

const EXECUTIONS = 20_000;
/** A fault against the zap that reclaims: some 130 steps. */
const LITMUS = 'litmus/write-vs-zap';
const LITMUS_EXECUTIONS = 2_000;
/** Half of all passages of two CPUs switch: uniform choice. */
const UNIFORM_PER_MILLION = 500_000;
const PCT_DEPTH = 3;
const WALKERS = [1, 2, 5];
/** What is broken in M3 is rare, so the median of so many seeds is taken. */
const SEEDS = 25;

type Finder = readonly [name: string, strategy: (seed: number) => Strategy];
const FINDERS: readonly Finder[] = [
  ['random', (seed) => new RandomStrategy(seed, UNIFORM_PER_MILLION)],
  ['PCT', (seed) => new PctStrategy(seed, PCT_DEPTH)],
  ['POS', (seed) => new PosStrategy(seed)],
  ['DPOR', () => new DporStrategy()],
];

const MODELS: readonly (readonly [name: string, model: Model])[] = [
  ['M1', modelM1()],
  ['M2', modelM2()],
  ['M3', modelM3()],
];

export const exploration: Group = {
  summary:
    'an execution of the models M1-M3 and of a litmus scenario; all traces of M2; a bug of M3',
  async prepare() {
    const variants = MODELS.flatMap(([name, model]) => [
      sampled(name, 'random', model, new RandomStrategy(1, UNIFORM_PER_MILLION)),
      sampled(name, 'PCT', model, new PctStrategy(1, PCT_DEPTH)),
    ]);
    for (const walkers of WALKERS) variants.push(exhausted(walkers));
    variants.push(...FINDERS.map(firstBug));
    variants.push(...(await litmusVariants()));
    return {
      variants,
      figures: FIGURES,
      references: PEERS,
      notes: ['peers ran the same models, at another time: a ratio to them is no more than a hint'],
    };
  },
};

const FIGURES: readonly Figure[] = [
  ...MODELS.map(([model]): Figure => {
    return {
      name: `${model}, random: rate to relacy's`,
      ...{ of: peerName('relacy', model, 'random'), over: sampledName(model, 'random') },
      goal: { bound: 'at least', limit: 0.5, aim: 1 },
    };
  }),
  ...MODELS.map(([model]): Figure => {
    return {
      name: `${model}, random: rate to shuttle's`,
      ...{ of: peerName('shuttle', model, 'random'), over: sampledName(model, 'random') },
    };
  }),
  {
    name: "M2, PCT: rate to shuttle's",
    ...{ of: peerName('shuttle', 'M2', 'PCT'), over: sampledName('M2', 'PCT') },
    goal: { bound: 'at least', limit: 3 },
  },
  goalOf(litmusName('PCT'), 50_000, 10_000),
  goalOf(exhaustedName(1), 10_000),
  goalOf(exhaustedName(5), 3_000_000),
  goalOf(firstBugName('DPOR'), 30),
  goalOf(firstBugName('POS'), 150),
];

function goalOf(name: string, limit: number, aim?: number): Figure {
  return { name, of: name, goal: { bound: 'at most', limit, ...(aim && { aim }) } };
}

function sampledName(model: string, strategy: string): string {
  return `${model}, ${strategy}`;
}

function litmusName(strategy: string): string {
  return `${LITMUS}, ${strategy}`;
}

function exhaustedName(walkers: number): string {
  return `all of M2, ${walkers} ${walkers === 1 ? 'walker' : 'walkers'}`;
}

function firstBugName(strategy: string): string {
  return `M3 broken, ${strategy}: executions to the first bug`;
}

function sampled(name: string, strategyName: string, model: Model, strategy: Strategy): Variant {
  const machine = new ModelMachine(model);
  let execution = 0;
  return {
    name: sampledName(name, strategyName),
    unit: 'ns',
    sample() {
      const before = performance.now();
      for (let i = 0; i < EXECUTIONS; i++) machine.execute(strategy, execution++);
      return ((performance.now() - before) * 1e6) / EXECUTIONS;
    },
  };
}

/** A litmus scenario as `explore` executes it, judges included. */
async function litmusVariants(): Promise<Variant[]> {
  const tree = await loadSteppedTree((await treeRoots(null)).stepped);
  const plan = explorationPlan(shippedPlan(LITMUS, 'pt-reclaim'), 1);
  const machine = new SteppedMachine(tree, plan, geometryFor(plan));
  const strategies = { PCT: new PctStrategy(1, PCT_DEPTH), POS: new PosStrategy(1) };
  return Object.entries(strategies).map(([name, strategy]) => {
    let execution = 0;
    return {
      name: litmusName(name),
      unit: 'ns',
      sample() {
        const before = performance.now();
        for (let i = 0; i < LITMUS_EXECUTIONS; i++) machine.execute(strategy, execution++);
        return ((performance.now() - before) * 1e6) / LITMUS_EXECUTIONS;
      },
    };
  });
}

function exhausted(walkers: number): Variant {
  const machine = new ModelMachine(modelM2(walkers));
  return {
    name: exhaustedName(walkers),
    unit: 'us',
    sample() {
      const before = performance.now();
      const strategy = new DporStrategy();
      for (let n = 0; machine.execute(strategy, n).end !== 'exhausted'; n++);
      return (performance.now() - before) * 1000;
    },
  };
}

/** Each sample takes seeds of its own. */
function firstBug([name, strategy]: Finder): Variant {
  const machine = new ModelMachine(modelM3(true));
  let seed = 0;
  return {
    name: firstBugName(name),
    unit: 'pieces',
    sample() {
      const firsts = Array.from({ length: SEEDS }, () => firstOf(machine, strategy(++seed)));
      return median(firsts);
    },
  };
}

/** Number of the first execution with a violation, counted from 1. */
function firstOf(machine: ModelMachine, strategy: Strategy): number {
  for (let execution = 0; ; execution++) {
    const { end, verdicts } = machine.execute(strategy, execution);
    if (end === 'exhausted') throw new Error('the search ended without a violation');
    if (verdicts.length > 0) return execution + 1;
  }
}
