/**
 * Reference counts. Of PTE tables: the count of entries that the entry setters keep against the
 * entries that are there. Too many is a leak (the table will never be found empty); too few is an
 * underflow (it may be found empty while it is not). Of pages: references beside their mapping.
 */
import { PAGE, PAGE_DESC_SHIFT, PAGE_REFERENCE, PAGE_REFERENCES_MASK } from '#arena/layout/page';
import { PTDESC, PTDESC_SHIFT, USE_COUNT_MASK } from '#arena/layout/ptdesc';
import type { Audit } from './audit.ts';
import type { Evidence, Fact } from './evidence.ts';
import { changerCpu, changerText, tableByNumber, tableName, whoNoted } from './naming.ts';
import { type Findings, type Verdict, verdict } from './verdict.ts';
import { countOfTables } from './wrong-nr-ptes.ts';

/** Words: 0, tables counted before, level; or 1, entries left, table. */
export function countUnderflow(evidence: Evidence, fact: Fact): Verdict {
  if (fact.a === 0) return countOfTables(evidence, fact);
  const name = tableByNumber(evidence, fact.c);
  return verdict(
    'reference-underflow',
    [fact.cpu],
    `${whoNoted(fact)} cleared more entries of ${name} than it counts: ${fact.b} are left`,
  );
}

/** Words: table, slot. */
export function tableLeft(evidence: Evidence, fact: Fact): Verdict {
  const name = tableByNumber(evidence, fact.a);
  return verdict(
    'reference-leak',
    [fact.cpu],
    `${whoNoted(fact)} found ${name} at slot ${fact.b}, ` +
      'which should have gone with its last reference',
  );
}

/** Words: table, references. */
export function referencesLeft(evidence: Evidence, fact: Fact): Verdict {
  const name = tableByNumber(evidence, fact.a);
  return verdict(
    fact.b > 0 ? 'reference-leak' : 'reference-underflow',
    [fact.cpu],
    `${whoNoted(fact)} freed ${name} with a count of ${fact.b} references`,
  );
}

export function auditReferences(audit: Audit, findings: Findings): void {
  const { evidence, tree, tables } = audit;
  const { words, map } = evidence;
  auditPageReferences(audit, findings);
  for (let table = tables.first; table < tables.fresh; table++) {
    const entries = tree.entries[table]!;
    if (entries < 0) continue;
    const use = words[map.ptdescs + (table << PTDESC_SHIFT) + PTDESC.use]!;
    const counted = use & USE_COUNT_MASK;
    if (counted === entries) continue;
    const kind = counted > entries ? 'reference-leak' : 'reference-underflow';
    findings.add(kind, [changerCpu(use)], () => {
      const name = `${tableName(map, 0, table)} at slot ${tree.slots[table]}`;
      const last = `last filled by ${changerText(use)}`;
      return `${name} counts ${counted} entries and has ${entries}; ${last}`;
    });
  }
}

/** Those who take references to pages return them before their operation ends. */
function auditPageReferences({ evidence, heldPages }: Audit, findings: Findings): void {
  const { words, map } = evidence;
  for (const pfn of heldPages) {
    const state = words[map.pages + (pfn << PAGE_DESC_SHIFT) + PAGE.state]!;
    const references = (state & PAGE_REFERENCES_MASK) / PAGE_REFERENCE;
    if (references !== 0)
      findings.add(
        'reference-leak',
        [],
        () => `page ${pfn} counts ${references} references that nobody has returned`,
      );
  }
}
