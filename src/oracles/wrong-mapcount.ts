/**
 * Pages and the entries that map them: a page marked as mapped is mapped by exactly one entry, and
 * nothing else is mapped. (A free page that is mapped is a use after free; a mapped page left at
 * exit is a leak.)
 */
import { PAGE, PAGE_DESC_SHIFT, PAGE_STATE, PAGE_STATE_MASK } from '#arena/layout/page';
import type { Audit } from './audit.ts';
import { findMapping } from './find-mapping.ts';
import type { Findings } from './verdict.ts';

const PAGE_STATES = Object.keys(PAGE_STATE);

export function auditMapcount({ evidence, tree, pages }: Audit, findings: Findings): void {
  if (evidence.moment === 'exit') return;
  const { words, map } = evidence;
  for (let pfn = pages.first; pfn < pages.fresh; pfn++) {
    const state = words[map.pages + (pfn << PAGE_DESC_SHIFT) + PAGE.state]! & PAGE_STATE_MASK;
    const entries = tree.pages[pfn]!;
    if (state === PAGE_STATE.mapped) {
      if (entries === 1 || (entries === 0 && !tree.isComplete)) continue;
    } else if (entries === 0 || state === PAGE_STATE.free) continue;
    findings.add('wrong-mapcount', [], () => {
      const where =
        entries === 0 ? 'no entry maps it' : `${findMapping(evidence, tree, pfn)} maps it`;
      return `page ${pfn} is marked ${PAGE_STATES[state]}, and ${where}`;
    });
  }
}
