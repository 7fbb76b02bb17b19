/**
 * A command line without a process: streams and files in memory, two small scenarios, and an engine
 * whose runs are made up. What is parsed and planned is parsed and planned in earnest.
 */

import { UserError } from '#base/user-error';
import type { BrokenVersion } from '#catalogue/broken-version';
import type { LineEdit } from '#derive/apply-edit';
import type { Explored, ExploreRequest } from '#explore/explore';
import type { Replayed, ReplayRequest } from '#explore/replay';
import { STRATEGIES } from '#explore/strategies/registry';
import type { Recorded } from '#live/record/record';
import type { Run } from '#result/result';
import { sampleRun } from '#result/sample.suite';
import { buildPlan } from '#scenario/build-plan';
import type { Plan } from '#scenario/plan';
import { parseScenario, scenarioSummary } from '#scenario/scenario';
import type { Recording } from '#scenario/trace/recording';
import { runCommandLine } from './command-line.ts';
import type { Engine, RunHooks } from './engine.ts';
import { sampleExplored, sampleReplayed } from './explored.suite.ts';

const CHURN = `question: Is anything lost?
source: the test
parameters:
  size: { type: size, default: 64MiB, min: 4MiB, max: 256MiB, summary: The VMA. }
regions:
  heap: { size: $size }
setup:
  - mmap: heap
columns:
  - cpu: all
    do:
      - loop: forever
        do:
          - touch: heap
          - dontneed: heap
duration: 60s
`;
const ALLOCATOR_LOOP = CHURN.replace('Is anything lost?', 'How much remains?')
  .replace('loop: forever', 'loop: 10')
  .replace('duration: 60s\n', '');

export const BROKEN: BrokenVersion = {
  name: 'no-recheck',
  bug: 'K-30',
  summary: 'The fault does not look at the pmd again.',
  source: 'a list',
  edit: { label: 'recheck-pmd', becomes: '' },
  protocol: 'pt-reclaim',
  scenario: 'churn',
  oracle: 'lost-entry',
  conditions: { size: '8MiB' },
  noise: 40,
};

export interface Spoken {
  code: number;
  stdout: string;
  stderr: string;
  /** What was run, in order. */
  plans: Plan[];
  hooks: RunHooks[];
  explored: ExploreRequest[];
  replayed: ReplayRequest[];
  /** Broken versions that were made ready. */
  prepared: LineEdit[];
  /** Files written in the end, and pending files that were opened and given up. */
  files: Map<string, string>;
  discarded: string[];
}

export interface Stage {
  /** What running a plan comes to. */
  run?(plan: Plan, hooks: RunHooks): Run | Promise<Run>;
  explore?(request: ExploreRequest): Explored | Promise<Explored>;
  replay?(request: ReplayRequest): Replayed | Promise<Replayed>;
  files?: Readonly<Record<string, string>>;
  bytes?: Readonly<Record<string, Uint8Array>>;
  record?(command: readonly string[]): Recorded;
  importRecording?(path: string): Recording;
  isTerminal?: boolean;
  columns?: number;
  signal?: AbortSignal;
}

/** Says `words` to the command line on `stage`. */
export async function say(words: readonly string[], stage: Stage = {}): Promise<Spoken> {
  const spoken: Spoken = {
    code: -1,
    stdout: '',
    stderr: '',
    plans: [],
    hooks: [],
    explored: [],
    replayed: [],
    prepared: [],
    files: new Map(),
    discarded: [],
  };
  const stream = (name: 'stdout' | 'stderr') => ({
    write(text: string) {
      spoken[name] += text;
    },
    isTerminal: stage.isTerminal ?? false,
    columns: stage.columns ?? 80,
    isColoured: false,
  });
  spoken.code = await runCommandLine({
    engine: engineOf(spoken, stage),
    signal: stage.signal ?? new AbortController().signal,
    words,
    io: {
      stdout: stream('stdout'),
      stderr: stream('stderr'),
      version: '0.1.0',
      machine: { node: 'v20.20.2', platform: 'linux x64', cores: 2, memoryGiB: 8 },
      readText(path) {
        const text = stage.files?.[path];
        if (text === undefined) throw new UserError(`cannot read "${path}": no such file`);
        return text;
      },
      readBytes(path) {
        const bytes = stage.bytes?.[path];
        if (bytes === undefined) throw new UserError(`cannot read "${path}": no such file`);
        return bytes;
      },
      readAsset: (name) => `/* ${name} */`,
      openPending(path) {
        if (path.startsWith('/nowhere/')) throw new UserError(`cannot write "${path}": no folder`);
        return {
          commit(text) {
            const isBytes = text instanceof Uint8Array;
            spoken.files.set(path, isBytes ? `${text.length} bytes` : [...text].join(''));
          },
          discard: () => void (spoken.files.has(path) || spoken.discarded.push(path)),
        };
      },
    },
  });
  return spoken;
}

function engineOf(spoken: Spoken, stage: Stage): Engine {
  const shelf: Record<string, string> = { churn: CHURN, 'allocator-loop': ALLOCATOR_LOOP };
  return {
    async scenarioNames() {
      return Object.keys(shelf);
    },
    async scenarioSource(name) {
      return { path: `scenarios/${name}.yaml`, text: shelf[name] };
    },
    async loadScenario(source) {
      const scenario = parseScenario(source);
      return { ...scenarioSummary(scenario), buildPlan: (asked) => buildPlan(scenario, asked) };
    },
    async protocols() {
      return [
        { name: 'none', summary: 'Nothing.', source: 'Linux', options: {} },
        {
          name: 'async-scanner',
          summary: 'A scanner.',
          source: 'a series',
          options: { delay: { type: 'duration', default: '100ms', summary: 'Pause.' } },
        },
        { name: 'pt-reclaim', summary: 'Inside zap.', source: 'Linux 6.14', options: {} },
      ];
    },
    async brokenVersions() {
      return [BROKEN];
    },
    async oracles() {
      return [{ name: 'lost-entry', sentence: 'An entry is out of reach.', judged: true }];
    },
    async prepareBroken(edit) {
      spoken.prepared.push(edit);
      return `file:///variants/${edit.name}/`;
    },
    async strategies() {
      return STRATEGIES;
    },
    async explore(request) {
      spoken.explored.push(request);
      return (stage.explore ?? sampleExplored)(request);
    },
    async exploreFrom({ origin, ...rest }) {
      const named = { keepGoing: false, kind: null, nameReplay: () => null };
      const strategy = rest.strategy ?? { name: 'pos' as const };
      const request = { ...rest, ...named, strategy, plan: origin.plan };
      spoken.explored.push(request);
      return (stage.explore ?? sampleExplored)(request);
    },
    async replay(request) {
      spoken.replayed.push(request);
      return (stage.replay ?? sampleReplayed)(request);
    },
    async record({ command }) {
      if (stage.record === undefined) throw new UserError('nothing here can record');
      return stage.record(command);
    },
    async importRecording(path) {
      if (stage.importRecording === undefined) throw new UserError(`${path}: line 1: no events`);
      return stage.importRecording(path);
    },
    async run(plan, hooks) {
      spoken.plans.push(plan);
      spoken.hooks.push(hooks);
      const clean = () => sampleRun({ protocol: plan.protocol, cpus: plan.cpus });
      return (stage.run ?? clean)(plan, hooks);
    },
  };
}
