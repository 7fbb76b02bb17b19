/** Races that are no stale pmd entry alone, each narrated from the shortest of many schedules. */

import { expect, test } from 'vitest';
import { lineEditOf } from '#catalogue/broken-version';
import { brokenVersion } from '#catalogue/named.suite';
import { mapOf } from '#scenario/map-op.suite';
import type { Op, Plan } from '#scenario/plan';
import { machineFor, plan } from '../small.suite.ts';
import { narrate } from './narrate.ts';
import { inOrder, shortest } from './told.suite.ts';

const WHOLE = { region: 0, extent: 'whole', share: 'all' } as const;
const ONE: Op = {
  op: 'touch',
  access: 'write',
  pages: 'every',
  region: 0,
  share: 'all',
  extent: { page: 0, pages: 1 },
};
const NEXT: Op = { ...ONE, extent: { page: 1, pages: 1 } };
const READ: Op = { ...ONE, access: 'read' };
const DONTNEED: Op = { op: 'dontneed', ...WHOLE };
const PRESSURE: Op = { op: 'pressure' };
const MUNMAP: Op = { op: 'munmap', ...WHOLE };
const FILL: Op = { op: 'walk', walker: 'uffd-zeropage', ...WHOLE };
const MAPPED: Partial<Plan> = { setup: [mapOf(0), ONE] };

/** By broken version: a plan, and rows in their order. */
const STORIES: Readonly<Record<string, readonly [Plan, readonly RegExp[]]>> = {
  // The VMA by which a walk goes on is no entry and no table.
  'pressure-keeps-vma': [
    plan('locked-counts', [[MUNMAP], [PRESSURE]], {
      setup: [mapOf(0), ONE, DONTNEED],
      options: { batch: 1 },
    }),
    [
      /^1 takes mmap lock for reading$/,
      /^1 finds VMA 1$/,
      /^1 releases mmap lock$/,
      /^0 takes mmap lock for writing$/,
      /^0 takes VMA 1 out of the map$/,
      /^1 goes by VMA 1 ! VMA 1 is in the map no more$/,
    ],
  ],
  // Found changed too late; and table 0 stands for the table that was there.
  'entry-counted-late': [
    plan('atomic-refcount', [[NEXT], [DONTNEED]], { ...MAPPED, options: { gets: 'after-unlock' } }),
    [
      /^0 reads pmd\[0\]: table 3$/,
      /^0 sets pte\[1\] of table 3/,
      /^1 clears pte\[.*\] of table 3/,
      /^1 changes count of table 3: \d to 0$/,
      /^1 unhooks table 3/,
      /^0 reads pmd\[0\]: none$/,
      /^0 follows an entry that is none ! table 0 is no table$/,
    ],
  ],
  // What was read had been set by somebody, and who waits is told.
  'watched-zeros-reclaimed': [
    plan(
      'locked-counts',
      [
        [FILL, PRESSURE, PRESSURE],
        [READ, READ],
      ],
      {
        setup: [mapOf(0)],
        regions: [{ name: 'guest', pages: 4, flags: ['uffd-missing'], gapPages: 0 }],
        options: { zeroTables: 'everywhere' },
        ownership: 'slots',
      },
    ),
    [
      /^0 sets pte\[.*zero page$/,
      /^1 reads pte\[.*zero page$/,
      /^0 clears pte\[/,
      /^0 unhooks table/,
      /^1 waits for its page to be filled$/,
      /^1 finds slot \d+ entry \d filled ! it had waited for what was there before$/,
    ],
  ],
  // One round of many.
  'spin-on-dying-table': [
    plan('atomic-refcount', [[ONE], [DONTNEED]], {
      ...{ ...MAPPED, scheduler: 'fifo', options: { dying: 'spin' } },
    }),
    [/^1 changes count of table 3: \d to 0$/, /^0 reads .* of table 3.* ! and so on, \d+ times$/],
  ],
};

test.each(Object.entries(STORIES))('%s', async (name, [small, rows]) => {
  const version = brokenVersion(name);
  const machine = await machineFor(lineEditOf(version), small);
  const kind = version.oracle;
  const told = narrate(machine, shortest(machine, kind), { kind });
  const texts = told.rows.map(
    ({ cpu, text, violation }) => `${cpu} ${text}${violation === null ? '' : ` ! ${violation}`}`,
  );
  expect(inOrder(texts, rows), texts.join('\n')).toBe(rows.length);
  expect(told.closing).toMatch(new RegExp(`^${kind}: `));
});
