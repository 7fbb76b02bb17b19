/**
 * Stale translation: a CPU uses a page or a table by what its TLB or paging-structure cache
 * remembers, although the frame was let go or the entry maps another page by now, so that a flush
 * was missing or came too late.
 */
import { type Pmd, pmdTable } from '#arch/pmd';
import { type Pte, ptePfn } from '#arch/pte';
import { ZERO_PFN } from '#arena/layout/page';
import type { Evidence, Fact } from './evidence.ts';
import { addressText, frameText, pageText, whoNoted } from './naming.ts';
import { type Verdict, verdict } from './verdict.ts';

/** Words: slot, index, pfn (-1: a table), what was remembered (state word or pmd), state found. */
export function staleTranslation({ map }: Evidence, fact: Fact): Verdict {
  const { a: slot, b: index, c: pfn, d: remembered, e: found } = fact;
  const where = `${addressText(map, slot, index)} (slot ${slot} entry ${index})`;
  const what =
    pfn < 0
      ? `walks ${where} through its remembered table ${pmdTable(remembered as Pmd)}, ` +
        `which is ${frameText(map, found)}`
      : `accesses ${where} by its translation to page ${pfn}, which is ${pageText(found)}`;
  return verdict('stale-translation', [fact.cpu], `${whoNoted(fact)} ${what} by now`);
}

/** Words: slot, index, page remembered, entry that stands there. */
export function staleRemembered({ map }: Evidence, fact: Fact): Verdict {
  const { a: slot, b: index, c: pfn, d: entry } = fact;
  const where = `${addressText(map, slot, index)} (slot ${slot} entry ${index})`;
  return verdict(
    'stale-translation',
    [fact.cpu],
    `${whoNoted(fact)} still remembers ${where} as ${pageName(pfn)}; it maps ` +
      `${pageName(ptePfn(entry as Pte))} by now, and no flush is pending`,
  );
}

function pageName(pfn: number): string {
  return pfn === ZERO_PFN ? 'the zero page' : `page ${pfn}`;
}
