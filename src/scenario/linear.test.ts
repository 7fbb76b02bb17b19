/** Facts about linear operations: what a plan becomes, and that what is written is read back. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { property } from '#base/property.suite';
import { buildPlan } from './build-plan.ts';
import { inTurns, linearOps } from './linear.ts';
import type { Op, Plan, Where } from './plan.ts';
import { regionStarts } from './regions.ts';
import { parseScenario } from './scenario.ts';
import { showOp } from './written-op.ts';
import { writtenScenario } from './written-scenario.ts';

const PLAN = planOf(`
question: q
source: s
machine: { cpus: 2 }
regions:
  heap: { size: 8MiB }
  rest: { size: 20KiB }
setup:
  - mmap: heap
columns:
  - cpu: 0
    do:
      - sweep: { region: heap, by: 2MiB, share: own }
        do:
          - touch: { extent: chunk, pages: one-per-slot }
          - dontneed: chunk
      - touch: { region: rest, pages: 3 }
  - cpu: 1
    do:
      - loop: 2
        do:
          - punch: { region: rest, percent: 50 }
          - purge: heap
          - mix: 3
            choices:
              - { weight: 1, do: [touch: { region: heap, extent: part }] }
              - { weight: 0, do: [scan] }
`);

function planOf(text: string): Plan {
  return buildPlan(parseScenario({ path: 'a.yaml', text }), {
    ...{ protocol: 'none', protocolOptions: { none: {} }, seed: 1, parameters: {} },
  });
}

function show(ops: Iterable<Op>): string[] {
  return [...ops].map((op) => showOp(op, PLAN.regions));
}

test('sweeps are cut, loops unrolled, and the setup comes first', () => {
  const shown = show(linearOps(PLAN, 0));
  expect(shown.slice(0, 5)).toEqual([
    'mmap write heap 0+2048',
    'touch write heap 0+1',
    'dontneed heap 0+512',
    'touch write heap 512+1',
    'dontneed heap 512+512',
  ]);
  expect(shown.slice(5)).toEqual(
    Array(3).fill(expect.stringMatching(/^touch write rest [0-4]\+1$/)),
  );
});

test('what is drawn is drawn alike each time, and by the seed', () => {
  expect(show(linearOps(PLAN, 1))).toEqual(show(linearOps(PLAN, 1)));
  expect(show(linearOps({ ...PLAN, seed: 2 }, 1))).not.toEqual(show(linearOps(PLAN, 1)));
});

test('columns take turns', () => {
  const [setup, ...turns] = show(inTurns(PLAN));
  expect(setup).toBe('mmap write heap 0+2048');
  const second = show(linearOps(PLAN, 1));
  expect([turns[0], turns[2]]).toEqual(['touch write heap 0+1', 'dontneed heap 0+512']);
  expect([turns[1], turns[3]]).toEqual(second.slice(0, 2));
  expect(turns.toSorted()).toEqual(
    [...show(linearOps({ ...PLAN, setup: [] }, 0)), ...second].toSorted(),
  );
});

test('every operation names pages of its region', () => {
  for (const cpu of [0, 1])
    for (const op of linearOps(PLAN, cpu)) {
      if (!('extent' in op) || typeof op.extent !== 'object') throw new Error(op.op);
      const { page, pages } = op.extent;
      expect(page).toBeGreaterThanOrEqual(0);
      expect(page + pages).toBeLessThanOrEqual(PLAN.regions[op.region]!.pages);
    }
  expect(regionStarts(PLAN)).toHaveLength(2);
});

const wheres: fc.Arbitrary<Where> = fc
  .tuple(fc.nat(100), fc.integer({ min: 1, max: 100 }))
  .map(([page, pages]) => ({ region: 0, extent: { page, pages }, share: 'all' }));
const protections = fc.constantFrom('none' as const, 'read' as const, 'write' as const);
const operations: fc.Arbitrary<Op> = fc.oneof(
  fc.tuple(wheres, protections).map(
    ([where, protection]): Op => ({
      ...{ op: 'mmap', protection },
      ...where,
    }),
  ),
  fc.tuple(wheres, protections).map(
    ([where, protection]): Op => ({
      ...{ op: 'mprotect', protection },
      ...where,
    }),
  ),
  fc
    .tuple(wheres, fc.option(fc.integer({ min: 200, max: 300 })), fc.integer({ min: 1, max: 100 }))
    .map(([where, to, newPages]): Op => ({ op: 'mremap', to, newPages, ...where })),
  fc.tuple(wheres, fc.constantFrom('read' as const, 'write' as const)).map(
    ([where, access]): Op => ({
      ...{ op: 'touch', access, pages: 'every' },
      ...where,
    }),
  ),
  wheres.map((where): Op => ({ op: 'dontneed', ...where })),
  wheres.map((where): Op => ({ op: 'munmap', ...where })),
  wheres.map((where): Op => ({ op: 'madvise', advice: 'free', ...where })),
  fc.nat(200).map((pages): Op => ({ op: 'brk', region: 0, pages })),
);

property([fc.array(operations, { minLength: 1 })])(
  'written as a scenario, they are read',
  (ops) => {
    const origin = { question: 'q', source: 's', regions: { heap: { size: '8MiB', gap: '0B' } } };
    const text = writtenScenario(origin, { regions: [PLAN.regions[0]!] }, ops);
    expect(planOf(text).columns[0]).toEqual(ops);
  },
);
