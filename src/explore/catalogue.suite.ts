/** The plans of broken versions, as the command line builds them. */
import { readFileSync } from 'node:fs';
import type { BrokenVersion } from '#catalogue/broken-version';
import { requestOf } from '#cli/plan-flags';
import { PROTOCOLS } from '#reclaim/registry';
import { buildPlan } from '#scenario/build-plan';
import type { Plan } from '#scenario/plan';
import { parseScenario, scenarioSummary } from '#scenario/scenario';

const OPTIONS = Object.fromEntries(PROTOCOLS.map(({ name, options }) => [name, options]));

export function planOf(version: BrokenVersion): Plan {
  const url = new URL(`../../scenarios/${version.scenario}.yaml`, import.meta.url);
  const scenario = parseScenario({ path: url.pathname, text: readFileSync(url, 'utf8') });
  const loaded = {
    ...scenarioSummary(scenario),
    buildPlan: (asked: Parameters<typeof buildPlan>[1]) => buildPlan(scenario, asked),
  };
  const request = requestOf(loaded, version, { seed: 1, splitLocks: true });
  return loaded.buildPlan({
    ...{ ...request, protocol: version.protocol, protocolOptions: OPTIONS },
    durationMs: 1000,
  });
}
