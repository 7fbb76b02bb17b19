/** Facts about the sizes of large machines. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { arenaMap, type Geometry, WORDS_MAX } from '#arena/map';
import { PROTOCOLS } from '#reclaim/registry';
import { buildPlan } from '#scenario/build-plan';
import { parseScenario } from '#scenario/scenario';
import { sizeMachine } from './size.ts';

const FILE = new URL('../../scenarios/production-snapshot.yaml', import.meta.url);
const SNAPSHOT = parseScenario({ path: FILE.pathname, text: readFileSync(FILE, 'utf8') });
const OPTIONS = Object.fromEntries(PROTOCOLS.map(({ name, options }) => [name, options]));

/** The machine of the server of the series, divided by `scale`. */
function geometryAt(scale: number, protocol: string): Geometry {
  const parameters = { scale: `${scale}` };
  const request = { protocol, protocolOptions: OPTIONS, seed: 1, parameters, cpus: 2 };
  return sizeMachine(buildPlan(SNAPSHOT, request));
}

/** Bytes that the run makes use of: not the bodies that are never needed. */
function bytesUsed(geometry: Geometry, bodies: number): number {
  const spare = (geometry.bodies - bodies) << geometry.ptrsShift;
  return 4 * (arenaMap(geometry).sizeWords - spare);
}

test.each(['pt-reclaim', 'async-scanner', 'none'])(
  'the server of the series has its place under %s, in less than 4 GiB',
  (protocol) => {
    const geometry = geometryAt(1, protocol);
    expect(geometry.tables).toBeGreaterThan(110 * 2 ** 18);
    expect(geometry.pages).toBeGreaterThan(590 * 2 ** 18);
    expect(arenaMap(geometry).sizeWords).toBeLessThan(WORDS_MAX);
    // Full tables, two bodies of each PMD table, and callbacks of both CPUs.
    const bodies = 302_080 + 2 * 56_400 + 2 * 4096;
    expect(geometry.bodies).toBeGreaterThan(bodies);
    expect(bytesUsed(geometry, bodies)).toBeLessThan(3 * 2 ** 30);
  },
);

test('a smaller server needs less in proportion', () => {
  const whole = arenaMap(geometryAt(64, 'none')).sizeWords;
  const half = arenaMap(geometryAt(128, 'none')).sizeWords;
  expect(whole / half).toBeGreaterThan(1.8);
});
