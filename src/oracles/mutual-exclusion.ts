/** Mutual exclusion: a torture test found two inside one lock. */
import { LOCKS } from '#trace/vocabulary';
import type { Evidence, Fact } from './evidence.ts';
import { whoNoted } from './naming.ts';
import { type Verdict, verdict } from './verdict.ts';

/**
 * Words: lock class, then by the last word: 0, a writer (`b`) found a writer (`c`, -1: none) or
 * readers (`d`) inside; 1, the two words that move together did not (`b` expected, `c` and `d`
 * found); 2, a reader (`b`) found a writer (`c`, -1: gone again).
 */
export function exclusionLost(_: Evidence, fact: Fact): Verdict {
  const { a: lockClass, b, c, d, e: how } = fact;
  const lock = `the ${LOCKS[lockClass] ?? lockClass} lock`;
  const other = c >= 0 ? `cpu${c}` : 'a writer';
  let found = `is inside ${lock} as a reader, and so is ${other} as a writer`;
  if (how === 0 && c >= 0) found = `is inside ${lock}, and so is ${other}`;
  else if (how === 0) found = `is inside ${lock} as a writer, and so are ${d} readers`;
  else if (how === 1) found = `is inside ${lock}, and what it made ${b} became ${c} and ${d}`;
  const cpus = how !== 1 && c >= 0 ? [fact.cpu, c] : [fact.cpu];
  return verdict('mutual-exclusion', cpus, `${whoNoted(fact)} ${found}`);
}
