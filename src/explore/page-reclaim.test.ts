/**
 * Page reclaim and the madvise calls beside it, explored: clean on the living source under every
 * protocol, and each of their precautions is needed.
 */

import { expect, test } from 'vitest';
import type { LineEdit } from '#derive/apply-edit';
import { mapOf } from '#scenario/map-op.suite';
import type { Advice, Op, Plan } from '#scenario/plan';
import { firstFailure, machineFor, plan, times } from './small.suite.ts';

const WHOLE = { region: 0, extent: 'whole', share: 'all' } as const;
const PART = { ...WHOLE, extent: 'part' } as const;
const WRITE: Op = { op: 'touch', access: 'write', pages: 'every', ...WHOLE };
const READ: Op = { op: 'touch', access: 'read', pages: 'every', ...WHOLE };
const DONTNEED: Op = { op: 'dontneed', ...WHOLE };
const RECLAIM: Op = { op: 'reclaim', ...WHOLE };
const UNMAP: Op = { op: 'munmap', ...WHOLE };
const MAP: Op = mapOf(0);

function advise(advice: Advice, where: typeof WHOLE | typeof PART = WHOLE): Op {
  return { op: 'madvise', advice, ...where };
}

/** A bit of everything, at random places. */
const MIX: Op = {
  op: 'mix',
  times: 5,
  choices: [
    { weight: 4, do: [WRITE] },
    { weight: 2, do: [READ] },
    { weight: 4, do: [RECLAIM] },
    { weight: 2, do: [DONTNEED] },
    { weight: 2, do: [{ ...DONTNEED, ...PART }] },
    { weight: 3, do: [advise('free', PART)] },
    { weight: 1, do: [advise('free')] },
    { weight: 1, do: [advise('pageout', PART)] },
    { weight: 1, do: [advise('cold')] },
    { weight: 1, do: [advise('willneed')] },
    { weight: 2, do: [advise('populate-write', PART)] },
    { weight: 1, do: [advise('populate-read')] },
    { weight: 1, do: [advise('guard-install', PART)] },
    { weight: 2, do: [advise('guard-remove')] },
    { weight: 1, do: [advise('pt-scan', PART)] },
    { weight: 1, do: [{ ...UNMAP, ...PART }] },
    { weight: 1, do: [MAP] },
    { weight: 1, do: [{ op: 'scan', untilIdle: false }] },
  ],
};

/** Two slots, one of them in part, so that a table can go while its neighbour stays. */
const WIDER = { regions: [{ name: 'heap', pages: 6, flags: [], gapPages: 0 }] };

const PROTOCOLS = [
  'none',
  'pt-reclaim',
  'async-scanner',
  'atomic-refcount',
  'percpu-refcount',
  'locked-counts',
  'table-rwsem',
];

/** Columns that make two or three lives of a page meet. */
const COLUMNS: Readonly<Record<string, Plan['columns']>> = {
  'a fault': [[times(2, WRITE, READ)], [times(3, RECLAIM)]],
  'a zap': [[times(2, WRITE, DONTNEED)], [times(3, RECLAIM)]],
  'munmap, and a fault': [[times(2, UNMAP, MAP, WRITE)], [times(3, RECLAIM)], [WRITE]],
  'stores after MADV_FREE': [
    [times(2, WRITE, advise('free'), WRITE, READ)],
    [times(3, RECLAIM)],
    [WRITE, READ],
  ],
  'itself, and a reader': [[times(2, WRITE, RECLAIM)], [times(2, RECLAIM, READ)]],
  everything: [[MIX], [MIX], [MIX]],
};

test.each(PROTOCOLS.flatMap((protocol) => Object.keys(COLUMNS).map((name) => [protocol, name])))(
  'under %s reclaim meets %s',
  async (protocol, name) => {
    const machine = await machineFor(null, plan(protocol!, COLUMNS[name!]!, WIDER));
    expect(firstFailure(machine, 1, name === 'everything' ? 150 : 80)).toBe(null);
  },
);

type Broken = readonly [edit: LineEdit, plan: Plan, oracle: string];

function broken(label: string, becomes: string, columns: string, oracle: string): Broken {
  const small = plan('pt-reclaim', COLUMNS[columns]!, WIDER);
  return [{ name: `page-reclaim-${label}`, label, becomes }, small, oracle];
}

test.each([
  broken('reclaim-flush', '', 'a fault', 'stale-translation'),
  broken('flush-put-off', '', 'a fault', 'stale-translation'),
  broken('flush-batched', '', 'a fault', 'stale-translation'),
  broken('lazyfree-dirty', 'const redirtied = false;', 'stores after MADV_FREE', 'lost-data'),
  broken('swap-pte-same', 'const same = true;', 'itself, and a reader', 'use-after-free'),
])('%o is caught', async (edit, small, oracle) => {
  const failure = firstFailure(await machineFor(edit, small), 1, 3000);
  expect(failure?.verdicts[0]?.kind).toBe(oracle);
});
