/**
 * The ways of freeing empty tables under the strategy: clean as repaired; as posted, each flaw
 * shows, and this is the oracle that sees it.
 */
import { describe, expect, test } from 'vitest';
import type { Op, Plan } from '#scenario/plan';
import { machineFor, PLANS, plan, randomly, times } from './small.suite.ts';

type Options = Plan['options'];

/** Scans are the plan's own operations. */
const SCANNER: Options = { where: 'kthread', delayMs: 0, sizePages: 64 };
const REAP: readonly Op[] = [times(3, { op: 'scan', untilIdle: false }, { op: 'pressure' })];

/** Two CPUs that meet, and a third that scans or is short of memory. */
const COLUMNS = [
  PLANS.faultVsZap.columns,
  PLANS.zapVsZap.columns,
  PLANS.faultVsScanner.columns,
  [...PLANS.faultVsZap.columns, REAP],
  [PLANS.zapVsZap.columns[0]!, REAP],
];

const REPAIRED: readonly (readonly [protocol: string, options: Options])[] = [
  ['none', { rules: '5.18' }],
  ['locked-counts', {}],
  ['locked-counts', { vmaLock: 'off', rmapLocks: 'off', batch: 1 }],
  ['table-rwsem', {}],
  ['table-rwsem', { scope: 'pmd', free: 'now' }],
  ['async-scanner', { guided: 'counts' }],
  ['zap-second-walk', {}],
  ['zap-second-walk', { flush: 'locked' }],
  ['pt-reclaim', { reverify: 'rest' }],
  ['pt-reclaim', { sharedLock: 'tried' }],
];

describe('clean', () => {
  test.each(REPAIRED)('%s with %j', async (protocol, options) => {
    for (const splitLocks of [true, false]) {
      for (const columns of COLUMNS) {
        const more = { options: { ...SCANNER, ...options }, splitLocks };
        const machine = await machineFor(null, plan(protocol, columns, more));
        const strategy = randomly(1);
        for (let execution = 0; execution < 25; execution++) {
          const { end, verdicts } = machine.execute(strategy, execution);
          expect({ execution, end, verdicts }).toEqual({ execution, end: 'done', verdicts: [] });
        }
      }
    }
  });
});

const zapAndReap = COLUMNS[4]!;
const two = PLANS.zapVsZap.columns;

const POSTED: readonly (readonly [string, Options, Plan['columns'], oracle: string])[] = [
  ['locked-counts', { variant: 'as-posted' }, zapAndReap, 'stale-translation'],
  ['locked-counts', { flush: 'pages' }, zapAndReap, 'stale-translation'],
  ['locked-counts', { vmaLock: 'off', counts: 'under-pml' }, zapAndReap, 'nonempty-table-freed'],
  ['locked-counts', { vmaLock: 'off', rcuFree: 'off' }, zapAndReap, 'use-after-free'],
  ['locked-counts', { vmaLock: 'off', rules: '5.18' }, zapAndReap, 'lost-entry'],
  ['async-scanner', { variant: 'as-posted' }, zapAndReap, 'stale-translation'],
  ['pt-reclaim', { variant: 'as-posted' }, two, 'nonempty-table-freed'],
];

test.each(POSTED)('%s with %j is caught', async (protocol, options, columns, oracle) => {
  const more = { options: { ...SCANNER, ...options } };
  const machine = await machineFor(null, plan(protocol, columns, more));
  const strategy = randomly(1);
  const kinds = new Set<string>();
  for (let execution = 0; execution < 2000 && !kinds.has(oracle); execution++)
    for (const { kind } of machine.execute(strategy, execution).verdicts) kinds.add(kind);
  expect([...kinds]).toContain(oracle);
});
