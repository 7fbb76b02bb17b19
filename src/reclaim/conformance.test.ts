/** Every protocol of the registry runs the conformance suite. */
import { describe, expect, test } from 'vitest';
import { type Expected, testProtocol } from './protocol.suite.ts';
import { makeProtocol, PROTOCOLS } from './registry.ts';

/** What is known of each; a protocol that is not listed is held to what all have in common. */
const EXPECTED: Readonly<Record<string, Omit<Expected, 'protocol'>>> = {
  none: { dontneedFrees: false, scanFrees: false },
  'async-scanner': { dontneedFrees: false, scanFrees: true },
  'pt-reclaim': { dontneedFrees: true, scanFrees: false },
};

describe.each(PROTOCOLS.map(({ name }) => name))('%s', (protocol) => {
  testProtocol({ protocol, ...EXPECTED[protocol] });
});

test('every name of the registry makes a protocol, and no other', () => {
  for (const { name } of PROTOCOLS) expect(makeProtocol(name, {}).hooks).toBeGreaterThanOrEqual(0);
  expect(() => makeProtocol('nothing', {})).toThrow('no protocol "nothing"');
});
