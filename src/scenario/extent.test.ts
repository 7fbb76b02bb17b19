/** Facts about which pages an operation applies to. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { property } from '#base/property.suite';
import { cpuMain } from '#tasks/cpu-main';
import { TestMachine } from '#tasks/machine.suite';
import { choosePages, shareOf } from './extent.ts';
import { mapOf } from './map-op.suite.ts';
import type { Op, Plan, Region, Where } from './plan.ts';


const region = (pages: number, gapPages: number): Region => ({
  ...{ name: 'r', flags: [] },
  pages,
  gapPages,
});

const plans = fc.record({
  cpus: fc.integer({ min: 1, max: 3 }),
  regions: fc.array(
    fc
      .tuple(fc.integer({ min: 1, max: 200 }), fc.nat(20))
      .map(([pages, gapPages]) => region(pages, gapPages)),
    { minLength: 1, maxLength: 4 },
  ),
}) as fc.Arbitrary<Pick<Plan, 'cpus' | 'regions'>>;

describe('shares', () => {
  property([plans])('of all CPUs partition their region', (plan) => {
    const machine = new TestMachine(plan);
    for (const [i, { pages }] of plan.regions.entries()) {
      const start = machine.machine.regionStarts[i]!;
      const owners = Array<number>(pages).fill(0);
      for (let cpu = 0; cpu < plan.cpus; cpu++) {
        const share = shareOf(machine.plan, machine.machine.regionStarts, cpu, i, 'own');
        for (let page = share.start; page < share.end; page++) owners[page - start]!++;
      }
      expect(owners).toEqual(Array(pages).fill(1));
    }
  });

  property([plans])('are cut at slots', (plan) => {
    const machine = new TestMachine(plan);
    const starts = machine.machine.regionStarts;
    for (const [i, { pages }] of plan.regions.entries()) {
      const edges = [starts[i]!, starts[i]! + pages];
      for (let cpu = 0; cpu < plan.cpus; cpu++) {
        const { start, end } = shareOf(machine.plan, starts, cpu, i, 'own');
        if (start >= end) continue;
        for (const edge of [start, end]) expect(edges.includes(edge) || edge % 8 === 0).toBe(true);
      }
    }
  });

  property([plans])('are never of negative length', (plan) => {
    const machine = new TestMachine(plan);
    for (const i of plan.regions.keys())
      for (let cpu = 0; cpu < plan.cpus; cpu++) {
        const share = shareOf(machine.plan, machine.machine.regionStarts, cpu, i, 'own');
        expect(share.end - share.start).toBeGreaterThanOrEqual(0);
      }
  });

  property([plans])('belong to regions that do not overlap', (plan) => {
    const starts = new TestMachine(plan).machine.regionStarts;
    for (const [i, { pages }] of plan.regions.slice(0, -1).entries())
      expect(starts[i + 1]! - starts[i]! - pages).toBe(plan.regions[i + 1]!.gapPages);
  });
});

test.each([2, 3, 4])(
  'the first region of a machine of %i levels is in its address space',
  (levels) => {
    const machine = new TestMachine({ levels, regions: [region(8, 0)] });
    const end = machine.machine.regionStarts[0]! + 8;
    expect(end).toBeLessThanOrEqual(2 ** (levels * machine.geometry.ptrsShift));
  },
);

const wheres = fc.record({
  extent: fc.constantFrom<Where['extent']>('whole', 'slot', 'part', 'slots', 'page'),
  share: fc.constantFrom<Where['share']>('all', 'own'),
});

property([plans, wheres], { numRuns: 300 })('an extent lies inside its share', (plan, where) => {
  const machine = new TestMachine(plan);
  const starts = machine.machine.regionStarts;
  const out = { start: 0, end: 0 };
  for (const i of plan.regions.keys())
    for (let id = 0; id < plan.cpus; id++) {
      const share = shareOf(machine.plan, starts, id, i, where.share);
      if (share.start >= share.end) continue;
      for (let repeat = 0; repeat < 5; repeat++) {
        choosePages(machine.cpu(id).prng, id, machine.plan, starts, { ...where, region: i }, share, out);
        expect(out.start).toBeGreaterThanOrEqual(share.start);
        expect(out.end).toBeLessThanOrEqual(share.end);
        expect(out.end).toBeGreaterThan(out.start);
        const slots = Math.floor((out.end - 1) / 8) - Math.floor(out.start / 8) + 1;
        if (where.extent === 'page') expect(out.end - out.start).toBe(1);
        if (where.extent === 'slot' || where.extent === 'part') expect(slots).toBe(1);
        if (where.extent === 'slots') expect(slots).toBeLessThanOrEqual(8);
      }
    }
});

test('a part may be any part of its slot', () => {
  const machine = new TestMachine({ regions: [region(8, 0)] });
  const starts = machine.machine.regionStarts;
  const where: Where = { region: 0, extent: 'part', share: 'all' };
  const out = { start: 0, end: 0 };
  const seen = new Set<string>();
  for (let i = 0; i < 3000; i++) {
    choosePages(machine.cpu(0).prng, 0, machine.plan, starts, where, out, out);
    seen.add(`${out.start - starts[0]!}-${out.end - starts[0]!}`);
  }
  expect(seen.size).toBe(36);
});

test('the chunk is the running sweep’s', () => {
  const machine = new TestMachine({ regions: [region(64, 0)] });
  const out = { start: 0, end: 0 };
  const where: Where = { region: 0, extent: 'chunk', share: 'all' };
  choosePages(machine.cpu(0).prng, 0, machine.plan, [0], where, { start: 11, end: 17 }, out);
  expect(out).toEqual({ start: 11, end: 17 });
});

test('a span is of its region, wherever that begins, and draws no random number', () => {
  const machine = new TestMachine({ cpus: 2, regions: [region(64, 0), region(64, 5)] });
  const starts = machine.machine.regionStarts;
  const out = { start: 0, end: 0 };
  const drawn = machine.cpu(1).prng.below(1 << 30);
  const again = new TestMachine({ cpus: 2, regions: [region(64, 0), region(64, 5)] });
  for (const share of ['all', 'own'] as const) {
    const where: Where = { region: 1, extent: { page: 3, pages: 2 }, share };
    choosePages(again.cpu(1).prng, 1, again.plan, starts, where, out, out);
    expect(out).toEqual({ start: starts[1]! + 3, end: starts[1]! + 5 });
  }
  expect(again.cpu(1).prng.below(1 << 30)).toBe(drawn);
});

// A region of fewer slots than there are CPUs leaves some of them without a share.
describe('a CPU whose share is empty', () => {
  const own = { region: 1, share: 'own', extent: 'whole' } as const;

  /** CPU 0 of two maps both regions and runs `op`; region 1 is in one slot, which is CPU 1's. */
  const run = (op: Op): TestMachine => {
    const regions = [region(14, 0), region(2, 0)];
    const setup: Op[] = [mapOf(0), mapOf(1), op];
    const machine = new TestMachine({ cpus: 2, regions, setup }, { cpus: 2 }, false);
    // The rendezvous of two CPUs is where one alone gets no further.
    expect(() => cpuMain(machine.cpu(0), machine.machine)).toThrow('would wait for ever');
    const share = shareOf(machine.plan, machine.machine.regionStarts, 1, 1, 'own');
    expect(share).toEqual({ start: 78, end: 80 });
    return machine;
  };

  test('touches nothing', () => {
    const machine = run({ op: 'touch', access: 'read', pages: 20, ...own });
    expect([machine.counter('segv'), machine.counter('faultsRead')]).toEqual([0, 0]);
  });

  test('unmaps nothing', () => {
    const machine = run({ op: 'munmap', ...own });
    expect(machine.vmas()).toEqual([[64, 80, 0]]);
  });

  test('gives nothing back', () => {
    const machine = run({ op: 'dontneed', ...own });
    expect([machine.counter('opDontneed'), machine.counter('pagesZapped')]).toEqual([1, 0]);
  });
});
