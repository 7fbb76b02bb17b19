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
import { realEngine } from './real-engine.ts';
import { optionsByProtocol } from './scenario-choice.ts';
import { SimulatedPeer } from './simulated-peer.ts';
import { compareRandomPlans } from './validate-random.ts';

const kernel = await KernelPeer.start().catch((error: Error) => error);
const isLive = kernel instanceof KernelPeer;
const why = isLive ? '' : ` (skipped: ${kernel.message})`;
const engine = realEngine(fileURLToPath(new URL('../..', import.meta.url)));

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
    const stopped = await KernelPeer.start();
    const answer = stopped.reclaims();
    stopped.stop();
    await expect(answer).rejects.toThrow(Interrupted);
    await expect(stopped.reclaims()).rejects.toThrow(Interrupted);
    const simulator = new SimulatedPeer(await machineOf(LIVING), AbortSignal.abort());
    const plan = planOf({ cpus: 1 });
    const batch = { ops: [], checkpoints: [{ after: 0, watched: [] }] };
    await expect(simulator.run(plan, batch)).rejects.toThrow(Interrupted);
  });

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
