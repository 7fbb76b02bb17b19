/**
 * Reference counts of PTE tables: the count of entries that the entry setters keep against the
 * entries that are there. Too many is a leak (the table will never be found empty); too few is an
 * underflow (it may be found empty while it is not).
 */
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

export function auditReferences({ evidence, tree, tables }: Audit, findings: Findings): void {
  const { words, map } = evidence;
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
