/** Where a page is mapped: for messages, since the walk keeps counts only. */

import { type Pte, ptePfn, ptePresent } from '#arch/pte';
import { PTDESC, PTDESC_SHIFT } from '#arena/layout/ptdesc';
import type { Evidence } from './evidence.ts';
import { addressText } from './naming.ts';
import type { Tree } from './tree.ts';

/** Addresses that a message lists. */
const LISTED_MAX = 3;

/** `0x40201000 and 0x40202000`: the first addresses at which entries map page `pfn`. */
export function findMapping({ words, map }: Evidence, tree: Tree, pfn: number): string {
  const found: string[] = [];
  const shift = map.geometry.ptrsShift;
  for (let table = 1; table < tree.entries.length && found.length < LISTED_MAX; table++) {
    if (tree.entries[table]! <= 0) continue;
    const body = words[map.ptdescs + (table << PTDESC_SHIFT) + PTDESC.body]!;
    for (let i = 0; i < 1 << shift && found.length < LISTED_MAX; i++) {
      const entry = words[map.bodies + (body << shift) + i]! as Pte;
      if (ptePresent(entry) && ptePfn(entry) === pfn)
        found.push(addressText(map, tree.slots[table]!, i));
    }
  }
  return found.join(' and ');
}
