/** The walkers against faults and zaps, and all of them against each other. */

import { describe, expect, test } from 'vitest';
import type { LineEdit } from '#derive/apply-edit';
import { mapOf } from '#scenario/map-op.suite';
import type { Op, Plan, Walker } from '#scenario/plan';
import { machineFor, plan, randomly, times } from './small.suite.ts';

const WHOLE = { region: 0, extent: 'whole', share: 'all' } as const;
const TOUCH = { op: 'touch', access: 'write', pages: 'every', ...WHOLE } as const;
const DONTNEED = { op: 'dontneed', ...WHOLE } as const;
const EXECUTIONS = 60;

const WALKERS: readonly Walker[] = [
  ...(['smaps', 'pagemap', 'mincore', 'mprotect', 'migrate', 'numa'] as const),
  ...(['uffd-copy', 'uffd-zeropage', 'uffd-wp', 'fork', 'gup', 'gup-fast', 'ksm'] as const),
  ...(['gup-fast-only', 'perf'] as const),
];

const walk = (walker: Walker): Op => ({ op: 'walk', walker, ...WHOLE });

/** All walkers at random, with what they meet. */
const EVERYTHING: Op = {
  op: 'mix',
  times: 5,
  choices: [
    ...WALKERS.map((walker) => ({ weight: 1, do: [{ ...walk(walker), extent: 'part' } as Op] })),
    { weight: 4, do: [TOUCH] },
    { weight: 4, do: [DONTNEED] },
    { weight: 2, do: [{ op: 'reclaim', ...WHOLE }] },
    { weight: 1, do: [{ op: 'munmap', ...WHOLE, extent: 'part' }] },
    { weight: 1, do: [mapOf(0)] },
  ],
};

/** One CPU stores, one zaps, one walks. */
function against(protocol: string, walker: Walker, more: Partial<Plan> = {}): Plan {
  const columns = [[times(2, TOUCH)], [times(2, DONTNEED, TOUCH)], [times(3, walk(walker))]];
  return plan(protocol, columns, more);
}

describe('the living source is clean', () => {
  test.each(WALKERS)('with %s against faults and zaps', async (walker) => {
    expect(await failures(against('pt-reclaim', walker), EXECUTIONS)).toEqual([]);
  });

  test.each([
    ['none', []],
    ['pt-reclaim', ['uffd-missing']],
    ['percpu-refcount', ['uffd-wp', 'shared']],
  ] as const)('with all of them, under %s, flags %j', async (protocol, flags) => {
    const columns = [[EVERYTHING], [EVERYTHING], [EVERYTHING]];
    const regions = [{ name: 'heap', pages: 9, flags, gapPages: 1 }];
    const small = plan(protocol, columns, { regions });
    expect(await failures(small, EXECUTIONS)).toEqual([]);
  });
});

describe('noticed is', () => {
  test('a GUP-fast that does not look at the entry again', async () => {
    const edit = { name: 'test-gup', label: 'gup-recheck-pte', becomes: 'const samePte = true;' };
    const found = await failures(against('pt-reclaim', 'gup-fast'), 2000, edit);
    expect(found.join()).toMatch(/^use-after-free: .*\(gup, .* gathered where it should be mapped/);
  });

  test('a migration without a flush', async () => {
    const edit = { name: 'test-migrate', label: 'migrate-flush', becomes: '' };
    const found = await failures(against('pt-reclaim', 'migrate'), 2000, edit);
    expect(found.join()).toMatch(/^stale-translation: /);
  });
});

// S-17: the fault on a hidden or migrating page says that it has dropped the lock, when its table
// has gone, and has not; GUP takes the mmap lock once more, and leaves it once.
describe('a fault that finds no table, within GUP,', () => {
  const hide: Op = {
    op: 'mix',
    times: 5,
    choices: [
      { weight: 3, do: [walk('numa')] },
      { weight: 2, do: [walk('migrate')] },
      { weight: 3, do: [TOUCH] },
      { weight: 3, do: [DONTNEED] },
      { weight: 2, do: [walk('gup')] },
    ],
  };
  const within = (walkerReactions: Plan['walkerReactions']): Plan =>
    plan('pt-reclaim', [[hide], [hide], [hide]], { walkerReactions });

  test('leaves the mmap lock taken as posted', async () => {
    expect((await failures(within('as-posted'), 5000)).join()).toMatch(
      /^untruthful-error: cpu\d \(gup, .*,(lock-held-at-end|deadlock): .*the mmap lock/,
    );
  });

  test('gives it back in the end', async () => {
    expect(await failures(within('fixed'), 1500)).toEqual([]);
  });
});

/** Kinds of the verdicts of up to `executions` executions; stops at the first that has any. */
async function failures(
  small: Plan,
  executions: number,
  edit: LineEdit | null = null,
): Promise<string[]> {
  const machine = await machineFor(edit, small);
  const strategy = randomly(1);
  for (let execution = 0; execution < executions; execution++) {
    const { end, verdicts } = machine.execute(strategy, execution);
    if (verdicts.length > 0) return verdicts.map(({ kind, message }) => `${kind}: ${message}`);
    expect({ execution, end }).toEqual({ execution, end: 'done' });
  }
  return [];
}
