/** The engine in earnest: the rooms below, loaded when they are first needed. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SourceText } from '#scenario/document';
import type { Engine, LoadedScenario } from './engine.ts';
import { fileError } from './process-io.ts';
import { isTraceFile, TRACE_ENDING, unpackTrace } from './trace-file.ts';

/** Of scenarios and traces. */
const ENDINGS = ['.yaml', TRACE_ENDING];

/** `root` is the package's own folder; the shipped scenarios are in it. */
export function realEngine(root: string): Engine {
  const shelf = join(root, 'scenarios');
  return {
    async scenarioNames() {
      const files = await readdir(shelf, { recursive: true });
      return files.flatMap((file) => {
        const ending = ENDINGS.find((each) => file.endsWith(each));
        return ending === undefined ? [] : [file.slice(0, -ending.length).replaceAll('\\', '/')];
      });
    },
    async scenarioSource(name) {
      const trace = join(shelf, `${name}${TRACE_ENDING}`);
      if (existsSync(trace))
        return { path: trace, text: unpackTrace(await readFile(trace), trace) };
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
    async record(request) {
      const { record } = await import('#live/record/record');
      const scratch = openScratch();
      try {
        const clocks = { monotonic, realtime };
        const searchPath = process.env['PATH'] ?? '';
        return await record({ ...request, scratch: scratch.path, searchPath, clocks });
      } finally {
        scratch.remove();
      }
    },
    async importRecording(path) {
      const { importText } = await import('#live/record/import-text');
      try {
        return importText(path);
      } catch (error) {
        const isOfFile = (error as NodeJS.ErrnoException).syscall !== undefined;
        throw isOfFile ? fileError('read', path, error) : error;
      }
    },
    async run(plan, hooks) {
      const { runPlan } = await import('#machine/run');
      const { JUDGES } = await import('#oracles/judges');
      return runPlan(plan, { ...hooks, judges: JUDGES });
    },
  };
}

/** A folder for files that nobody needs later; it goes with the process at the latest. */
function openScratch(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'pttorture-'));
  const discard = (): void => rmSync(path, { recursive: true, force: true });
  process.once('exit', discard);
  return {
    path,
    remove() {
      process.removeListener('exit', discard);
      discard();
    },
  };
}

function monotonic(): number {
  const [seconds, ns] = process.hrtime();
  return seconds + ns / 1e9;
}

function realtime(): number {
  return Date.now() / 1000;
}

async function loadScenario(source: SourceText): Promise<LoadedScenario> {
  if (isTraceFile(source.path)) {
    const { traceScenario } = await import('#scenario/trace/trace-scenario');
    return traceScenario(source.path, source.text);
  }
  const { parseScenario, scenarioSummary } = await import('#scenario/scenario');
  const { buildPlan } = await import('#scenario/build-plan');
  const scenario = parseScenario(source);
  return { ...scenarioSummary(scenario), buildPlan: (request) => buildPlan(scenario, request) };
}
