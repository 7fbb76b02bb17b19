/** The engine in earnest: the rooms below, loaded when they are first needed. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { SourceText } from '#scenario/document';
import type { Engine, LoadedScenario } from './engine.ts';

/** `root` is the package's own folder; the shipped scenarios are in it. */
export function realEngine(root: string): Engine {
  const shelf = join(root, 'scenarios');
  return {
    async scenarioNames() {
      const files = await readdir(shelf);
      return files.filter((file) => file.endsWith('.yaml')).map((file) => basename(file, '.yaml'));
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
      return (await import('#derive/edits')).EDITS;
    },
    async oracles() {
      return (await import('#oracles/vocabulary')).ORACLES;
    },
    async prepareBroken(edit) {
      const { ensureVariant } = await import('#derive/variants');
      return new URL('tasks/entry.js', (await ensureVariant(edit)).plain).href;
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
