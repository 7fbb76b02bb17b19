/**
 * The PTE tables that stand in a machine at rest although nobody would miss them. Empty ones are
 * told by the count in their descriptor, so that millions of them are looked at in no time; the
 * entries of the others are read up to the first that is of a page of its own.
 */
import { type Pte, pteNone, pteZeroPage } from '#arch/pte';
import { CONTROL } from '#arena/layout/control';
import {
  FRAME,
  frameLevelOf,
  frameStateOf,
  PTDESC,
  PTDESC_SHIFT,
  USE_COUNT_MASK,
} from '#arena/layout/ptdesc';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';

export interface TableCensus {
  /** PTE tables without an entry. */
  readonly empty: number;
  /** PTE tables that have entries, but of the shared zero page only. */
  readonly zeroPageOnly: number;
}

export function tableCensus(words: Words, map: ArenaMap): TableCensus {
  let empty = 0;
  let zeroPageOnly = 0;
  const end = Math.min(words[CONTROL.tableFresh]!, map.geometry.tables);
  for (let table = 1; table < end; table++) {
    const at = map.ptdescs + (table << PTDESC_SHIFT);
    const state = words[at + PTDESC.state]!;
    if (frameStateOf(state) !== FRAME.table || frameLevelOf(state) !== 0) continue;
    const entries = words[at + PTDESC.use]! & USE_COUNT_MASK;
    if (entries === 0) empty++;
    else if (hasOnlyZeroPages(words, map, words[at + PTDESC.body]!)) zeroPageOnly++;
  }
  return { empty, zeroPageOnly };
}

function hasOnlyZeroPages(words: Words, map: ArenaMap, body: number): boolean {
  const { ptrsShift } = map.geometry;
  const first = map.bodies + (body << ptrsShift);
  for (let i = 0; i < 1 << ptrsShift; i++) {
    const entry = words[first + i]! as Pte;
    if (!pteNone(entry) && !pteZeroPage(entry)) return false;
  }
  return true;
}
