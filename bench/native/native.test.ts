/** The C programs compile and measure, where there is a compiler. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { compileNative, findCompiler, LIVE, runNative, TWIN } from './compile.ts';
import { LOADS, type NativeSample, ORDERS } from './load.ts';
import { fairness, LOCKS, type LockSample, NATIVE_LOCKS } from './locks.ts';
import { RCU_PEERS, rcuPeers } from './rcu-peers.ts';

const hasCompiler = findCompiler() !== null;
const folder = mkdtempSync(join(tmpdir(), 'pttorture-native-'));
afterAll(() => rmSync(folder, { recursive: true }));

test.runIf(hasCompiler)('the native twin compiles and counts pages in every mode', async () => {
  const twin = compileNative(TWIN, folder);
  if ('missing' in twin) throw new Error(twin.missing);
  for (const order of ORDERS) {
    for (const { mode, cpus } of LOADS) {
      const sample = await runNative(twin.path, [mode, String(cpus), order, '20']);
      expect(sample).toMatchObject({ mode, threads: cpus, order });
      expectSane(sample as NativeSample, 1);
    }
  }
  await expect(runNative(twin.path, ['disjoint', '0', 'seq_cst', '20'])).rejects.toThrow('usage');
});

test.runIf(hasCompiler && process.platform === 'linux')(
  'the live kernel is measured in every mode',
  async () => {
    const live = compileNative(LIVE, folder);
    if ('missing' in live) throw new Error(live.missing);
    for (const { mode, cpus } of LOADS) {
      const sample = await runNative(live.path, [mode, String(cpus), '20']);
      expect(sample).toMatchObject({ mode, threads: cpus });
      expectSane(sample as NativeSample, 10);
    }
  },
);

test.runIf(hasCompiler)(
  'every native lock excludes, alone and against another thread',
  async () => {
    const program = compileNative(LOCKS, folder);
    if ('missing' in program) throw new Error(program.missing);
    for (const lock of NATIVE_LOCKS)
      for (const threads of [1, 2]) {
        const sample = (await runNative(program.path, [lock, String(threads), '10'])) as LockSample;
        expect(sample.acquisitions).toHaveLength(threads);
        expect(Math.min(...sample.acquisitions)).toBeGreaterThan(0);
        expect(sample.nsPerAcquisition).toBeGreaterThan(0.5);
      }
    await expect(runNative(program.path, ['none', '1', '10'])).rejects.toThrow('usage');
  },
);

test.runIf(hasCompiler)("others' RCU is measured, or named with what it needs", async () => {
  const { variants, notes } = rcuPeers({ rounds: 1, ms: 100 });
  const missing = notes.filter((note) => /^(urcu-\w+|ck-epoch) is left out: .*Debian/.test(note));
  expect(variants.length / 2 + missing.length).toBe(RCU_PEERS.length);
  for (const variant of variants) expect(await variant.sample(), variant.name).toBeGreaterThan(0);
});

test('the fairness of a lock is what the thread with the fewest got of the most', () => {
  expect(fairness([50, 200, 100])).toBe(0.25);
});

test.runIf(!hasCompiler)('without a compiler, that is said', () => {
  expect(compileNative(TWIN, folder)).toHaveProperty('missing');
});

/** Between `leastNs` (no machine is faster) and a millisecond a page. */
function expectSane({ nsPerPageWall, pages }: NativeSample, leastNs: number): void {
  expect(pages).toBeGreaterThan(0);
  expect(nsPerPageWall).toBeGreaterThan(leastNs);
  expect(nsPerPageWall).toBeLessThan(1e6);
}
