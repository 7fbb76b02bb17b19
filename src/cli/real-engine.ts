/** The engine in earnest: the rooms below, loaded when they are first needed. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceText } from '#scenario/document';
import type { Engine, LoadedScenario } from './engine.ts';

/** `root` is the package's own folder; the shipped scenarios are in it. */
export function realEngine(root: string): Engine {
  const shelf = join(root, 'scenarios');
  return {
    async scenarioNames() {
      const files = await readdir(shelf, { recursive: true });
      const scenarios = files.filter((file) => file.endsWith('.yaml'));
      return scenarios.map((file) => file.slice(0, -'.yaml'.length).replaceAll('\\', '/'));
    },
    async scenarioSource(name) {
      const path = join(shelf, `${name}.yaml`);
      return { path, text: await readFile(path, 'utf8') };
    },
    loadScenario,
    async protocols() {
      return (await import('#reclaim/registry')).PROTOCOLS;
    },
    async brokenVersions() {
      return (await import('#catalogue/catalogue')).CATALOGUE;
    },
    async oracles() {
      return (await import('#oracles/vocabulary')).ORACLES;
    },
    async prepareBroken(edit) {
      const { ensureVariant } = await import('#derive/variants');
      return new URL('tasks/entry.js', (await ensureVariant(edit)).plain).href;
    },
    async strategies() {
      return (await import('#explore/strategies/registry')).STRATEGIES;
    },
    async explore(request, hooks) {
      return (await import('#explore/explore')).explore(request, hooks);
    },
    async exploreFrom(request, hooks) {
      return (await import('#explore/explore-from')).exploreFrom(request, hooks);
    },
    async replay(request) {
      return (await import('#explore/replay')).replay(request);
    },
    async run(plan, hooks) {
      const { runPlan } = await import('#machine/run');
      const { JUDGES } = await import('#oracles/judges');
      return runPlan(plan, { ...hooks, judges: JUDGES });
    },
  };
}

async function loadScenario(source: SourceText): Promise<LoadedScenario> {
  const { parseScenario, scenarioSummary } = await import('#scenario/scenario');
  const { buildPlan } = await import('#scenario/build-plan');
  const scenario = parseScenario(source);
  return { ...scenarioSummary(scenario), buildPlan: (request) => buildPlan(scenario, request) };
}
