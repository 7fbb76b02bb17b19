/**
 * Facts about a run on real threads: it can be adjusted while it runs, and it ends well when a
 * thread dies.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { CONTROL, PHASE } from '#arena/layout/control';
import type { Run } from '#result/result';
import { mapOf } from '#scenario/map-op.suite';
import type { Plan, Region } from '#scenario/plan';
import { planOf } from '#tasks/machine.suite';
import { counter } from './harvest.ts';
import type { Judges } from './judges.ts';
import { type RunControls, runPlan } from './run.ts';

const JUDGES: Judges = {
  judge: () => [],
  findDeadlock: () => null,
  findStall: () => null,
  tellLivelock: () => ({ kind: 'livelock', message: 'stuck', cpus: [], replay: null }),
};
const REGIONS: Region[] = [{ name: 'heap', pages: 64, flags: [], gapPages: 0 }];

function churn(changes: Partial<Plan>): Plan {
  const heap = { region: 0, share: 'all' } as const;
  const column = [
    {
      op: 'loop',
      times: null,
      do: [
        { op: 'touch', access: 'write', ...heap, extent: 'slot', pages: 'every' },
        { op: 'dontneed', ...heap, extent: 'slot' },
      ],
    },
  ] as const;
  return planOf({
    ...{ cpus: 2, regions: REGIONS, setup: [mapOf(0)] },
    ...{ columns: [column, column], durationMs: 60_000, ...changes },
  });
}

describe('a scanner', () => {
  test.each(['kthread', 'task-work'])('as %s is adjusted while it runs', async (where) => {
    const plan = churn({
      protocol: 'async-scanner',
      options: { where, delayMs: 1e6, sizePages: 64 },
    });
    let controls: RunControls | undefined;
    let passesBefore: number | undefined;
    let passes = 0;
    const enough = new AbortController();
    const run = await runPlan(plan, {
      judges: {
        ...JUDGES,
        findStall(words, map) {
          passes = counter(words, map, 'scanPasses');
          return null;
        },
      },
      deadlineMs: 30_000,
      signal: enough.signal,
      onStart: (given) => {
        controls = given;
      },
      onProgress: ({ seconds }) => {
        if (seconds <= 0.2) return;
        passesBefore ??= passes;
        controls?.setScan(1, 64);
        if (passes > 10) enough.abort();
      },
    });
    expect([run.exit, run.note]).toEqual(['interrupted', null]);
    // A kernel thread makes one when it starts.
    expect(passesBefore).toBeLessThanOrEqual(1);
    expect(run.protocolCounts['scannerPasses']).toBeGreaterThan(10);
  });
});

test('a scanner is switched on and off, and told what to look at, while it runs', async () => {
  const region: Region = { ...REGIONS[0]!, pages: 64 };
  const touch = { op: 'touch', access: 'read', region: 0, share: 'all', pages: 'every' } as const;
  const plan = planOf({
    ...{ cpus: 1, regions: [region], protocol: 'async-scanner', durationMs: 60_000 },
    options: { where: 'task-work', delayMs: 1, sizePages: 64, process: 'off', opt: 'in' },
    setup: [
      mapOf(0),
      { ...touch, extent: 'whole' },
      { op: 'dontneed', region: 0, extent: 'whole', share: 'all' },
    ],
    columns: [[{ op: 'loop', times: null, do: [{ op: 'sleep', ms: 1 }] }]],
  });
  const tables: number[] = [];
  const refused: string[] = [];
  let controls: RunControls | undefined;
  const enough = new AbortController();
  await runPlan(plan, {
    judges: JUDGES,
    deadlineMs: 30_000,
    signal: enough.signal,
    onStart: (given) => {
      controls = given;
    },
    onProgress: ({ phase, vmpteKiB }) => {
      if (phase !== 'main') return;
      tables.push(vmpteKiB);
      if (tables.length === 1) void controls?.setScanPolicy({ process: 'on' });
      if (tables.length === 2) void controls?.setScanPolicy({ opt: 'all' });
      controls?.setScanPolicy({ guided: 'counts' }).catch((e: Error) => refused.push(e.message));
      if (tables[0]! - vmpteKiB >= 32) enough.abort();
    },
  });
  // Switched on, it still lacks the consent of the VMA; only then do the eight tables go.
  expect(tables.at(0)! - tables.at(-1)!).toBe(32);
  expect(tables[1]).toBe(tables[0]);
  expect(refused[0]).toContain('guided=counts');
});

const ROOT = new URL('../../dist/src/', import.meta.url).href;
const LIVING = `${ROOT}tasks/entry.js`;

/** A run of the living build but for what `code` exports. */
async function runWith(changes: Partial<Plan>, code: string): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'pttorture-'));
  try {
    const entry = join(folder, 'entry.mjs');
    writeFileSync(entry, `export * from '${LIVING}';\n${code}`);
    const hooks = { judges: JUDGES, deadlineMs: 30_000, entry: pathToFileURL(entry).href };
    return await runPlan(churn(changes), hooks);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('a thread that dies', () => {
  test('ends the run with a clear word and what was measured', async () => {
    const run = await runWith(
      {},
      `import { cpuMain as live } from '${LIVING}';
       import { boundWords } from '${ROOT}arena/word.js';
       export function cpuMain(cpu, machine) {
         if (cpu.id === 0) return live(cpu, machine);
         const words = boundWords();
         while (words[${CONTROL.phase}] === ${PHASE.boot})
           Atomics.wait(words, ${CONTROL.phase}, ${PHASE.boot}, 10);
         throw new Error('the second CPU is on fire');
       }`,
    );
    expect([run.exit, run.note]).toEqual(['deadline', 'a thread died: the second CPU is on fire']);
    expect(run.tables.allocated).toBeGreaterThan(0);
  });

  test('ends it also where all CPUs have ended, and a kernel thread is told to', async () => {
    const options = { where: 'kthread', delayMs: 1, sizePages: 64 };
    const run = await runWith(
      { protocol: 'async-scanner', options, durationMs: 50 },
      "export function kthreadEnd() { throw new Error('no end is in sight'); }",
    );
    expect([run.exit, run.note]).toEqual(['deadline', 'a thread died: no end is in sight']);
  });
});
