/**
 * Table 0 and page 0 are traps: no entry may name them, and nobody may have followed one that did.
 */
import type { Audit } from './audit.ts';
import type { Evidence, Fact } from './evidence.ts';
import { addressText, tableName, whoNoted } from './naming.ts';
import { type Findings, type Verdict, verdict } from './verdict.ts';

export function tableZero(_: Evidence, fact: Fact): Verdict {
  return verdict('table-zero', [fact.cpu], `${whoNoted(fact)} followed an entry to table 0`);
}

export function auditTableZero({ evidence, tree }: Audit, findings: Findings): void {
  const { map } = evidence;
  for (const { what, table, level, index, slot } of tree.misfits) {
    if (what !== 'zero') continue;
    const holder = tableName(map, level, table);
    findings.add('table-zero', [], () =>
      level === 0
        ? `the entry for ${addressText(map, slot, index)}, in ${holder}, maps page 0`
        : `entry ${index} of ${holder} names table 0`,
    );
  }
}
