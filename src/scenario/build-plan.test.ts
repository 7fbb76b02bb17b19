/** From file and request to plan: what overrides what, which units, and that plans are complete. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildPlan, type PlanRequest } from './build-plan.ts';
import { mapOf } from './map-op.suite.ts';
import { ADVICE, WALKERS } from './op-schema.ts';
import type { Advice, Op, Plan, Walker } from './plan.ts';
import { requestOf } from './request.suite.ts';
import { parseScenario } from './scenario.ts';
import { VMA_FLAGS } from './schema.ts';

const HEAD = `question: Is it so?
source: a test
parameters:
  size: { type: size, default: 3MiB, summary: Length. }
  pause: { type: duration, default: 2s, summary: Pause. }
  half: { type: integer, default: 128, summary: Pages. }
  advice: { type: choice, choices: [free, cold], default: cold, summary: Advice. }
  walker: { type: choice, choices: [gup, gup-fast], default: gup-fast, summary: Walker. }
regions:
  first: { size: $size }
  second: { size: 2MiB }
  third: { size: 4KiB, gap: 0B }
protocols:
  async-scanner: { delay: $pause, size: 4MiB }
`;
const COLUMNS = `columns:
  - { cpu: 0, do: [mmap: first] }
  - { cpu: rest, do: [{ mix: forever, choices: [{ weight: 1, do: [dontneed: first] }] }] }
duration: 5s
expect:
  any: [{ figure: pteTables, max: 3 }]
  none: [{ figure: pteTables, min: 1, when: { size: 3MiB } }]
`;

function plan(changes: Partial<PlanRequest> = {}, text = HEAD + COLUMNS): Plan {
  return buildPlan(parseScenario({ path: 'a/b.yaml', text }), requestOf(changes));
}

const WHOLE = { region: 0, extent: 'whole', share: 'all' } as const;
const SCAN = { op: 'scan', untilIdle: false };

describe('operations', () => {
  test.each([
    ['[mmap: second]', [mapOf(1)]],
    [
      '[mmap: { region: second, page: 2, protection: read }]',
      [{ op: 'mmap', region: 1, extent: { page: 2, pages: 1 }, share: 'all', protection: 'read' }],
    ],
    [
      '[mprotect: { region: first, protection: none }]',
      [{ op: 'mprotect', ...WHOLE, protection: 'none' }],
    ],
    [
      '[mremap: { region: second, page: 1, pages: 2, to: 8 }]',
      [
        {
          ...{ op: 'mremap', region: 1, extent: { page: 1, pages: 2 }, share: 'all' },
          ...{ to: 8, newPages: 2 },
        },
      ],
    ],
    [
      '[mremap: { region: third, newPages: 1 }]',
      [
        {
          ...{ op: 'mremap', region: 2, extent: { page: 0, pages: 1 }, share: 'all' },
          ...{ to: null, newPages: 1 },
        },
      ],
    ],
    ['[brk: { region: second, pages: 0 }]', [{ op: 'brk', region: 1, pages: 0 }]],
    ['[munmap: first]', [{ op: 'munmap', ...WHOLE }]],
    ['[touch: first]', [{ op: 'touch', ...WHOLE, access: 'write', pages: 'every' }]],
    [
      '[touch: { region: second, extent: slot, share: own, access: read, pages: 7 }]',
      [{ op: 'touch', region: 1, extent: 'slot', share: 'own', access: 'read', pages: 7 }],
    ],
    ['[punch: { region: first, percent: 95 }]', [{ op: 'punch', ...WHOLE, percent: 95 }]],
    ['[sleep: $pause, pressure]', [{ op: 'sleep', ms: 2000 }, { op: 'pressure' }]],
    ['[{ loop: 2, do: [scan] }]', [{ op: 'loop', times: 2, do: [SCAN] }]],
    ['[scan-until-idle]', [{ op: 'scan', untilIdle: true }]],
    [
      '[madvise: { advice: $advice, region: second, extent: slot }]',
      [{ op: 'madvise', advice: 'cold', region: 1, extent: 'slot', share: 'all' }],
    ],
    ['[walk: { walker: smaps, region: first }]', [{ op: 'walk', walker: 'smaps', ...WHOLE }]],
    ['[reclaim: first]', [{ op: 'reclaim', ...WHOLE }]],
    [
      '[reclaim: { region: first, extent: slots, share: own }]',
      [{ op: 'reclaim', region: 0, extent: 'slots', share: 'own' }],
    ],
    [
      '[{ sweep: { region: second, by: 2MiB }, do: [walk: { walker: $walker }, reclaim: chunk] }]',
      [
        {
          ...{ op: 'sweep', region: 1, share: 'all', pages: 512 },
          do: [
            { op: 'walk', walker: 'gup-fast', region: 1, extent: 'chunk', share: 'all' },
            { op: 'reclaim', region: 1, extent: 'chunk', share: 'all' },
          ],
        },
      ],
    ],
    [
      '[dontneed: { region: second, page: 3, pages: 2 }]',
      [{ op: 'dontneed', region: 1, extent: { page: 3, pages: 2 }, share: 'all' }],
    ],
    [
      '[touch: { region: second, page: $half, pages: 512 / $half, access: read }]',
      [
        {
          ...{ op: 'touch', region: 1, extent: { page: 128, pages: 4 }, share: 'all' },
          ...{ access: 'read', pages: 'every' },
        },
      ],
    ],
    [
      '[{ sweep: { region: second, by: 2MiB }, do: [walk: { walker: gup, page: 511 }] }]',
      [
        {
          ...{ op: 'sweep', region: 1, share: 'all', pages: 512 },
          do: [
            { op: 'walk', walker: 'gup', region: 1, extent: { page: 511, pages: 1 }, share: 'all' },
          ],
        },
      ],
    ],
    ['[rcutorture: reader]', [{ op: 'rcutorture', role: 'reader' }]],
    ['[locktorture: mcs]', [{ op: 'locktorture', lock: 'mcs' }]],
    [
      '[{ sweep: { region: second, by: 8KiB, share: own }, do: [dontneed: chunk] }]',
      [
        {
          op: 'sweep',
          region: 1,
          share: 'own',
          pages: 2,
          do: [{ op: 'dontneed', region: 1, extent: 'chunk', share: 'own' }],
        },
      ],
    ],
    [
      '[{ mix: forever, choices: [{ weight: 3, do: [] }] }]',
      [{ op: 'mix', times: null, choices: [{ weight: 3, do: [] }] }],
    ],
  ])('%s', (ops, expected) => {
    const text = `${HEAD}duration: 1s\ncolumns: [{ cpu: all, do: ${ops} }]`;
    expect(plan({}, text).columns[0]).toEqual(expected);
  });

  const walk = (name: string): Op => ({ op: 'walk', walker: name as Walker, ...WHOLE });
  const advise = (name: string): Op => ({ op: 'madvise', advice: name as Advice, ...WHOLE });
  test.each([
    ...WALKERS.map((name) => [`walk: { walker: ${name}, region: first }`, walk(name)] as const),
    ...ADVICE.map((name) => [`madvise: { advice: ${name}, region: first }`, advise(name)] as const),
  ])('%s', (op, expected) => {
    const text = `${HEAD}columns: [{ cpu: all, do: [${op}] }]`;
    expect(plan({}, text).columns[0]).toEqual([expected]);
  });
});

describe('the machine', () => {
  const machine = (settings: string, changes: Partial<PlanRequest> = {}): Plan =>
    plan(changes, `${HEAD}machine: ${settings}\n${COLUMNS}`);

  test('frees tables by RCU, in large batches, and no allocation fails unless it is said', () => {
    expect(plan()).toMatchObject({
      ...{ allocFailPerMillion: 0, gatherBatch: 500, gatherFallback: 'rcu' },
      walkerReactions: 'fixed',
    });
    const settings = '{ allocfail: 20, gatherTables: 3, tableFree: ipi, walkers: as-posted }';
    expect(machine(settings)).toMatchObject({
      ...{ allocFailPerMillion: 20, gatherBatch: 3, gatherFallback: 'ipi' },
      walkerReactions: 'as-posted',
    });
    const asked = machine(settings, { allocFail: 0, gatherFallback: 'sync' });
    expect(asked).toMatchObject({ allocFailPerMillion: 0, gatherFallback: 'sync' });
  });
});

test('a region may carry every flag', () => {
  const flags = `[${VMA_FLAGS.join(', ')}]`;
  const text = (HEAD + COLUMNS).replace('second: { size: 2MiB', `$&, flags: ${flags}`);
  expect(plan({}, text).regions[1]!.flags).toEqual(VMA_FLAGS);
});

test('a region begins on a slot boundary behind an empty slot unless a gap is given', () => {
  expect(plan().regions).toEqual([
    { name: 'first', pages: 768, flags: [], gapPages: 0 },
    { name: 'second', pages: 512, flags: [], gapPages: 256 + 512 },
    { name: 'third', pages: 1, flags: [], gapPages: 0 },
  ]);
});

test('the command line overrides the file, and the file the defaults', () => {
  const protocol = 'async-scanner';
  expect(plan({ protocol }).options).toEqual({
    delayMs: 2000,
    sizePages: 1024,
    where: 'task-work',
  });
  const parameters = {
    pause: '3s',
    'async-scanner.where': 'kthread',
    'async-scanner.size': '2MiB',
  };
  const changed = plan({ protocol, parameters });
  expect(changed.options).toEqual({ delayMs: 3000, sizePages: 512, where: 'kthread' });
  expect(changed.parameters).toMatchObject({ size: '3MiB', pause: '3s' });
  expect(plan({ parameters }).options).toEqual({});
  expect(plan({ locks: { ptl: 'mcs' } }).locks).toMatchObject({ ptl: 'mcs', pml: 'ttas' });
});

test('rounds replace the duration of the file, not one that is asked for', () => {
  expect(plan()).toMatchObject({ durationMs: 5000, opsMax: null });
  expect(plan({ ops: 10 })).toMatchObject({ durationMs: null, opsMax: 10 });
  expect(plan({ ops: 10, durationMs: 9 })).toMatchObject({ durationMs: 9, opsMax: 10 });
});

test('expectations hold for this protocol, these parameters, and a whole run', () => {
  const any = { figure: 'pteTables', phase: null, min: null, max: 3 };
  const none = { figure: 'pteTables', phase: null, min: 1, max: null };
  expect(plan().expectations).toEqual([any, none]);
  expect(plan({ protocol: 'pt-reclaim' }).expectations).toEqual([any]);
  expect(plan({ parameters: { size: '4MiB' } }).expectations).toEqual([any]);
  expect(plan({ ops: 1 }).expectations).toEqual([]);
});

describe('outcomes', () => {
  const outcomes = (text: string, protocol = 'pt-reclaim') =>
    plan({ protocol }, `${HEAD}${COLUMNS}${text}`).outcomes;
  const never = { outcome: 'violation', expected: 'never' };

  test('are none but violations, unless the file says so', () => {
    expect(outcomes('')).toEqual([never]);
    expect(outcomes('outcomes: { none: { oom: always } }')).toEqual([never]);
  });

  test('of a protocol override those of any, in a fixed order', () => {
    const text =
      'outcomes: { any: { reclaimed: never, pmdGone: never }, pt-reclaim: { reclaimed: always } }';
    const pmdGone = { outcome: 'pmdGone', expected: 'never' };
    expect(outcomes(text)).toEqual([pmdGone, { outcome: 'reclaimed', expected: 'always' }, never]);
    expect(outcomes(text, 'none')).toEqual([
      pmdGone,
      { outcome: 'reclaimed', expected: 'never' },
      never,
    ]);
  });

  test('may be that a violation is expected', () => {
    const text = 'outcomes: { any: { violation: sometimes } }';
    expect(outcomes(text)).toEqual([{ outcome: 'violation', expected: 'sometimes' }]);
  });
});

test('any request within the limits gives a complete plan', () => {
  const request = fc.record({
    cpus: fc.integer({ min: 1, max: 64 }),
    seed: fc.integer(),
    protocol: fc.constantFrom('none', 'async-scanner', 'pt-reclaim'),
    ops: fc.option(fc.integer({ min: 1, max: 1000 })),
    noise: fc.integer({ min: 0, max: 100 }),
    gather: fc.integer({ min: 1, max: 65_536 }),
    gatherFallback: fc.constantFrom<Plan['gatherFallback']>('rcu', 'ipi', 'sync', 'now'),
    allocFail: fc.integer({ min: 0, max: 1_000_000 }),
    splitLocks: fc.boolean(),
    parameters: fc.record({ size: fc.integer({ min: 1, max: 1 << 20 }).map((n) => `${n * 4}KiB`) }),
  });
  fc.assert(
    fc.property(request, (changes) => {
      const built = plan(changes);
      expect(built.columns).toHaveLength(changes.cpus);
      expect(built).toMatchObject({ cpus: changes.cpus, noise: changes.noise, seed: changes.seed });
      expect(built.gatherPages).toBe(changes.gather);
      expect(built.gatherFallback).toBe(changes.gatherFallback);
      expect(built.allocFailPerMillion).toBe(changes.allocFail);
      expect(JSON.parse(JSON.stringify(built))).toEqual(built);
      // Only what is asked for differs: the same request gives the same plan.
      expect(plan(changes)).toEqual(built);
    }),
    { numRuns: 50 },
  );
});
