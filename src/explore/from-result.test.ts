/** Small plans made of what CPUs did last, and the search through them. */
import { describe, expect, test } from 'vitest';
import { editNamed } from '#catalogue/named.suite';
import type { LastAct } from '#result/last-acts';
import { sampleRun } from '#result/sample.suite';
import type { Plan, Region } from '#scenario/plan';
import { exploreFrom } from './explore-from.ts';
import { FORMS, type Origin, originOf, planFrom } from './from-result.ts';
import { replay } from './replay.ts';
import { plan, times } from './small.suite.ts';

/** Slots of four pages; the first region begins at slot 4. */
const REGIONS: Region[] = [
  { name: 'heap', pages: 40, flags: [], gapPages: 0 },
  { name: 'stack', pages: 6, flags: ['pt-scan'], gapPages: 0 },
];
const WHOLE = { region: 0, extent: 'whole', share: 'own' } as const;
const [PLAIN] = FORMS;
const MIXED = FORMS.find(({ isMixed, acts }) => isMixed && acts === 0)!;

const touch = (page: number, pages = 1): LastAct => act('touch write', page, pages);
const dontneed = (page: number, pages: number): LastAct => act('dontneed', page, pages);

function act(name: string, page: number, pages: number, region = 0): LastAct {
  return { act: name, count: 0, region, page, pages };
}

/** A run of so many CPUs, each of which did `acts` last. */
function origin(
  acts: readonly LastAct[][],
  more: { plan?: Partial<Plan>; cpus?: number[]; kind?: string; slots?: number[] } = {},
): Origin {
  const { cpus = [], kind = 'lost-entry', slots = [] } = more;
  const columns = acts.map(() => [
    times(9, { op: 'dontneed', ...WHOLE }, { op: 'scan', untilIdle: false }),
  ]);
  const ran = plan('pt-reclaim', columns, { regions: REGIONS, ...more.plan });
  const lastActs = {
    ...{ options: ran.options, slots },
    columns: acts.map((each, cpu) => ({ cpu, isInFlight: true, acts: each })),
  };
  const violations = [{ kind, message: 'it broke', cpus, replay: null }];
  const run = sampleRun({ protocol: 'pt-reclaim', cpus: acts.length, violations, lastActs });
  return originOf(ran, [sampleRun(), run])!;
}

describe('a plan from a run', () => {
  test('has the last acts of two CPUs where they met', () => {
    const { cpus, regions, setup, columns } = planFrom(
      origin([[touch(0), touch(9)], [touch(20)], [touch(3), dontneed(8, 4)]]),
      PLAIN!,
    );
    expect([cpus, regions]).toEqual([2, [{ ...REGIONS[0], pages: 4 }]]);
    const at = (page: number, pages: number) => ({
      region: 0,
      share: 'all',
      extent: { page, pages },
    });
    expect(columns).toEqual([
      [{ op: 'touch', access: 'write', pages: 'every', ...at(1, 1) }],
      [{ op: 'dontneed', ...at(0, 4) }],
    ]);
    expect(setup.map(({ op }) => op)).toEqual(['mmap', 'touch', 'touch']);
  });

  test('is about the slots of facts and the CPUs of the violation, whoever else met', () => {
    const acts = [[touch(21), touch(9)], [dontneed(8, 4)], [touch(20)]];
    const { regions, columns } = planFrom(origin(acts, { slots: [4 + 5], cpus: [2] }), PLAIN!);
    expect(regions).toEqual([{ ...REGIONS[0], pages: 4 }]);
    expect(columns.map((ops) => ops.map((op) => 'extent' in op && op.extent))).toEqual([
      [{ page: 1, pages: 1 }],
      [{ page: 0, pages: 1 }],
    ]);
  });

  test('lets slots close up, and keeps regions that share one', () => {
    const acts = [[touch(1), touch(36, 4), act('walk gup-fast', 0, 6, 1)], [dontneed(0, 40)]];
    const form = { ...PLAIN!, slots: 3, acts: 4 };
    const { regions, columns } = planFrom(origin(acts, { slots: [4, 13, 14, 99] }), form);
    // Slots 4, 13 and 14: the stack begins at slot 14.
    expect(regions.map(({ pages, gapPages }) => [pages, gapPages])).toEqual([
      [8, 0],
      [4, 0],
    ]);
    expect(columns[0]!.at(-1)).toEqual({
      ...{ op: 'walk', walker: 'gup-fast', region: 1, share: 'all' },
      extent: { page: 0, pages: 4 },
    });
    expect(columns[1]).toMatchObject([{ op: 'dontneed', extent: { page: 0, pages: 8 } }]);
  });

  test('may draw from the columns, on what is left of their regions', () => {
    const { columns } = planFrom(origin([[touch(9)], [touch(8)]]), MIXED);
    const ops = [{ op: 'dontneed', region: 0, extent: 'whole', share: 'all' }, { op: 'scan' }];
    expect(columns).toMatchObject([
      [{ op: 'loop', times: 9, do: ops }],
      [{ op: 'loop', times: 9, do: ops }],
    ]);
  });

  test('gives a kernel thread a column that scans', () => {
    const scan = { act: 'scan', count: 0, region: null, page: 0, pages: 0 };
    const { columns } = planFrom(origin([[touch(9)], [scan]], { cpus: [1] }), PLAIN!);
    expect(columns[1]).toEqual([{ op: 'scan', untilIdle: false }]);
    const kthread = origin([[touch(9)], [scan]], { cpus: [1] });
    const ran = { ...kthread, plan: { ...kthread.plan, cpus: 1, columns: [] } };
    expect(planFrom(ran, MIXED).columns[1]).toMatchObject([{ op: 'loop', times: null }]);
  });
});

test('a run without a violation is no origin', () => {
  expect(originOf(plan('none', []), [sampleRun()])).toBe(null);
});

const REQUEST = { strategy: null, executionsMax: 4000, durationMs: null, searchers: 1 } as const;

test('the kind of violation that a run ended in is found, shrunk, and replays', async () => {
  const edit = editNamed('no-pmd-recheck');
  const ended = origin([
    [touch(9), touch(20)],
    [dontneed(8, 4), dontneed(20, 8)],
  ]);
  const explored = await exploreFrom({ ...REQUEST, origin: ended, edit, shrinkMs: 1000 }, {});
  const [violation] = explored.violations;
  expect(violation).toMatchObject({ kind: 'lost-entry', replay: null, shrunk: { cpus: 2 } });
  expect(explored.silence).toMatch(/^The run ended in lost-entry; so does/);
  const { plan: small, schedule, history } = violation!.failure;
  const again = { plan: small as Plan, edit, schedule, history, check: null, onThreads: false };
  const replayed = await replay({ ...again, times: 5 });
  expect([replayed.alike, replayed.difference]).toEqual([5, null]);
  expect(replayed.verdicts[0]!.kind).toBe('lost-entry');
}, 30_000);

test('what appears instead is told, and said to be another', async () => {
  const edit = editNamed('nr-ptes-not-decremented');
  const ended = origin([[touch(9)], [dontneed(8, 4)]], { kind: 'deadlock' });
  const request = { ...REQUEST, executionsMax: 500, origin: ended, edit, shrinkMs: 500 };
  const explored = await exploreFrom(request, {});
  expect(explored.violations).toMatchObject([{ kind: 'wrong-nr-ptes' }]);
  expect(explored.silence).toMatch(/^The deadlock of the run did not appear.*wrong-nr-ptes did/);
}, 30_000);
