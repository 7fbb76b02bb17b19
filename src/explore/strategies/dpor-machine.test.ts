/**
 * Systematic search of the real machine: it comes to an end, misses nothing, and finds the edits.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { editNamed } from '#catalogue/named.suite';
import { treeRoots } from '#derive/variants';
import { PROTOCOLS } from '#reclaim/registry';
import { buildPlan } from '#scenario/build-plan';
import { parseScenario } from '#scenario/scenario';
import { machineFor, plan } from '../small.suite.ts';
import { geometryFor, smallGeometry } from '../smaller/small-geometry.ts';
import { SteppedMachine } from '../stepped-machine.ts';
import { loadSteppedTree } from '../stepped-tree.ts';
import { DporStrategy } from './dpor.ts';
import { RandomStrategy } from './random.ts';

const WHOLE = { region: 0, extent: 'whole', share: 'all' } as const;
const TOUCH = { op: 'touch', access: 'write', pages: 'every', ...WHOLE } as const;
const DONTNEED = { op: 'dontneed', ...WHOLE } as const;
const OPTIONS = Object.fromEntries(PROTOCOLS.map(({ name, options }) => [name, options]));
const EXECUTIONS_MAX = 20_000;

async function litmus(name: string, protocol: string, editName: string | null) {
  const url = new URL(`../../../scenarios/litmus/${name}.yaml`, import.meta.url);
  const scenario = parseScenario({ path: url.pathname, text: readFileSync(url, 'utf8') });
  const request = { protocol, protocolOptions: OPTIONS, seed: 1, parameters: {} };
  const small = smallGeometry(buildPlan(scenario, request));
  const edit = editName === null ? null : editNamed(editName);
  const tree = await loadSteppedTree((await treeRoots(edit)).stepped);
  return new SteppedMachine(tree, small, geometryFor(small));
}

/** All executions of a search, as outcomes, and the kinds of violations. */
function search(machine: SteppedMachine) {
  const dpor = new DporStrategy();
  const outcomes = new Set<number>();
  const kinds = new Set<string>();
  for (let n = 0; n < EXECUTIONS_MAX; n++) {
    const execution = machine.execute(dpor, n);
    if (execution.end === 'exhausted') return { dpor, outcomes, kinds };
    if (execution.end !== 'abandoned') outcomes.add(execution.outcomes);
    for (const { kind } of execution.verdicts) kinds.add(kind);
  }
  throw new Error(`more than ${EXECUTIONS_MAX} executions`);
}

/** Outcomes seen at random that a search did not see. */
function missed(machine: SteppedMachine, outcomes: ReadonlySet<number>, executions: number) {
  const missing = new Set<number>();
  for (const strategy of [new RandomStrategy(1, 500_000), new RandomStrategy(1)])
    for (let n = 0; n < executions; n++) {
      const seen = machine.execute(strategy, n).outcomes;
      if (!outcomes.has(seen)) missing.add(seen);
    }
  return [...missing];
}

test('a touch and a zap of one page are tried in all orders', async () => {
  const regions = [{ name: 'heap', pages: 1, flags: [], gapPages: 0 }];
  const machine = await machineFor(
    null,
    plan('pt-reclaim', [[TOUCH], [DONTNEED]], { rcu: 'abstract', regions }),
  );
  const { dpor, outcomes, kinds } = search(machine);
  expect([...kinds]).toEqual([]);
  expect(dpor.explored).toBeGreaterThan(10);
  expect(dpor.progress()).toBe(1);
  const finalStates = machine.finalStates;
  expect(missed(machine, outcomes, 5000)).toEqual([]);
  expect(machine.finalStates).toBe(finalStates);
});

test.each(['swapin-vs-zap', 'mprotect-vs-zap', 'uffd-wp-vs-zap'])(
  '%s: all that is seen at random is seen, to the last state',
  async (name) => {
    const machine = await litmus(name, 'pt-reclaim', null);
    const { outcomes, kinds } = search(machine);
    expect([...kinds]).toEqual([]);
    const finalStates = machine.finalStates;
    expect(missed(machine, outcomes, 1000)).toEqual([]);
    expect(machine.finalStates).toBe(finalStates);
  },
);

test.each([
  ['no-pmd-recheck', 'write-vs-zap', 'pt-reclaim', 'lost-entry'],
  ['scan-without-ptl', 'write-vs-scan', 'async-scanner', 'nonempty-table-freed'],
  ['scan-drops-ptl', 'write-vs-scan', 'async-scanner', 'nonempty-table-freed'],
])('%s is found in %s', async (edit, scenario, protocol, kind) => {
  expect([...search(await litmus(scenario, protocol, edit)).kinds]).toContain(kind);
  expect([...search(await litmus(scenario, protocol, null)).kinds]).toEqual([]);
});
