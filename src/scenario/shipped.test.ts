/** The shipped scenarios: all parse, build for every protocol, and keep what they promise. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { PAGE_SIZE_BYTES } from '#base/units';
import { PROTOCOLS } from '#reclaim/registry';
import type { PlanRequest } from './build-plan.ts';
import { buildPlan } from './build-plan.ts';
import type { Plan } from './plan.ts';
import { requestOf as anyRequest } from './request.suite.ts';
import { parseScenario, type Scenario, scenarioSummary } from './scenario.ts';
import { scenarioJsonSchema } from './schema.ts';

const FOLDER = new URL('../../scenarios/', import.meta.url);

const PROTOCOL_OPTIONS = Object.fromEntries(PROTOCOLS.map(({ name, options }) => [name, options]));

/** With the protocols that there are. */
function requestOf(changes: Partial<PlanRequest>): PlanRequest {
  return anyRequest({ protocolOptions: PROTOCOL_OPTIONS, ...changes });
}

const shipped = new Map<string, Scenario>();
const litmus = new Map<string, Scenario>();
/** Made for broken versions. */
const races = new Map<string, Scenario>();
for (const file of readdirSync(FOLDER, { encoding: 'utf8', recursive: true })) {
  if (!file.endsWith('.yaml')) continue;
  const text = readFileSync(new URL(file, FOLDER), 'utf8');
  const scenario = parseScenario({ path: `scenarios/${file}`, text });
  const [folder] = scenario.name.split('/');
  const shelf = folder === 'litmus' ? litmus : folder === 'races' ? races : shipped;
  shelf.set(scenario.name, scenario);
}

test('the shipped scenarios are these', () => {
  expect([...shipped.keys()].sort()).toEqual([
    'allocator-loop',
    'balloon-zeropages',
    'churn',
    'fault-vs-scanner',
    'fault-vs-zap',
    'gup-vs-zap',
    'idle-heap',
    'lazyfree-pressure',
    'locktorture',
    'malicious-tables',
    'percpu-ref-stability',
    'production-snapshot',
    'rcutorture',
    'sparse-touch',
    'switch-back-cost',
    'switch-lock-contention',
    'tlb-shootdown',
    'two-vmas-one-table',
    'uffd-monitor',
    'walkers-vs-reclaim',
  ]);
});

describe.each([...shipped.values(), ...races.values()])('$name', (scenario) => {
  test.each([1, 2, 8])('builds for %i CPUs and every protocol', (cpus) => {
    for (const protocol of Object.keys(PROTOCOL_OPTIONS)) {
      const plan = buildPlan(scenario, requestOf({ protocol, cpus }));
      expect(plan.columns).toHaveLength(cpus);
      expect(plan.columns.every((ops) => ops.length > 0)).toBe(true);
      expect(plan).toEqual(JSON.parse(JSON.stringify(plan)));
    }
  });

  test('asks one question and names its source', () => {
    const { summary, source } = scenarioSummary(scenario);
    expect(summary).toMatch(/^[^?]+\?$/);
    expect(source).toMatch(/^\w[^\n]+$/);
  });
});

test('there are litmus scenarios enough for two and for three CPUs', () => {
  const cpus = [...litmus.values()].map((scenario) => buildPlan(scenario, requestOf({})).cpus);
  expect(cpus.filter((count) => count === 2).length).toBeGreaterThanOrEqual(26);
  expect(cpus.filter((count) => count === 3).length).toBeGreaterThanOrEqual(9);
});

describe.each([...litmus.values()])('$name', (scenario) => {
  test('is small, ends by itself, and says what to expect of each protocol it is about', () => {
    for (const protocol of Object.keys(PROTOCOL_OPTIONS)) {
      const plan = buildPlan(scenario, requestOf({ protocol }));
      expect(plan).toMatchObject({ ptrsShift: 2, durationMs: null });
      expect(plan.regions.reduce((sum, { pages }) => sum + pages, 0)).toBeLessThanOrEqual(8);
      expect(plan.columns.every((ops) => ops.length > 0 && ops.length <= 2)).toBe(true);
      expect(plan.columns.flat().filter(({ op }) => op === 'loop' || op === 'mix')).toEqual([]);
      expect(plan.outcomes).toContainEqual({ outcome: 'violation', expected: 'never' });
      expect(plan).toEqual(JSON.parse(JSON.stringify(plan)));
    }
    expect(Object.keys(scenario.file.outcomes ?? {}).length).toBeGreaterThan(0);
  });

  test('asks one question and names its source', () => {
    const { summary, source } = scenarioSummary(scenario);
    expect(summary).toMatch(/^[^?]+\?$/);
    expect(source).toMatch(/^["\w][^\n]+$/);
  });
});

test('the loop of the cover letters has 25,600 rounds and its published end', () => {
  const scenario = shipped.get('allocator-loop')!;
  const plan = buildPlan(scenario, requestOf({ protocol: 'none' }));
  const [sweep] = plan.columns[0]!;
  expect(sweep).toMatchObject({ op: 'sweep', pages: 2 ** 21 / PAGE_SIZE_BYTES });
  expect(plan.regions[0]!.pages / (2 ** 21 / PAGE_SIZE_BYTES)).toBe(25_600);
  const [expected] = plan.expectations;
  expect(expected!.figure).toBe('vmpteAboveStartKiB');
  expect(expected!.min).toBeGreaterThanOrEqual(102_600 * 0.999);
  expect(expected!.max).toBeLessThanOrEqual(102_600 * 1.001);
  const smaller = requestOf({ protocol: 'none', parameters: { size: '1GiB' } });
  expect(buildPlan(scenario, smaller).expectations).toEqual([]);
});

describe('the server of the series', () => {
  const planAt = (scale: string, protocol = 'pt-reclaim'): Plan =>
    buildPlan(shipped.get('production-snapshot')!, requestOf({ protocol, parameters: { scale } }));

  test('has its published sizes at full scale', () => {
    const [resident, spent] = planAt('1').regions;
    const pages = resident!.pages + spent!.pages;
    expect((pages * PAGE_SIZE_BYTES) / 2 ** 40).toBe(55);
    expect((resident!.pages * PAGE_SIZE_BYTES) / 2 ** 30).toBe(590);
    expect(pages / 2 ** 9).toBe((110 * 2 ** 30) / PAGE_SIZE_BYTES);
  });

  test('is held to its times at full scale only', () => {
    const figures = (scale: string) => planAt(scale).expectations.map(({ figure }) => figure);
    expect(figures('1').filter((figure) => figure === 'phaseSeconds')).toHaveLength(2);
    expect(figures('64')).not.toContain('phaseSeconds');
  });
});

test('what a protocol is set to comes from the parameters of the scenario', () => {
  const options = (name: string, parameters: Record<string, string>): Plan['options'] =>
    buildPlan(shipped.get(name)!, requestOf({ protocol: 'percpu-refcount', parameters })).options;
  expect(options('percpu-ref-stability', { stableSync: 'off' })['stableSync']).toBe('off');
  expect(options('switch-lock-contention', { switchLock: 'global' })['switchLock']).toBe('global');
  expect(options('switch-lock-contention', { switchLock: 'per-ref' })['switchLock']).toBe(
    'per-ref',
  );
  expect(options('switch-back-cost', { switchBack: 'off' })['switchBack']).toBe('off');
});

test('scenarios that race stay small', () => {
  const races = ['churn', 'fault-vs-zap', 'fault-vs-scanner', 'gup-vs-zap', 'uffd-monitor'];
  for (const name of [...races, 'two-vmas-one-table', 'walkers-vs-reclaim']) {
    const { regions } = buildPlan(shipped.get(name)!, requestOf({}));
    const pages = regions.reduce((sum, region) => sum + region.pages, 0);
    expect(pages).toBeLessThan(100_000);
  }
});

test('the published schema is the one in use', async () => {
  // After a change of the schema: npx vitest run src/scenario/shipped.test.ts -u
  const text = `${layOut(scenarioJsonSchema(), '')}\n`;
  await expect(text).toMatchFileSnapshot('../../scenarios/scenario.schema.json');
});

/** JSON as the formatter wants it: lists of plain values on one line where they fit. */
function layOut(value: unknown, indent: string, used = 0): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const isList = Array.isArray(value);
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  if (Object.keys(value).length === 0) return `${open}${close}`;
  const deeper = `${indent}  `;
  if (isList && value.every((item) => typeof item !== 'object')) {
    const line = `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
    if (indent.length + used + line.length < 100) return line;
  }
  const items = Object.entries(value).map(([key, item]) => {
    const label = isList ? '' : `${JSON.stringify(key)}: `;
    return `${deeper}${label}${layOut(item, deeper, label.length)}`;
  });
  return `${open}\n${items.join(',\n')}\n${indent}${close}`;
}
