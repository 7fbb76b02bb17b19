/**
 * Pages and the entries that name them: a page marked as mapped is mapped by exactly one entry, one
 * marked as swapped is named by exactly one swap entry, and no other page is named at all. (A free
 * page that is named is a use after free; a mapped page left at exit is a leak.) Nor is an entry
 * left that says its page is on the move, when nobody moves it.
 */
import { type Pte, ptePfn } from '#arch/pte';
import { PAGE, PAGE_DESC_SHIFT, PAGE_STATE, PAGE_STATE_MASK } from '#arena/layout/page';
import type { Audit } from './audit.ts';
import { findMapping } from './find-mapping.ts';
import { addressText } from './naming.ts';
import type { Tree } from './tree.ts';
import type { Findings } from './verdict.ts';

const PAGE_STATES = Object.keys(PAGE_STATE);

export function auditMapcount({ evidence, tree, pages }: Audit, findings: Findings): void {
  if (evidence.moment === 'exit') return;
  const { words, map } = evidence;
  for (let pfn = pages.first; pfn < pages.fresh; pfn++) {
    const state = words[map.pages + (pfn << PAGE_DESC_SHIFT) + PAGE.state]! & PAGE_STATE_MASK;
    if (state === PAGE_STATE.free || isNamedRightly(tree, pfn, state)) continue;
    findings.add('wrong-mapcount', [], () => {
      const where = findMapping(evidence, tree, pfn) || 'no entry maps it';
      return `page ${pfn} is marked ${PAGE_STATES[state]}, and ${where}`;
    });
  }
  for (const { what, index, entry, slot } of tree.misfits) {
    if (what !== 'migration') continue;
    const where = addressText(map, slot, index);
    findings.add(
      'wrong-mapcount',
      [],
      () =>
        `page ${ptePfn(entry as Pte)} is on the move by its entry at ${where}, and nobody moves it`,
    );
  }
}

function isNamedRightly(tree: Tree, pfn: number, state: number): boolean {
  const entries = tree.pages[pfn]!;
  const swaps = tree.swaps[pfn]!;
  if (entries + swaps === 0 && state !== PAGE_STATE.gathered) return !tree.isComplete;
  if (state === PAGE_STATE.mapped) return entries === 1 && swaps === 0;
  if (state === PAGE_STATE.swapped) return entries === 0 && swaps === 1;
  return entries + swaps === 0;
}
