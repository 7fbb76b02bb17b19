/**
 * Percpu reference counts at rest, when no walker is inside: a table counts one reference for each
 * entry. Too many is a leak (it is never found free of references); too few is an underflow. And a
 * table without references may stay only while nobody has asked whether it has any. Once somebody
 * has, it goes with the last reference; one that is left has been forgotten. If its count is percpu
 * again, it cannot even be found to be zero.
 */
import { REF, REF_ATOMIC, REF_BIAS, REF_CONFIRM, REF_MODE } from '#arena/layout/percpu-ref';
import { PTDESC, PTDESC_SHIFT } from '#arena/layout/ptdesc';
import type { Audit } from './audit.ts';
import type { Evidence } from './evidence.ts';
import { changerCpu, changerText, tableName } from './naming.ts';
import type { Findings } from './verdict.ts';

export function auditPercpuReferences(audit: Audit, findings: Findings): void {
  const { evidence, tree, tables } = audit;
  const { words, map } = evidence;
  // Percpu refs are all that has words of each CPU for each table.
  if (map.geometry.tableCpuWords === 0) return;
  for (let table = tables.first; table < tables.fresh; table++) {
    const entries = tree.entries[table]!;
    if (entries < 0) continue;
    const references = referencesOf(evidence, table);
    const mode = words[map.tableWords + table * REF.sizeWords + REF.mode]!;
    const isForgotten = references === 0 && mode !== REF_MODE.percpu;
    if (references === entries && !isForgotten) continue;
    const use = words[map.ptdescs + (table << PTDESC_SHIFT) + PTDESC.use]!;
    const kind = references < entries ? 'reference-underflow' : 'reference-leak';
    findings.add(kind, [changerCpu(use)], () => {
      const name = `${tableName(map, 0, table)} at slot ${tree.slots[table]}`;
      const wrong =
        references === entries
          ? `is left without entries and references, ${howLost(mode)}`
          : `counts ${references} references and has ${entries} entries`;
      return `${name} ${wrong}; last filled by ${changerText(use)}`;
    });
  }
}

function howLost(mode: number): string {
  return (mode & REF_ATOMIC) !== 0
    ? 'and nobody has freed it'
    : 'and its count, percpu again, is not found to be zero';
}

/** The value of table `table`'s count, whatever its mode. */
function referencesOf({ words, map }: Evidence, table: number): number {
  const at = map.tableWords + table * REF.sizeWords;
  const count = words[at + REF.count]!;
  const isAtomic = (words[at + REF.mode]! & REF_ATOMIC) !== 0;
  if (isAtomic && words[at + REF.confirm] === REF_CONFIRM.none) return count;
  let sum = 0;
  for (let cpu = 0; cpu < map.geometry.cpus; cpu++)
    sum += words[map.tableCpuWords + cpu * map.tableCpuStride + table]!;
  return (count - REF_BIAS + sum) | 0;
}
