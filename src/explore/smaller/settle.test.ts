/** Facts about settled plans, and about the small machines that they run on. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { property } from '#base/property.suite';
import type { Op, Plan, Region } from '#scenario/plan';
import { RandomStrategy } from '../strategies/random.ts';
import { machines, settledPlan, shippedPlan } from './settle.suite.ts';
import { settlePlan } from './settle.ts';
import { scalePlan } from './settle-scale.ts';
import { smallGeometry } from './small-geometry.ts';

const OPS_PER_CPU = 6;
const NAMES = readdirSync(fileURLToPath(new URL('../../../scenarios', import.meta.url)))
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.slice(0, -'.yaml'.length));
const makeMachine = await machines(null);

describe.each(NAMES)('%s, settled', (name) => {
  const plan = settledPlan(name, 'pt-reclaim', 7);

  test('is a few operations at exact places on a small machine', () => {
    expect(plan.ptrsShift).toBeLessThanOrEqual(3);
    expect(plan.durationMs).toBe(null);
    for (const ops of plan.columns) {
      const leaves = ops.filter(({ op }) => op !== 'rendezvous');
      expect(leaves.length).toBeGreaterThan(0);
      expect(leaves.length).toBeLessThanOrEqual(OPS_PER_CPU);
    }
    for (const op of [...plan.setup, ...plan.columns.flat()]) expectExact(plan, op);
    const meetings = plan.columns.map((ops) => ops.filter(({ op }) => op === 'rendezvous'));
    for (const each of meetings) expect(each).toEqual(meetings[0]);
  });

  test('is drawn again by its seed', () => {
    expect(settledPlan(name, 'pt-reclaim', 7)).toEqual(plan);
  });

  test.each(['pt-reclaim', 'async-scanner'])('is executed cleanly under %s', (protocol) => {
    const machine = makeMachine(settledPlan(name, protocol, 7));
    for (let execution = 0; execution < 3; execution++) {
      const { end, verdicts } = machine.execute(new RandomStrategy(1, 100_000), execution);
      expect({ end, verdicts }).toEqual({ end: 'done', verdicts: [] });
    }
  });
});

function expectExact(plan: Plan, op: Op): void {
  expect(['loop', 'mix', 'sweep', 'punch']).not.toContain(op.op);
  if (!('extent' in op)) return;
  expect(op.extent).toBeTypeOf('object');
  const { page, pages } = op.extent as { page: number; pages: number };
  expect(page).toBeGreaterThanOrEqual(0);
  expect(pages).toBeGreaterThan(0);
  expect(page + pages).toBeLessThanOrEqual(plan.regions[op.region]!.pages);
}

describe('a settled plan', () => {
  test('is another one under another seed', () => {
    const plans = Array.from({ length: 20 }, (_, seed) => settledPlan('churn', 'none', seed));
    expect(new Set(plans.map(({ columns }) => JSON.stringify(columns))).size).toBe(20);
  });

  test('gives each CPU of a sweep its own slots', () => {
    const { columns } = settledPlan('sparse-touch', 'none', 1, 2);
    const slots = columns.map((ops) => ops.map((op) => Math.floor(firstPage(op) / 4)));
    expect(slots.map((each) => new Set(each))).toEqual([new Set([0]), new Set([1])]);
  });

  test('has a share of its operations after each rendezvous', () => {
    const { columns } = settledPlan('production-snapshot', 'pt-reclaim');
    const phases = columns[0]!.map((op) => (op.op === 'rendezvous' ? op.phase : op.op));
    expect(phases).toEqual([
      ...['build', 'madvise', 'touch', 'purge', 'reclaim', 'dontneed', 'scan', 'pressure', 'rest'],
    ]);
  });

  test('has as many operations as are asked for', () => {
    const plan = smallGeometry(shippedPlan('churn', 'none'));
    const { columns } = settlePlan(plan, { opsPerCpu: 2 });
    expect(columns.map((ops) => ops.length)).toEqual([2, 2]);
  });
});

describe('a small machine', () => {
  test('that is small already keeps its geometry', () => {
    const plan = shippedPlan('litmus/write-vs-zap', 'pt-reclaim');
    expect(smallGeometry(plan)).toEqual({ ...plan, rcu: 'abstract' });
  });

  test('runs the real RCU where it is what is tortured', () => {
    expect(smallGeometry(shippedPlan('rcutorture', 'none')).rcu).toBe('qsbr');
  });

  test('fills its gather where the large one does', () => {
    expect(smallGeometry(shippedPlan('fault-vs-zap', 'none')).gatherPages).toBe(2);
    expect(smallGeometry(shippedPlan('sparse-touch', 'none')).gatherPages).toBe(8);
  });

  test('keeps what matters of a place', () => {
    const { regions } = smallGeometry(shippedPlan('churn', 'none'));
    const [, , pool, nook] = regions;
    // Two whole slots and half of the one that the neighbour begins in.
    expect([pool!.pages, nook!.pages, nook!.gapPages]).toEqual([10, 6, 0]);
  });

  const size = fc.integer({ min: 1, max: 4 * 512 });
  const regions = fc.array(fc.record({ pages: size, gapPages: fc.option(size, { nil: 0 }) }), {
    minLength: 1,
    maxLength: 3,
  });
  property([regions])('has regions that begin, end and meet as the large ones do', (places) => {
    const large = places.map((place, i): Region => ({ name: `r${i}`, flags: [], ...place }));
    const plan = { ...shippedPlan('churn', 'none'), regions: large, setup: [], columns: [[], []] };
    const scaled = scalePlan(plan, { ptrsShift: 2, fullSlotsMax: 2, levels: 3 });
    const was = edges(large, 512);
    const is = edges(scaled.regions, 4);
    for (const [i, region] of scaled.regions.entries()) {
      // One more where the region before it leaves no room in the slot that they share.
      expect(is[i]!.slots).toBeLessThanOrEqual(4);
      expect(region.pages).toBeGreaterThan(0);
      expect(region.gapPages === 0).toBe(large[i]!.gapPages === 0 || is[i]!.start === 0);
      // A region of a slot's part can be too small to end before the slot does.
      if (was[i]!.slots > 1 && i === 0) expect(is[i]!).toMatchObject(whole(was[i]!));
    }
  });
});

interface Edges {
  readonly start: number;
  readonly beginsSlot: boolean;
  readonly endsSlot: boolean;
  readonly slots: number;
}

function whole({ beginsSlot, endsSlot }: Edges): Partial<Edges> {
  return { beginsSlot, endsSlot };
}

function edges(regions: readonly Region[], ptrs: number): Edges[] {
  let end = 0;
  return regions.map(({ gapPages, pages }) => {
    const start = end + gapPages;
    end = start + pages;
    const slots = Math.ceil(end / ptrs) - Math.floor(start / ptrs);
    return { start, beginsSlot: start % ptrs === 0, endsSlot: end % ptrs === 0, slots };
  });
}

function firstPage(op: Op): number {
  return 'extent' in op && typeof op.extent === 'object' ? op.extent.page : -1;
}
