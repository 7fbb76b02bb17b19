/**
 * mremap and mprotect, explored: clean on the living source under every protocol, whether a whole
 * table moves or entries do, and their precautions are needed.
 */
import { expect, test } from 'vitest';
import type { LineEdit } from '#derive/apply-edit';
import { mapOf } from '#scenario/map-op.suite';
import type { Op, PageSpan, Plan, Protection, Walker } from '#scenario/plan';
import { firstFailure, machineFor, plan, times } from './small.suite.ts';

/** Four slots: pages move from the first to the third and back. */
const REGIONS = [{ name: 'heap', pages: 16, flags: [], gapPages: 0 }];
const FROM = { page: 0, pages: 4 };
const TO = { page: 8, pages: 4 };

const at = <Extent>(extent: Extent) => ({ region: 0, extent, share: 'all' as const });
const touch = (access: 'write' | 'read', extent: PageSpan): Op => ({
  ...{ op: 'touch', access, pages: 'every' },
  ...at(extent),
});
const dontneed = (extent: PageSpan | 'whole'): Op => ({ op: 'dontneed', ...at(extent) });
const move = (page: number, pages: number, to: number): Op => ({
  ...{ op: 'mremap', to, newPages: pages },
  ...at({ page, pages }),
});
const walk = (walker: Walker): Op => ({ op: 'walk', walker, ...at('whole' as const) });
const protect = (protection: Protection): Op => ({ op: 'mprotect', protection, ...at(FROM) });
const SCAN: Op = { op: 'scan', untilIdle: false };

/** The place that was left is mapped again, so that others go on there. */
const TABLE: Op[] = [move(0, 4, 8), mapOf(0), touch('write', FROM)];
const ENTRIES: Op[] = [move(1, 2, 9), touch('read', TO), move(9, 2, 1), touch('read', FROM)];

const OTHERS: Readonly<Record<string, readonly Op[]>> = {
  'a zap': [dontneed(FROM), dontneed(TO), dontneed('whole')],
  'a zap of a part, and a scan': [dontneed({ page: 1, pages: 2 }), SCAN, SCAN],
  'faults on both sides': [touch('write', FROM), touch('write', TO), touch('read', FROM)],
  'fast GUP': [walk('gup-fast'), walk('gup-fast'), walk('gup-fast-only')],
  'page reclaim': [
    { op: 'madvise', advice: 'free', ...at('whole' as const) },
    { op: 'reclaim', ...at('whole' as const) },
    { op: 'reclaim', ...at('whole' as const) },
  ],
  'migration, and perf': [walk('migrate'), walk('perf'), walk('numa'), walk('perf')],
  protections: [protect('none'), protect('read'), touch('write', FROM), protect('write')],
  'another move': [move(8, 4, 4), move(4, 4, 0), { op: 'munmap', ...at(TO) }],
};

const PROTOCOLS = [
  'none',
  'pt-reclaim',
  'async-scanner',
  'atomic-refcount',
  'percpu-refcount',
  'locked-counts',
  'table-rwsem',
];

function plansOf(protocol: string, others: readonly Op[]): Plan[] {
  const more = { regions: REGIONS, setup: [mapOf(0), touch('write', FROM)] };
  return [TABLE, ENTRIES].flatMap((moves) => [
    plan(protocol, [[times(2, ...moves)], [times(2, ...others)]], more),
    plan(protocol, [[...moves], [...others], [SCAN, touch('write', TO)]], {
      ...more,
      splitLocks: false,
    }),
  ]);
}

test.each(PROTOCOLS.flatMap((protocol) => Object.keys(OTHERS).map((name) => [protocol, name])))(
  'under %s mremap meets %s',
  async (protocol, name) => {
    for (const small of plansOf(protocol!, OTHERS[name!]!))
      expect(firstFailure(await machineFor(null, small), 1, 8)).toBe(null);
  },
);

/** Who still translates by the old place finds a page that is gone from the new one. */
const STALE = [touch('write', FROM), touch('read', FROM), touch('read', FROM)];
const AWAY = [
  [move(0, 4, 8), dontneed(TO)],
  [move(1, 2, 9), dontneed({ page: 9, pages: 2 })],
];

test.each<readonly [LineEdit, readonly Op[], string]>([
  [{ name: 'move-flush-pmd', label: 'move-flush-pmd', becomes: '' }, AWAY[0]!, 'stale-translation'],
  [{ name: 'move-flush', label: 'move-flush', becomes: '' }, AWAY[1]!, 'stale-translation'],
])('%o is caught', async (edit, moves, oracle) => {
  const more = { regions: REGIONS, setup: [mapOf(0), touch('write', FROM)] };
  const failure = firstFailure(
    await machineFor(edit, plan('pt-reclaim', [moves, STALE], more)),
    1,
    3000,
  );
  expect(failure?.verdicts[0]?.kind).toBe(oracle);
});
