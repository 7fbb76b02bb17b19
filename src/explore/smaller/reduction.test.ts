/** Facts about reductions: their text, and that what they leave of a plan is a plan. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { property } from '#base/property.suite';
import { UserError } from '#base/user-error';
import type { Op, Plan } from '#scenario/plan';
import { RandomStrategy } from '../strategies/random.ts';
import {
  allOf,
  canReduce,
  formatReduction,
  NOT_REDUCED,
  parseReduction,
  type Reduction,
  reducePlan,
} from './reduction.ts';
import { machines, settledPlan } from './settle.suite.ts';

const mask = fc.bigInt({ min: 0n, max: 2n ** 40n });
const scale = fc.record({
  ptrsShift: fc.integer({ min: 1, max: 3 }),
  fullSlotsMax: fc.integer({ min: 1, max: 3 }),
  levels: fc.integer({ min: 2, max: 4 }),
});
const reduction: fc.Arbitrary<Reduction> = fc.record({
  isInPieces: fc.boolean(),
  kept: fc.option(
    fc.record({ setup: mask, columns: fc.array(fc.option(mask), { minLength: 1, maxLength: 4 }) }),
  ),
  scale: fc.option(scale),
});

describe('the text', () => {
  property([reduction])('of a reduction is read as that reduction', (value) => {
    const text = formatReduction(value);
    expect(parseReduction(text)).toEqual(value);
    expect(text).toMatch(/^[\w.]*$/);
  });

  test('is short', () => {
    const kept = { setup: 1n, columns: [2n, null, 0n] };
    expect(formatReduction(NOT_REDUCED)).toBe('');
    expect(formatReduction({ isInPieces: true, kept, scale: null })).toBe('p1.2..0');
  });

  test.each(['x', '1', '1.2g', 'g912', '.1', 'g1122', '1.2.g11', 'pp1.1', '1.1 '])(
    '%j is none',
    (text) => {
      expect(() => parseReduction(text)).toThrow(UserError);
    },
  );
});

describe('a reduced plan', async () => {
  const makeMachine = await machines(null);
  const plans = [
    settledPlan('churn', 'pt-reclaim', 3, 3),
    settledPlan('two-vmas-one-table', 'async-scanner', 2),
    settledPlan('production-snapshot', 'pt-reclaim', 1),
    settledPlan('uffd-monitor', 'pt-reclaim', 1),
    settledPlan('tlb-shootdown', 'pt-reclaim', 1),
  ];

  /** The parts of `kept` that `plan` has. */
  function within(plan: Plan, value: Reduction): Reduction {
    const { isInPieces } = value;
    const all = allOf(reducePlan(plan, { ...NOT_REDUCED, isInPieces }));
    if (value.kept === null) return value;
    const given = value.kept.columns;
    const columns = all.columns.map((each, cpu) => {
      const wanted = given[cpu % given.length]!;
      return wanted === null && cpu > 0 ? null : each! & (wanted ?? 0n);
    });
    return { ...value, kept: { setup: all.setup & value.kept.setup, columns } };
  }

  property([fc.constantFrom(...plans), reduction, fc.nat()], { numRuns: 60 })(
    'is executed without a violation on the living source',
    (whole, value, seed) => {
      const part = within(whole, value);
      if (!canReduce(whole, part)) return;
      const reduced = reducePlan(whole, part);
      const machine = makeMachine(reduced);
      for (let execution = 0; execution < 4; execution++) {
        const { end, verdicts } = machine.execute(new RandomStrategy(seed, 100_000), execution);
        expect({ end, verdicts }).toEqual({ end: 'done', verdicts: [] });
      }
      for (const op of [...reduced.setup, ...reduced.columns.flat()]) expectInside(reduced, op);
    },
  );

  test('in pieces touches the same pages in the same order', () => {
    const apart = plans.map((plan) => reducePlan(plan, { ...NOT_REDUCED, isInPieces: true }));
    for (const [i, { columns }] of apart.entries())
      expect(columns.map(touched)).toEqual(plans[i]!.columns.map(touched));
    const touches = apart
      .flatMap(({ columns }) => columns.flat())
      .filter((op) => op.op === 'touch');
    for (const { extent } of touches) expect(extent).toMatchObject({ pages: 1 });
    const operations = ({ columns }: Plan): number => columns.flat().length;
    expect(apart.map(operations)).not.toEqual(plans.map(operations));
  });

  test('without CPU 0 has its columns moved up', () => {
    const [plan] = plans;
    const { setup, columns } = allOf(plan!);
    const kept = { setup, columns: [null, ...columns.slice(1)] };
    const reduced = reducePlan(plan!, { ...NOT_REDUCED, kept });
    expect(reduced.cpus).toBe(2);
    expect(reduced.columns).toEqual(plan!.columns.slice(1));
  });

  test('of operations that are not there is refused', () => {
    const [plan] = plans;
    const { setup, columns } = allOf(plan!);
    for (const kept of [
      { setup: 2n * setup + 1n, columns },
      { setup, columns: columns.slice(1) },
      { setup, columns: columns.map(() => null) },
    ])
      expect(() => reducePlan(plan!, { ...NOT_REDUCED, kept })).toThrow(UserError);
  });
});

function expectInside(plan: Plan, op: Op): void {
  if (!('extent' in op) || typeof op.extent !== 'object') return;
  const { page, pages } = op.extent;
  expect(page).toBeGreaterThanOrEqual(0);
  expect(pages).toBeGreaterThan(0);
  expect(page + pages).toBeLessThanOrEqual(plan.regions[op.region]!.pages);
}

/** Region and page of each touch, of every page or one per slot of four. */
function touched(ops: readonly Op[]): string[] {
  return ops.flatMap((op) => {
    if (op.op !== 'touch' || typeof op.extent !== 'object') return [];
    const { page, pages } = op.extent;
    const step = op.pages === 'every' ? 1 : 4;
    const count = Math.ceil(pages / step);
    return Array.from({ length: count }, (_, i) => `${op.region}:${page + i * step}`);
  });
}
