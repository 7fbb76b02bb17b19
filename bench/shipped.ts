/** The plan of a scenario's file under a protocol, all else at its defaults. */
import { readFileSync } from 'node:fs';
import { PROTOCOLS } from '#reclaim/registry';
import { buildPlan, type PlanRequest } from '#scenario/build-plan';
import type { Plan } from '#scenario/plan';
import { parseScenario } from '#scenario/scenario';
import { inPackage } from './root.ts';

const OPTIONS = Object.fromEntries(PROTOCOLS.map(({ name, options }) => [name, options]));

type More = Partial<PlanRequest>;

/** `name` as on the command line, `litmus/…` included. */
export function shippedPlan(name: string, protocol: string, more: More = {}): Plan {
  return planAt(inPackage('scenarios', ...`${name}.yaml`.split('/')), protocol, more);
}

export function planAt(path: string, protocol: string, more: More = {}): Plan {
  const scenario = parseScenario({ path, text: readFileSync(path, 'utf8') });
  const request = { protocol, protocolOptions: OPTIONS, seed: 1, parameters: {} };
  return buildPlan(scenario, { ...request, ...more });
}
