/**
 * Facts about the machine: its size, the harvest of a run on this thread, and short runs on real
 * threads.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { CONTROL } from '#arena/layout/control';
import { arenaMap } from '#arena/map';
import { peek } from '#arena/word';
import type { Run } from '#result/result';
import { mapOf } from '#scenario/map-op.suite';
import type { Op, Plan, Region } from '#scenario/plan';
import { cpuExit, cpuMain } from '#tasks/cpu-main';
import { planOf, TestMachine } from '#tasks/machine.suite';
import { ACTORS, LOCKS, RACES } from '#trace/vocabulary';
import { harvestRun } from './harvest.ts';
import type { Sampled } from './sampler.ts';
import { kthreadsOf, sizeMachine } from './size.ts';

const REGIONS: Region[] = [
  { name: 'heap', pages: 256, flags: [], gapPages: 0 },
  { name: 'odd', pages: 45, flags: [], gapPages: 3 },
];
const heap = { region: 0, share: 'all' } as const;
const touch = (extent: 'whole' | 'slots', pages: 'every' | number): Op => ({
  ...{ op: 'touch', access: 'write' },
  ...heap,
  extent,
  pages,
});
const dontneed = (extent: 'whole' | 'slot' | 'part'): Op => ({ op: 'dontneed', ...heap, extent });

const SAMPLED: Sampled = {
  ...{ vmpteKiB: [[0, 1]], rssKiB: [[0, 2]], occupancy: null, timeline: null },
};

/** What a run in a process of its own left, and what its judges, who find nothing, were asked. */
interface Outcome {
  readonly run: Run;
  readonly moments: string[];
  readonly facts: number[];
}

/** Runs the built machine as in production; a test's own process has other module conditions. */
async function runBuilt(plan: Plan, hooks: { deadlineMs: number; aborts?: true }) {
  const root = new URL('../../dist/src/', import.meta.url).href;
  const code = `
    const { runPlan } = await import(${JSON.stringify(`${root}machine/run.js`)});
    const { plan, hooks, facts } = JSON.parse(process.argv[1]);
    const [moments, found] = [[], []];
    const judges = {
      judge({ words, moment }) {
        moments.push(moment);
        found.push(words[facts]);
        return [];
      },
      findDeadlock: () => null,
      findStall: () => null,
      tellLivelock: (_words, _map, idle) => ({ kind: 'livelock', message: idle, cpus: [] }),
    };
    const abort = new AbortController();
    const { deadlineMs, aborts } = hooks;
    let told = 0;
    const onProgress = ({ phase, faultsPerSecond }) => {
      if (phase === 'main') told++;
      if (aborts && told > 2 && faultsPerSecond > 0) abort.abort();
    };
    const signal = abort.signal;
    const run = await runPlan(plan, { judges, deadlineMs, signal, onProgress });
    console.log(JSON.stringify({ run, moments, facts: found }));`;
  const argument = JSON.stringify({ plan, hooks, facts: CONTROL.facts });
  const args = ['--input-type=module', '-e', code, argument];
  const options = { timeout: 30_000 };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, options);
  // Whatever Node.js has to warn of would stand among the reports.
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Outcome;
}

describe('a machine is large enough', () => {
  const everything: Op[] = REGIONS.flatMap((_, region): Op[] => [
    mapOf(region),
    { op: 'touch', access: 'write', region, share: 'all', extent: 'whole', pages: 'every' },
  ]);

  test.each([
    ['three levels', { levels: 3 }],
    ['four levels', { levels: 4 }],
    ['bodies on demand', { backing: 'on-demand' }],
    ['larger tables', { ptrsShift: 5 }],
  ] as [string, Partial<Plan>][])('to fill all regions: %s', (_name, changes) => {
    const plan = planOf({ cpus: 1, regions: REGIONS, setup: everything, ...changes });
    const machine = new TestMachine(plan, sizeMachine(plan), false);
    expect(cpuMain(machine.cpu(0), machine.machine)).toBe('done');
    expect([machine.counter('oom'), machine.counter('segv')]).toEqual([0, 0]);
    expect(machine.counter('rss')).toBe(301);
  });

  test('and has a block for each kernel thread', () => {
    const options = { where: 'kthread' };
    const plan = planOf({ cpus: 2, protocol: 'async-scanner', options, regions: REGIONS });
    expect(kthreadsOf(plan)).toEqual(['scanner', 'rcu']);
    expect(sizeMachine(plan).cpus).toBe(4);
    expect(sizeMachine(planOf({ cpus: 2 })).cpus).toBe(2);
  });

  test('and grows with its regions', () => {
    const words = (pages: number): number =>
      arenaMap(sizeMachine(planOf({ regions: [{ ...REGIONS[0]!, pages }] }))).sizeWords;
    expect(words(8192)).toBeGreaterThan(words(1024));
  });
});

describe('the harvest of a run', () => {
  const column: Op[] = [
    touch('whole', 'every'),
    dontneed('whole'),
    { op: 'sleep', ms: 2 },
    touch('whole', 'every'),
  ];
  const plan = planOf({
    ...{ cpus: 1, protocol: 'pt-reclaim', regions: REGIONS, gatherPages: 300 },
    ...{ setup: [mapOf(0)], columns: [column] },
    expectations: [
      { figure: 'pteTables', phase: null, min: 32, max: 32 },
      { figure: 'vmpteAboveStartKiB', phase: null, min: null, max: 4 },
    ],
  });
  let machine: TestMachine;
  const census = { empty: 0, zeroPageOnly: 0 };
  const end = { cpuSeconds: 1, vmpteKiB: 0, rssKiB: 0, pteTables: 0, census };

  test('has every figure that the run left', () => {
    machine = new TestMachine(plan, { cpus: 1 }, false);
    expect(cpuMain(machine.cpu(0), machine.machine)).toBe('done');
    const tables = machine.nrPtes() + machine.nrPmds() + machine.nrPuds();
    Object.assign(end, { vmpteKiB: 4 * tables, rssKiB: 4 * 256, pteTables: machine.nrPtes() });
    expect(cpuExit(machine.cpu(0), machine.machine)).toBe('done');
    const { words, map } = machine;
    const run = harvestRun({
      ...{ plan, words, map, lockSites: null, exit: 'pass', sampled: SAMPLED, rssPeakKiB: 7, end },
      ...{ isWhole: true, verdicts: [], note: null },
    });
    expect(run).toMatchObject({
      ...{ protocol: 'pt-reclaim', cpus: 1, exit: 'pass', violations: [], note: null },
      vmpteKiB: { start: 0, peak: end.vmpteKiB, end: end.vmpteKiB, series: [[0, 1]] },
      rssKiB: { start: 0, peak: 1024, end: 1024, series: [[0, 2]] },
      pages: { faulted: 512, zapped: 512 },
      faults: { read: 0, write: 512, segv: 0, oom: 0 },
      tables: { reclaimed: 32, pteTablesEnd: 32 },
      operations: { touch: 2, dontneed: 1, mmap: 1 },
      protocolCounts: { fastPath: 32 },
      races: [],
    });
    expect(run.tables.allocated).toBe(run.tables.freed);
    expect(run.seconds).toBeGreaterThanOrEqual(0.002);
    expect(run.phases.map(({ name }) => name)).toEqual(['setup', 'main', 'fair']);
    expect(run.expectations.map(({ found, met }) => [found, met])).toEqual([
      [32, true],
      [end.vmpteKiB, false],
    ]);
    expect(run.rcu.gracePeriods).toBe(machine.counter('rcuGracePeriods'));
    expect(run.rcu.backlogPeak).toBeGreaterThanOrEqual(32);
    expect(run.rcu.latencyUs.p50).toBeLessThanOrEqual(run.rcu.latencyUs.max);
    const ptl = run.locks.find((lock) => lock.class === 'ptl')!;
    expect(ptl).toMatchObject({ contended: 0, trylockFailed: 0, waitNs: 0 });
    expect(ptl.acquisitions).toBeGreaterThan(512);
  });

  test('holds no expectations against a run that was cut off', () => {
    const { words, map } = machine;
    const run = harvestRun({
      ...{
        plan,
        words,
        map,
        lockSites: null,
        exit: 'deadline',
        sampled: SAMPLED,
        rssPeakKiB: 0,
        end,
      },
      ...{ isWhole: false, verdicts: [], note: 'cut off' },
    });
    expect([run.expectations, run.note]).toEqual([[], 'cut off']);
  });

  test('names what stands in the race matrix', () => {
    const racing = new TestMachine({ protocol: 'async-scanner' });
    racing.mmap(0, 64, 128);
    racing.load(0, 64);
    racing.meanwhile(1, 'load', CONTROL.scanOffset, () => {});
    racing.scan(1);
    const { words, map } = racing;
    const run = harvestRun({
      ...{
        plan: racing.plan,
        words,
        map,
        lockSites: null,
        exit: 'pass',
        sampled: SAMPLED,
        rssPeakKiB: 0,
        end,
      },
      ...{ isWhole: true, verdicts: [], note: null },
    });
    for (const { kind, noticedBy, causedBy } of run.races) {
      expect(RACES).toContain(kind);
      expect(ACTORS).toContain(noticedBy);
      expect(ACTORS).toContain(causedBy);
    }
    for (const lock of run.locks) expect(LOCKS).toContain(lock.class);
    expect(peek(CONTROL.halt)).toBe(0);
  });
});

const CHURN: Op[] = [
  {
    op: 'mix',
    times: null,
    choices: [
      { weight: 6, do: [touch('slots', 12), { ...touch('slots', 40), access: 'read' } as Op] },
      { weight: 2, do: [dontneed('slot')] },
      { weight: 2, do: [dontneed('part')] },
      {
        weight: 1,
        do: [{ op: 'munmap', ...heap, extent: 'slot' }, mapOf(0)],
      },
    ],
  },
];

describe('a run on real threads', () => {
  const churn = (changes: Partial<Plan>): Plan =>
    planOf({
      ...{ cpus: 2, regions: REGIONS, durationMs: 300 },
      ...{ setup: [mapOf(0)], columns: [CHURN, CHURN] },
      ...changes,
    });

  test.each([
    ['pt-reclaim', {}],
    ['async-scanner', { where: 'kthread', delayMs: 2, sizePages: 1 << 20 }],
  ] as [string, Plan['options']][])('of %s passes', async (protocol, options) => {
    const plan = churn({ protocol, options });
    const { run, moments, facts } = await runBuilt(plan, { deadlineMs: 20_000 });
    expect([run.exit, run.note, run.violations]).toEqual(['pass', null, []]);
    expect([moments, facts]).toEqual([
      ['fair', 'exit'],
      [0, 0],
    ]);
    expect(run.seconds).toBeGreaterThanOrEqual(0.28);
    expect(run.tables.allocated).toBe(run.tables.freed);
    expect(run.tables.reclaimed).toBeGreaterThan(0);
    expect(run.dataChecks.compared).toBeGreaterThan(0);
    if (protocol === 'async-scanner')
      expect(run.protocolCounts['scannerPasses']).toBeGreaterThan(0);
  });

  test('counts what could have been reclaimed before the process ends', async () => {
    const columns = [[touch('whole', 'every'), dontneed('whole')]];
    const plan = churn({ cpus: 1, columns, durationMs: null });
    const { run } = await runBuilt(plan, { deadlineMs: 20_000 });
    expect(run.tables).toMatchObject({ reclaimed: 0, reclaimable: 32, pteTablesEnd: 32 });
  });

  test('ends cleanly when it is interrupted', async () => {
    // As many as wait for the interruption is no reason for Node.js to warn.
    const cpus = 12;
    const plan = churn({ durationMs: null, cpus, columns: Array(cpus).fill(CHURN) });
    const { run, moments } = await runBuilt(plan, { deadlineMs: 20_000, aborts: true });
    expect([run.exit, moments]).toEqual(['interrupted', ['fair', 'exit']]);
    expect(run.faults.write).toBeGreaterThan(0);
    // Progress was told three times, each after five looks.
    expect(run.vmpteKiB.series.length).toBeGreaterThan(3);
  });

  test('in the announced form of RCU comes to its end', async () => {
    const plan = churn({ protocol: 'pt-reclaim', rcu: 'announced' });
    const { run } = await runBuilt(plan, { deadlineMs: 20_000 });
    expect([run.exit, run.note]).toEqual(['pass', null]);
  });
});
