/** Every protocol of the registry runs the conformance suite. */
import { describe, expect, test } from 'vitest';
import { HOOK } from '#mm/reclaim-protocol';
import type { Plan } from '#scenario/plan';
import { type Expected, testProtocol } from './protocol.suite.ts';
import { makeProtocol, PROTOCOLS } from './registry.ts';

/** What is known of each; a protocol that is not listed is held to what all have in common. */
const EXPECTED: Readonly<Record<string, Omit<Expected, 'protocol'>>> = {
  none: { dontneedFrees: false, scanFrees: false },
  'atomic-refcount': { dontneedFrees: true, scanFrees: false, emptyFrees: true },
  'percpu-refcount': { partFrees: true },
  'locked-counts': { dontneedFrees: false, scanFrees: false, pressureFrees: true },
  'table-rwsem': { dontneedFrees: true, scanFrees: false },
  'async-scanner': { dontneedFrees: false, scanFrees: true },
  'zap-second-walk': { dontneedFrees: true, scanFrees: false },
  'pt-reclaim': { dontneedFrees: true, scanFrees: false },
};

describe.each(PROTOCOLS.map(({ name }) => name))('%s', (protocol) => {
  testProtocol({ protocol, ...EXPECTED[protocol] });
});

/** Options that change how a protocol goes about it, not what it frees. */
const OPTIONS: readonly (readonly [protocol: string, options: Plan['options']])[] = [
  ['none', { rules: '5.18' }],
  ['locked-counts', { batch: 1, rules: '5.18', rcuFree: 'off' }],
  ['table-rwsem', { scope: 'pmd', free: 'now' }],
  ['async-scanner', { guided: 'counts' }],
  ['zap-second-walk', { flush: 'locked' }],
  ['pt-reclaim', { reverify: 'rest' }],
  ['pt-reclaim', { sharedLock: 'tried' }],
];

describe.each(OPTIONS)('%s with %j', (protocol, options) => {
  testProtocol({ protocol, ...EXPECTED[protocol] }, options);
});

test('every name of the registry makes a protocol, and no other', () => {
  for (const { name } of PROTOCOLS) expect(makeProtocol(name, {}).hooks).toBeGreaterThanOrEqual(0);
  expect(makeProtocol('none', { rules: '5.18' }).hooks).toBe(HOOK.stableTables);
  expect(() => makeProtocol('nothing', {})).toThrow('no protocol "nothing"');
});
