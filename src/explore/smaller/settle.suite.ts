/** Shipped scenarios as settled plans on their small machines, for the tests of this room. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LineEdit } from '#derive/apply-edit';
import { treeRoots } from '#derive/variants';
import { PROTOCOLS } from '#reclaim/registry';
import { buildPlan } from '#scenario/build-plan';
import type { Plan } from '#scenario/plan';
import { parseScenario } from '#scenario/scenario';
import { SteppedMachine } from '../stepped-machine.ts';
import { loadSteppedTree } from '../stepped-tree.ts';
import { settlePlan } from './settle.ts';
import { geometryFor, smallGeometry } from './small-geometry.ts';

const OPTIONS = Object.fromEntries(PROTOCOLS.map(({ name, options }) => [name, options]));

/** The plan of scenario `name` as a run would have it. */
export function shippedPlan(name: string, protocol: string, seed = 1, cpus?: number): Plan {
  const path = fileURLToPath(new URL(`../../../scenarios/${name}.yaml`, import.meta.url));
  const scenario = parseScenario({ path, text: readFileSync(path, 'utf8') });
  const request = { protocol, protocolOptions: OPTIONS, seed, parameters: {}, cpus };
  return buildPlan(scenario, request as Parameters<typeof buildPlan>[1]);
}

export function settledPlan(name: string, protocol: string, seed = 1, cpus?: number): Plan {
  return settlePlan(smallGeometry(shippedPlan(name, protocol, seed, cpus)));
}

/** Makes machines for plans, on the living source or on an edit of it. */
export async function machines(edit: LineEdit | null): Promise<(plan: Plan) => SteppedMachine> {
  const { stepped } = await treeRoots(edit);
  const tree = await loadSteppedTree(stepped);
  return (plan) => new SteppedMachine(tree, plan, geometryFor(plan), 20_000);
}
