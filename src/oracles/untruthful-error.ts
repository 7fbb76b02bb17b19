/** Somebody was told of a failure that had not happened. */

import type { Evidence, Fact } from './evidence.ts';
import { addressText, whoNoted } from './naming.ts';
import { type Verdict, verdict } from './verdict.ts';

const SAID = [
  'reports that memory is short, and no allocation that it needed has failed',
  'reports that it has dropped the lock of its caller, which is still held',
  'has waited for a page as missing that it had found there before, and that nobody has zapped',
];

/** Words: what was said, slot, index. */
export function untruthfulError({ map }: Evidence, fact: Fact): Verdict {
  const { a: said, b: slot, c: index } = fact;
  const where = `${addressText(map, slot, index)} (slot ${slot} entry ${index})`;
  return verdict('untruthful-error', [fact.cpu], `${whoNoted(fact)} at ${where} ${SAID[said]}`);
}
