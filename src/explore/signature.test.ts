/** Facts about signatures: what makes two violations the same. */
import { expect, test } from 'vitest';
import { verdict } from '#oracles/verdict';
import { signature } from './signature.ts';

test('numbers make no difference, and neither do later verdicts', () => {
  const one = [verdict('lost-entry', [0], 'pte[3] of table 7 (gen 2) at 0x1f maps pfn 12')];
  const other = [
    verdict('lost-entry', [1], 'pte[0] of table 11 (gen 10) at 0xbeef maps pfn 5'),
    verdict('wrong-rss', [], 'rss is 3'),
  ];
  expect(signature(one)).toBe('lost-entry: pte[#] of table # (gen #) at # maps pfn #');
  expect(signature(other)).toBe(signature(one));
});

test('the kind and the words make a difference', () => {
  const signatures = [
    signature([]),
    signature([verdict('lost-entry', [0], 'a write')]),
    signature([verdict('lost-entry', [0], 'a read')]),
    signature([verdict('lost-data', [0], 'a read')]),
  ];
  expect(new Set(signatures).size).toBe(signatures.length);
});
