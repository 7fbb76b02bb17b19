/**
 * The group `exploration`: what an execution costs under each strategy, of the models M1, M2 and M3
 * and of a litmus scenario, and how long systematic search takes for all of M2. Peers' figures
 * stand beside them; they were taken on the same machine as our goals, with the same models, each
 * in its own language.
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
import type { Group, Variant } from './harness.ts';
import { modelM1, modelM2, modelM3 } from './models.ts';
import { shippedPlan } from './shipped.ts';

const EXECUTIONS = 20_000;
/** A fault against the zap that reclaims: some 130 steps. */
const LITMUS = 'litmus/write-vs-zap';
const LITMUS_EXECUTIONS = 2_000;
/** Half of all passages of two CPUs switch: uniform choice. */
const UNIFORM_PER_MILLION = 500_000;
const PCT_DEPTH = 3;
const WALKERS = [1, 2, 5];

/** Executions a second on one core; relacy (C++), shuttle and loom (Rust), November 2026. */
const PEERS = [
  { model: 'M1', relacyRandom: 1_070_000, shuttleRandom: 218_000, loom: 29_000 },
  { model: 'M2', relacyRandom: 637_000, shuttleRandom: 142_000, loom: 23_000 },
  { model: 'M3', relacyRandom: 872_000, shuttleRandom: 161_000, loom: 23_000 },
] as const;
/** PCT of depth 3 on M2, at its best. */
const SHUTTLE_PCT_M2 = 163_000;
/** All of M2: loom's reduced search needs 4,639 executions; with two walkers it does not end. */
const LOOM_M2 = { executions: 4_639, ms: 200 };

const MODELS: readonly (readonly [name: string, model: Model])[] = [
  ['M1', modelM1()],
  ['M2', modelM2()],
  ['M3', modelM3()],
];

export const exploration: Group = {
  summary: 'an execution of the models M1-M3, and systematic search of all of M2',
  async prepare() {
    const variants = MODELS.flatMap(([name, model]) => [
      sampled(name, 'random', model, new RandomStrategy(1, UNIFORM_PER_MILLION)),
      sampled(name, 'PCT', model, new PctStrategy(1, PCT_DEPTH)),
    ]);
    for (const walkers of WALKERS) variants.push(exhausted(walkers));
    variants.push(...(await litmusVariants()));
    return { variants, figures: [], notes: [...PEERS.map(peerNote), pctNote(), loomNote()] };
  },
};

function sampled(name: string, strategyName: string, model: Model, strategy: Strategy): Variant {
  const machine = new ModelMachine(model);
  let execution = 0;
  return {
    name: `${name}, ${strategyName}`,
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
      name: `${LITMUS}, ${name}`,
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
    name: `all of M2, ${walkers} ${walkers === 1 ? 'walker' : 'walkers'}`,
    unit: 'us',
    sample() {
      const before = performance.now();
      const strategy = new DporStrategy();
      for (let n = 0; machine.execute(strategy, n).end !== 'exhausted'; n++);
      return (performance.now() - before) * 1000;
    },
  };
}

function peerNote({ model, relacyRandom, shuttleRandom, loom }: (typeof PEERS)[number]): string {
  return (
    `${model} elsewhere: relacy, random ${ns(relacyRandom)}; shuttle, random ` +
    `${ns(shuttleRandom)}; loom ${ns(loom)} an execution`
  );
}

function pctNote(): string {
  return `M2 elsewhere: shuttle, PCT(${PCT_DEPTH}) ${ns(SHUTTLE_PCT_M2)} an execution`;
}

function loomNote(): string {
  const { executions, ms } = LOOM_M2;
  return `all of M2 elsewhere: loom ${executions} executions in ${ms * 1000} us`;
}

function ns(perSecond: number): string {
  return `${Math.round(1e9 / perSecond)} ns`;
}
