/**
 * The mm's counts of its tables (VmPTE) against the tables that the tree reaches, level by level.
 */
import { MM } from '#arena/layout/mm';
import type { Audit } from './audit.ts';
import type { Evidence, Fact } from './evidence.ts';
import { whoNoted } from './naming.ts';
import { type Findings, type Verdict, verdict } from './verdict.ts';

const LEVELS = ['pte', 'pmd', 'pud'];

/** Words: 0, tables counted before, level. */
export function countOfTables(_: Evidence, fact: Fact): Verdict {
  const { b: before, c: level } = fact;
  return verdict(
    'wrong-nr-ptes',
    [fact.cpu],
    `${whoNoted(fact)} uncounted a ${LEVELS[level]} table when ${before} were counted`,
  );
}

export function auditNrPtes({ evidence, tree }: Audit, findings: Findings): void {
  if (!tree.isComplete) return;
  const { words, map } = evidence;
  const counts = [MM.nrPtes, MM.nrPmds, MM.nrPuds].map((offset) => words[map.mm + offset]!);
  for (const [level, counted] of counts.entries()) {
    const found = tree.hooked[level]!;
    if (counted !== found)
      findings.add(
        'wrong-nr-ptes',
        [],
        () => `the mm counts ${counted} ${LEVELS[level]} tables, and the tree has ${found}`,
      );
  }
}
