/** Facts about runs of recordings, on real threads and with all oracles. */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Plan } from '#scenario/plan';
import type { RecordedCall, RecordedEvent } from '#scenario/trace/recording';
import { HEADER } from '#scenario/trace/recording.suite';
import { traceLines } from '#scenario/trace/write';
import type { LoadedScenario } from './engine.ts';
import { realEngine } from './real-engine.ts';
import { optionsByProtocol } from './scenario-choice.ts';

const engine = realEngine(fileURLToPath(new URL('../..', import.meta.url)));
const protocolOptions = await optionsByProtocol(engine);
const PROTOCOLS = Object.keys(protocolOptions);
const HEAP = 0x55a8be000;
/** On both sides of a border between PTE tables, and in another part of the address space. */
const BASE = 0x7fe100000 - 4;

const on = (thread: number, page: number, pages: number) => ({ thread, page, pages });

/** Three threads; the first maps what the others use, and each writes over what another wrote. */
function events(): RecordedEvent[] {
  const calls: RecordedCall[] = [
    { kind: 'brk', ...on(0, HEAP, 0) },
    { kind: 'brk', ...on(0, HEAP, 2100) },
    { kind: 'write', ...on(0, HEAP, 2100) },
    { kind: 'mmap', ...on(0, BASE, 1100), protection: 'none' },
    { kind: 'mprotect', ...on(0, BASE, 1100), protection: 'write' },
    { kind: 'opaque', ...on(0, BASE + 20, 4) },
  ];
  for (let round = 0; round < 6; round++)
    calls.push(
      { kind: 'write', ...on(1, BASE, 20) },
      { kind: 'read', ...on(2, BASE + 24, 900) },
      { kind: 'write', ...on(2, BASE, 20) },
      { kind: 'read', ...on(1, BASE, 20) },
      { kind: 'write', ...on(0, HEAP, 600) },
      { kind: 'madvise', ...on(1, HEAP, 1024), advice: 'dontneed' },
      { kind: 'madvise', ...on(2, BASE + 100, 300), advice: 'free' },
      { kind: 'mremap', ...on(0, BASE + 1000, 50), to: BASE + 2048, newPages: 80 },
      { kind: 'write', ...on(2, BASE + 2048, 80) },
      { kind: 'mremap', ...on(1, BASE + 2048, 80), to: BASE + 1000, newPages: 50 },
    );
  calls.push({ kind: 'munmap', ...on(2, BASE, 1000) }, { kind: 'brk', ...on(1, HEAP, 1100) });
  return [...calls, { kind: 'sample', ms: 5, vmpteKiB: 48, rssKiB: 900 }];
}

async function load(): Promise<LoadedScenario> {
  const text = [...traceLines({ header: { ...HEADER, threads: 3 }, events: events() })].join('');
  return engine.loadScenario({ path: 'made-up.trace.gz', text });
}

function planFor(
  scenario: LoadedScenario,
  protocol: string,
  order: 'recorded' | 'free',
  durationMs?: number,
): Plan {
  const request = { protocol, protocolOptions, seed: 1, parameters: { order } };
  return scenario.buildPlan({ ...request, durationMs });
}

describe.each(['recorded', 'free'] as const)('in %s order', (order) => {
  test.each(PROTOCOLS)('%s loses nothing', async (protocol) => {
    const plan = planFor(await load(), protocol, order);
    const run = await engine.run(plan, { deadlineMs: 30_000 });
    expect([run.violations, run.exit]).toEqual([[], 'pass']);
    if (order === 'free') return;
    // The second half of the first table's pages, and of what was moved there and back 50.
    expect(run.rssKiB.end).toBe(4 * (1100 - 1024 + 50));
    expect(run.faults.segv).toBe(0);
  });
});

describe('the real program', () => {
  test('is in the scenario', async () => {
    const { recording, parameters } = await load();
    const vmpteKiB = { start: 48, peak: 48, end: 48 };
    expect(recording).toMatchObject({ name: 'made-up', program: 'refill', vmpteKiB });
    expect(parameters.map(({ name }) => name)).toEqual(['order']);
  });

  test('redis gave back as much as the same calls do under pt-reclaim', async () => {
    const scenario = await engine.loadScenario(
      await engine.scenarioSource('traces/redis-jemalloc'),
    );
    const [none, reclaim] = [
      await engine.run(planFor(scenario, 'none', 'recorded'), { deadlineMs: 60_000 }),
      await engine.run(planFor(scenario, 'pt-reclaim', 'recorded'), { deadlineMs: 60_000 }),
    ];
    const real = scenario.recording!.vmpteKiB!;
    expect(none.vmpteKiB.end - reclaim.vmpteKiB.end).toBe(real.peak - real.end);
    expect([none.exit, reclaim.exit]).toEqual(['pass', 'pass']);
    // What was written is read again, although the recording has first touches only.
    expect(reclaim.dataChecks.compared).toBeGreaterThan(500);
    expect(reclaim.faults.segv).toBe(0);
  });
});

test('a recording that is told to stop ends, whoever has the turn', async () => {
  const scenario = await engine.loadScenario(await engine.scenarioSource('traces/refill-glibc'));
  const plan = planFor(scenario, 'pt-reclaim', 'recorded', 60);
  const run = await engine.run(plan, { deadlineMs: 30_000 });
  expect([run.violations, run.exit]).toEqual([[], 'pass']);
  // All of it touches four times as often.
  expect(run.operations['touch']).toBeLessThan(10_000);
});
