/** The plan of a shipped scenario under a protocol, all else at its defaults. */
import { readFileSync } from 'node:fs';
import { PROTOCOLS } from '#reclaim/registry';
import { buildPlan, type PlanRequest } from '#scenario/build-plan';
import type { Plan } from '#scenario/plan';
import { parseScenario } from '#scenario/scenario';
import { inPackage } from './root.ts';

const OPTIONS = Object.fromEntries(PROTOCOLS.map(({ name, options }) => [name, options]));

/** `name` as on the command line, `litmus/…` included. */
export function shippedPlan(name: string, protocol: string, more: Partial<PlanRequest> = {}): Plan {
  const path = inPackage('scenarios', ...`${name}.yaml`.split('/'));
  const scenario = parseScenario({ path, text: readFileSync(path, 'utf8') });
  const request = { protocol, protocolOptions: OPTIONS, seed: 1, parameters: {} };
  return buildPlan(scenario, { ...request, ...more });
}
