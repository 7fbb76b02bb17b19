/** The shipped scenarios, by the names that the command line takes. */

import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { realEngine } from './real-engine.ts';

const engine = realEngine(fileURLToPath(new URL('../..', import.meta.url)));

test('a scenario in a folder has its folder in its name', async () => {
  const names = await engine.scenarioNames();
  expect(names).toContain('churn');
  expect(names).toContain('litmus/write-vs-zap');
  expect(names.filter((name) => /\.yaml|\\|schema/.test(name))).toEqual([]);
});

test('every name is that of the scenario it stands for', async () => {
  for (const name of await engine.scenarioNames()) {
    const scenario = await engine.loadScenario(await engine.scenarioSource(name));
    expect(scenario.name).toBe(name);
  }
});
