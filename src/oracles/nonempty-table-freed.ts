/** A PTE table was unhooked, or freed, although an entry of it was not none. */
import type { Evidence, Fact } from './evidence.ts';
import { changerCpu, changerText, hex, recalled, tableByNumber, whoNoted } from './naming.ts';
import { type Verdict, verdict } from './verdict.ts';

/** Words: table, entries counted, use word (last filler), slot. */
export function nonemptyUnhooked(evidence: Evidence, fact: Fact): Verdict {
  const { a: table, b: entries, c: use, d: slot } = fact;
  return verdict(
    'nonempty-table-freed',
    [fact.cpu, changerCpu(use)],
    `${whoNoted(fact)} unhooked ${tableByNumber(evidence, table)} from slot ${slot} with ` +
      `${entries} of its entries set, last by ${changerText(use)}`,
  );
}

/** Words: table, index of the first entry that is not none, that entry. */
export function nonemptyFreed(evidence: Evidence, fact: Fact): Verdict {
  const { a: table, b: index, c: entry } = fact;
  return verdict(
    'nonempty-table-freed',
    [fact.cpu],
    `${whoNoted(fact)} freed ${tableByNumber(evidence, table)}, whose entry ${index} holds ` +
      `${hex(entry)}${recalled(evidence, table)}`,
  );
}
