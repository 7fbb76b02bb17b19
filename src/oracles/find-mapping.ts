/** Which entries name a page: for messages, since the walk keeps counts only. */

import { PTE_KIND, type Pte, pteKind, ptePfn } from '#arch/pte';
import { PTDESC, PTDESC_SHIFT } from '#arena/layout/ptdesc';
import type { Evidence } from './evidence.ts';
import { addressText } from './naming.ts';
import type { Tree } from './tree.ts';

/** Addresses that a message lists. */
const LISTED_MAX = 3;

/**
 * `0x40201000 and 0x40202000 map it`, or that swap entries there name it: the first addresses of
 * entries that name page `pfn`; nothing if none does.
 */
export function findMapping({ words, map }: Evidence, tree: Tree, pfn: number): string {
  const found: string[] = [];
  let swaps = 0;
  const shift = map.geometry.ptrsShift;
  for (let table = 1; table < tree.entries.length && found.length < LISTED_MAX; table++) {
    if (tree.entries[table]! <= 0) continue;
    const body = words[map.ptdescs + (table << PTDESC_SHIFT) + PTDESC.body]!;
    for (let i = 0; i < 1 << shift && found.length < LISTED_MAX; i++) {
      const entry = words[map.bodies + (body << shift) + i]! as Pte;
      const kind = pteKind(entry);
      if (entry === 0 || kind === PTE_KIND.marker || ptePfn(entry) !== pfn) continue;
      found.push(addressText(map, tree.slots[table]!, i));
      if (kind === PTE_KIND.swap) swaps++;
    }
  }
  if (found.length === 0) return '';
  const where = found.join(' and ');
  if (swaps === 0) return `${where} ${found.length === 1 ? 'maps' : 'map'} it`;
  return swaps === 1 && found.length === 1
    ? `a swap entry at ${where} names it`
    : `entries at ${where} name it, ${swaps} of them swap entries`;
}
