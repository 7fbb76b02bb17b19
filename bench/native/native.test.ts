/** The C programs compile and measure, where there is a compiler. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { compileNative, findCompiler, runNative } from './compile.ts';
import { LOADS, type NativeSample, ORDERS } from './load.ts';

const hasCompiler = findCompiler() !== null;
const folder = mkdtempSync(join(tmpdir(), 'pttorture-native-'));
afterAll(() => rmSync(folder, { recursive: true }));

test.runIf(hasCompiler)('the native twin compiles and counts pages in every mode', async () => {
  const twin = compileNative('twin', folder);
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
    const live = compileNative('live', folder);
    if ('missing' in live) throw new Error(live.missing);
    for (const { mode, cpus } of LOADS) {
      const sample = await runNative(live.path, [mode, String(cpus), '20']);
      expect(sample).toMatchObject({ mode, threads: cpus });
      expectSane(sample as NativeSample, 10);
    }
  },
);

test.runIf(!hasCompiler)('without a compiler, that is said', () => {
  expect(compileNative('twin', folder)).toHaveProperty('missing');
});

/** Between `leastNs` (no machine is faster) and a millisecond a page. */
function expectSane({ nsPerPageWall, pages }: NativeSample, leastNs: number): void {
  expect(pages).toBeGreaterThan(0);
  expect(nsPerPageWall).toBeGreaterThan(leastNs);
  expect(nsPerPageWall).toBeLessThan(1e6);
}
