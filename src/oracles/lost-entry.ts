/**
 * Lost entries: by the facts, one was installed in a table that had been unhooked. By the audit,
 * one stands outside every VMA, where no zap will come, or in the body that all empty tables share.
 */
import type { Audit } from './audit.ts';
import type { Evidence, Fact } from './evidence.ts';
import {
  addressText,
  changerCpu,
  changerText,
  frameText,
  hex,
  recalled,
  tableByNumber,
  tableName,
  whoNoted,
} from './naming.ts';
import { type Findings, type Verdict, verdict } from './verdict.ts';
import { auditVmaMap } from './vma-map.ts';

/** Words: table, index, entry installed, use word (who unhooked the table), state word. */
export function lostEntry(evidence: Evidence, fact: Fact): Verdict {
  const { a: table, b: index, c: entry, d: use, e: state } = fact;
  const name = tableByNumber(evidence, table);
  return verdict(
    'lost-entry',
    [fact.cpu, changerCpu(use)],
    `${whoNoted(fact)} installed ${hex(entry)} as entry ${index} of ${name}, which is ` +
      `${frameText(evidence.map, state)}, last changed by ${changerText(use)}` +
      recalled(evidence, table),
  );
}

export function auditLostEntry({ evidence, tree }: Audit, findings: Findings): void {
  const { words, map } = evidence;
  auditVmaMap(evidence, findings);
  for (const { what, table, level, index, entry, slot } of tree.misfits) {
    if (what !== 'stray-entry') continue;
    const holder = tableName(map, level, table);
    findings.add(
      'lost-entry',
      [],
      () => `${hex(entry)} at ${addressText(map, slot, index)}, in ${holder}, is in no vma`,
    );
  }
  for (let i = 0; i < 1 << map.geometry.ptrsShift; i++) {
    const entry = words[map.bodies + i]!;
    if (entry !== 0)
      findings.add(
        'lost-entry',
        [],
        () => `body 0, which all empty tables share, holds ${hex(entry)} as entry ${i}`,
      );
  }
}
