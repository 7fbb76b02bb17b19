/**
 * The litmus scenarios under random schedules: each comes to the outcomes that its file names, as
 * often as it says, and to no violation, under no reclaim, pt-reclaim and every protocol of which
 * the file says something.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { treeRoots } from '#derive/variants';
import { PROTOCOLS } from '#reclaim/registry';
import { buildPlan } from '#scenario/build-plan';
import type { Plan } from '#scenario/plan';
import { parseScenario, type Scenario } from '#scenario/scenario';
import { bitOf, OUTCOMES } from './outcomes.ts';
import { geometryFor, smallGeometry } from './smaller/small-geometry.ts';
import { SteppedMachine } from './stepped-machine.ts';
import { loadSteppedTree, type SteppedTree } from './stepped-tree.ts';
import { RandomStrategy } from './strategies/random.ts';

const FOLDER = new URL('../../scenarios/litmus/', import.meta.url);
const OPTIONS = Object.fromEntries(PROTOCOLS.map(({ name, options }) => [name, options]));
/** Under each of the strategies. */
const EXECUTIONS = 120;
/** One switch in five steps, so that columns meet often; and in fifty, so that one may be late. */
const SWITCHES_PER_MILLION = [200_000, 20_000];

let tree: SteppedTree;

beforeAll(async () => {
  tree = await loadSteppedTree((await treeRoots(null)).stepped);
});

const scenarios = readdirSync(FOLDER).map((file): Scenario => {
  const text = readFileSync(new URL(file, FOLDER), 'utf8');
  return parseScenario({ path: `litmus/${file}`, text });
});

const cases = scenarios.flatMap((scenario) => {
  const named = Object.keys(scenario.file.outcomes ?? {});
  const protocols = named.includes('any')
    ? Object.keys(OPTIONS)
    : new Set(['none', 'pt-reclaim', ...named]);
  return [...protocols].map((protocol) => [scenario.name, protocol, scenario] as const);
});

test.each(cases)('%s under %s', (_, protocol, scenario) => {
  const request = { protocol, protocolOptions: OPTIONS, seed: 1, parameters: {} };
  const plan = buildPlan(scenario, request);
  const seen = outcomesOfExecutions(machineOf(plan));
  const expected = plan.outcomes.filter(({ outcome }) => outcome !== 'violation');
  const found = expected.map(({ outcome }) => ({ outcome, expected: howOften(seen[outcome]!) }));
  expect(found).toEqual(expected);
});

/** How many executions had each outcome. */
function outcomesOfExecutions(machine: SteppedMachine): Record<string, number> {
  const seen: Record<string, number> = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0]));
  for (const perMillion of SWITCHES_PER_MILLION) {
    const strategy = new RandomStrategy(1, perMillion);
    for (let execution = 0; execution < EXECUTIONS; execution++) {
      const { end, verdicts, outcomes } = machine.execute(strategy, execution);
      if (end !== 'done' || verdicts.length > 0)
        expect({ execution, end, verdicts }).toEqual({ execution, end: 'done', verdicts: [] });
      for (const outcome of OUTCOMES) if ((outcomes & bitOf(outcome)) !== 0) seen[outcome]!++;
    }
  }
  return seen;
}

function howOften(executions: number): string {
  if (executions === 0) return 'never';
  const all = EXECUTIONS * SWITCHES_PER_MILLION.length;
  return executions === all ? 'always' : 'sometimes';
}

function machineOf(plan: Plan): SteppedMachine {
  const small = smallGeometry(plan);
  return new SteppedMachine(tree, small, geometryFor(small));
}
