/**
 * Facts about holding the simulator against the live kernel: random plans agree, and what is wrong
 * in the simulator is found by them and made small. Where there is no Linux on x86-64 with koffi,
 * there is nothing to hold it against, and the tests say that they are skipped.
 */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LineEdit } from '#derive/apply-edit';
import { ensureVariant } from '#derive/variants';
import { describeKernel, protocolOf } from '#live/kernel';
import { KernelPeer } from '#live/kernel-peer';
import { Interrupted } from '#live/peer';
import { LoneMachine } from '#machine/lone-machine';
import type { RandomPlans } from '#result/validation';
import { planOf } from '#tasks/machine.suite';
import { runCommandLine } from './command-line.ts';
import { EXIT } from './exit-code.ts';
import { processIo } from './process-io.ts';
import { realEngine } from './real-engine.ts';
import { optionsByProtocol } from './scenario-choice.ts';
import { SimulatedPeer } from './simulated-peer.ts';
import { compareScenario, inTurn } from './validate-plans.ts';
import { compareRandomPlans } from './validate-random.ts';

const kernel = await KernelPeer.start('short').catch((error: Error) => error);
const isLive = kernel instanceof KernelPeer;
const why = isLive ? '' : ` (skipped: ${kernel.message})`;
const root = fileURLToPath(new URL('../..', import.meta.url));
const engine = realEngine(root);

/** Plans that an edit must be found by, at most: they take well below a minute. */
const PLANS_MAX = 1000;

/** What is wrong in the zap and free path, or in its counting. */
const EDITS: readonly LineEdit[] = [
  {
    name: 'zap-ends-early',
    becomes: 'endIndex : mask',
    text: { path: 'mm/zap.js', text: 'endIndex : mask + 1', occurrence: 0 },
  },
  {
    name: 'pmd-table-stays',
    becomes: 'if (level === 2 || from < floor',
    text: { path: 'mm/free-pgtables.js', text: 'if (from < floor', occurrence: 0 },
  },
  {
    name: 'zero-page-resident',
    becomes: 'if (set)\n        count(cpu, COUNTER.rss',
    text: {
      path: 'mm/fault.js',
      text: 'if (set && write)\n        count(cpu, COUNTER.rss',
      occurrence: 0,
    },
  },
];

/** The living code, as a tree of its own, which a test that runs from the sources can load. */
const LIVING: LineEdit = {
  name: 'as-it-is',
  becomes: 'endIndex : mask + 1',
  text: { path: 'mm/zap.js', text: 'endIndex : mask + 1', occurrence: 0 },
};

async function machineOf(edit: LineEdit): Promise<LoneMachine> {
  const { plain } = await ensureVariant(edit);
  return LoneMachine.load(new URL('tasks/entry.js', plain).href);
}

/** Operations that random plans do not have, and how many are between two checkpoints. */
const PLANS = [
  [
    'brk where something is mapped',
    1,
    `
  - mmap: { region: heap, page: 512, pages: 512 }
  - touch: { region: heap, page: 512, pages: 512, access: write }
  - brk: { region: heap, pages: 256 }
  - touch: { region: heap, page: 0, pages: 256, access: write }
  - brk: { region: heap, pages: 600 }
  - munmap: { region: heap, page: 128, pages: 128 }
  - brk: { region: heap, pages: 128 }
  - touch: { region: heap, page: 0, pages: 600, access: read }`,
  ],
  [
    'mremap of what PMD tables map',
    1,
    `
  - mmap: { region: heap, page: 0, pages: 262144 }
  - touch: { region: heap, page: 0, pages: 1, access: write }
  - dontneed: { region: heap, page: 0, pages: 512 }
  - mremap: { region: heap, page: 0, pages: 262144, to: 524288 }
  - touch: { region: heap, page: 524288, pages: 1, access: write }
  - mremap: { region: heap, page: 524800, pages: 512, to: 134217728 }`,
  ],
  [
    'mprotect of 1,100 pages, none next to another,',
    500,
    `
  - mmap: { region: heap, page: 0, pages: 2200 }
${Array.from({ length: 1100 }, (_, i) => readOnly(2 * i)).join('\n')}`,
  ],
] as const;

function readOnly(page: number): string {
  return `  - mprotect: { region: heap, page: ${page}, pages: 1, protection: read }`;
}

/** Two columns that work on tables of their own; the first reads before it writes. */
const COLUMNS = `question: Is it the same?
source: none
machine: { cpus: 2 }
regions: { one: { size: 8MiB }, other: { size: 8MiB } }
setup: [mmap: one, mmap: other]
columns:
  - cpu: 0
    do:
      - touch: { region: one, page: 0, pages: 512, access: read }
      - touch: { region: one, page: 0, pages: 512, access: write }
      - dontneed: { region: one, page: 0, pages: 512 }
  - cpu: 1
    do: [touch: { region: other, page: 0, pages: 600, access: write }]
`;

describe.skipIf(!isLive)(`with a live kernel${why}`, () => {
  let protocol = '';
  beforeAll(async () => {
    const live = kernel as KernelPeer;
    protocol = protocolOf(await describeKernel(() => live.reclaims()));
  });
  afterAll(() => (kernel as KernelPeer).close());

  async function random(plans: number, operations: number, edit: LineEdit) {
    const simulator = new SimulatedPeer(await machineOf(edit));
    const protocolOptions = await optionsByProtocol(engine);
    const validating = {
      peers: { kernel: kernel as KernelPeer, simulator },
      request: { protocol, protocolOptions, seed: 1 },
      ...{ every: null, rssMaxKiB: 2 ** 20, signal: new AbortController().signal },
    };
    const flags = { plans, operations, seed: 1, onPlan() {} };
    return compareRandomPlans({ engine }, validating, flags);
  }

  test('random plans leave the same page tables and pages', async () => {
    const { plans, checkpoints, shrunk } = await random(50, 30, LIVING);
    expect(shrunk?.ops ?? []).toEqual([]);
    expect([plans, checkpoints]).toEqual([50, expect.any(Number)]);
    expect(checkpoints).toBeGreaterThan(400);
  }, 60_000);

  test('an interruption ends a plan midway, on both sides', async () => {
    const stopped = await KernelPeer.start('short');
    const answer = stopped.reclaims();
    stopped.stop();
    await expect(answer).rejects.toThrow(Interrupted);
    await expect(stopped.reclaims()).rejects.toThrow(Interrupted);
    const simulator = new SimulatedPeer(await machineOf(LIVING), AbortSignal.abort());
    const plan = planOf({ cpus: 1 });
    const batch = { ops: [], checkpoints: [{ after: 0, watched: [] }] };
    await expect(simulator.run(plan, batch)).rejects.toThrow(Interrupted);
  });

  test.each(PLANS)('%s leaves the same page tables and pages', async (_, every, ops) => {
    const text = `question: Is it the same?
source: none
regions: { heap: { size: 1TiB, gap: 1TiB } }
columns: [{ cpu: 0, do: [] }]
setup:${ops}
`;
    const scenario = await engine.loadScenario({ path: 'x.yaml', text });
    const live = kernel as KernelPeer;
    const validating = {
      ...{
        kernel: live,
        peers: { kernel: live, simulator: new SimulatedPeer(await machineOf(LIVING)) },
      },
      request: { protocol, protocolOptions: await optionsByProtocol(engine), seed: 1 },
      ...{ run: engine.run, every, rssMaxKiB: 2 ** 20, signal: new AbortController().signal },
    };
    const outcome = await compareScenario(validating, scenario, {}, inTurn);
    expect(outcome).toMatchObject({ difference: null });
  });

  test('on threads, too, what is broken is told apart', async () => {
    const stream = { write() {}, isTerminal: false, columns: 80, isColoured: false };
    const words = ['validate', 'x.yaml', '--threads', '--broken', 'cleared-by-set'];
    const code = await runCommandLine({
      io: { ...processIo(root), stdout: stream, stderr: stream, readText: () => COLUMNS },
      ...{ engine, words, signal: new AbortController().signal },
    });
    expect(code).toBe(EXIT.found);
  }, 60_000);

  test.each(EDITS)(
    'finds the edit $name, and makes the plan small',
    async (edit) => {
      const { shrunk }: RandomPlans = await random(PLANS_MAX, 15, edit);
      expect(shrunk).not.toBe(null);
      expect(shrunk!.difference.isSettled).toBe(true);
      expect(shrunk!.ops.length).toBeLessThanOrEqual(6);
    },
    60_000,
  );
});

test.skipIf(isLive)('says why there is no live kernel to ask', () => {
  expect((kernel as Error).message).toMatch(/must be Linux on x86-64|koffi/);
});
