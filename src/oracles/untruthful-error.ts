/** An operation told its caller of a failure that had not happened. */

import type { Evidence, Fact } from './evidence.ts';
import { addressText, whoNoted } from './naming.ts';
import { type Verdict, verdict } from './verdict.ts';

/** Words: what it said (0 out of memory, 1 lock dropped), slot, index. */
export function untruthfulError({ map }: Evidence, fact: Fact): Verdict {
  const { a: said, b: slot, c: index } = fact;
  const where = `${addressText(map, slot, index)} (slot ${slot} entry ${index})`;
  const what =
    said === 0
      ? 'reports that memory is short, and no allocation that it needed has failed'
      : 'reports that it has dropped the lock of its caller, which is still held';
  return verdict('untruthful-error', [fact.cpu], `${whoNoted(fact)} at ${where} ${what}`);
}
