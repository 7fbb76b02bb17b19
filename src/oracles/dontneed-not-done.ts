/**
 * MADV_DONTNEED not done: it returned to a CPU that goes on finding there what it had stored before
 * the call, because a translation from before it is still in use.
 */
import type { Evidence, Fact } from './evidence.ts';
import { addressText, whoNoted } from './naming.ts';
import { type Verdict, verdict } from './verdict.ts';

/** Words: slot, index, stamp found, zap clock at the write. */
export function dontneedNotDone({ map }: Evidence, fact: Fact): Verdict {
  const { a: slot, b: index, c: stamp, d: clock } = fact;
  return verdict(
    'dontneed-not-done',
    [fact.cpu],
    `${whoNoted(fact)} stored ${stamp} at ${addressText(map, slot, index)} (slot ${slot} entry ` +
      `${index}) at zap clock ${clock}, gave the page back later, and still reads ${stamp}`,
  );
}
