/**
 * Counts of entries that a protocol goes by, of tables at rest: how many are not none, and how many
 * map the zero page. If the first is too high, or the second too low, the table will never be found
 * to hold nothing (a leak); the other way round it may be found so while it holds something.
 */
import { type Pte, pteZeroPage } from '#arch/pte';
import { COUNTS_MASK, COUNTS_ZEROS_SHIFT, TABLE_COUNTS } from '#arena/layout/protocol-words';
import { PTDESC, PTDESC_SHIFT } from '#arena/layout/ptdesc';
import type { Audit } from './audit.ts';
import type { Evidence } from './evidence.ts';
import { changerCpu, changerText, tableName } from './naming.ts';
import type { Findings } from './verdict.ts';

export function auditTableCounts({ evidence, tree, tables }: Audit, findings: Findings): void {
  const { words, map, countsEntries } = evidence;
  if (!countsEntries) return;
  for (let table = tables.first; table < tables.fresh; table++) {
    const entries = tree.entries[table]!;
    if (entries < 0) continue;
    const counts = words[map.tableWords + table * TABLE_COUNTS.sizeWords]!;
    const mapped = counts & COUNTS_MASK;
    const zeros = (counts >>> COUNTS_ZEROS_SHIFT) & COUNTS_MASK;
    const zeroPages = zeroPagesOf(evidence, table);
    if (mapped === entries && zeros === zeroPages) continue;
    const leaks = mapped === entries ? zeros < zeroPages : mapped > entries;
    const use = words[map.ptdescs + (table << PTDESC_SHIFT) + PTDESC.use]!;
    findings.add(leaks ? 'reference-leak' : 'reference-underflow', [changerCpu(use)], () => {
      const name = `${tableName(map, 0, table)} at slot ${tree.slots[table]}`;
      const counted = `counts ${mapped} entries, ${zeros} of them of the zero page`;
      const last = `last filled by ${changerText(use)}`;
      return `${name} ${counted}, and has ${entries} and ${zeroPages}; ${last}`;
    });
  }
}

/** Entries of PTE table `table` that map the zero page. */
function zeroPagesOf({ words, map }: Evidence, table: number): number {
  const body = words[map.ptdescs + (table << PTDESC_SHIFT) + PTDESC.body]!;
  const first = map.bodies + (body << map.geometry.ptrsShift);
  let zeroPages = 0;
  for (let index = 0; body !== 0 && index < 1 << map.geometry.ptrsShift; index++)
    if (pteZeroPage(words[first + index]! as Pte)) zeroPages++;
  return zeroPages;
}
