/**
 * Lost data: an owner read its page and found neither its last stamp nor a zero that a zap excuses.
 * The zero page, which all reads of untouched memory share, must hold zero.
 */
import { PAGE, PAGE_DESC_SHIFT, ZERO_PFN } from '#arena/layout/page';
import type { Audit } from './audit.ts';
import type { Evidence, Fact } from './evidence.ts';
import { addressText, whoNoted } from './naming.ts';
import { type Findings, type Verdict, verdict } from './verdict.ts';

/** Words: slot, index, stamp expected, content found, zap clock at the write. */
export function lostData({ map }: Evidence, fact: Fact): Verdict {
  const { a: slot, b: index, c: stamp, d: found, e: clock } = fact;
  const excuse = found === 0 ? `and no zap since zap clock ${clock} covers it` : 'which is not its';
  return verdict(
    'lost-data',
    [fact.cpu],
    `${whoNoted(fact)} stored ${stamp} at ${addressText(map, slot, index)} (slot ${slot} entry ` +
      `${index}) and read ${found}, ${excuse}`,
  );
}

export function auditLostData({ evidence }: Audit, findings: Findings): void {
  const { words, map } = evidence;
  const content = words[map.pages + (ZERO_PFN << PAGE_DESC_SHIFT) + PAGE.content]!;
  if (content !== 0)
    findings.add('lost-data', [], () => `somebody stored ${content} in the shared zero page`);
}
