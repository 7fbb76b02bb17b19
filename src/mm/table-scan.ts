/** Whether a PTE table is empty: every entry none, whatever kind of entry the others are. */

import type { Cpu } from '#arch/cpu';
import { bodyAt, ptdescAt, ptrsMask } from '#arena/arena';
import { PTDESC, USE_COUNT_MASK } from '#arena/layout/ptdesc';
import { peek, read } from '#arena/word';

/**
 * Reads all entries of `table`, stopping at the first that is not none; stable only under the ptl.
 */
export function tableIsEmpty(cpu: Cpu, table: number): boolean {
  return entriesAreNone(cpu, table, 0, ptrsMask() + 1);
}

/** The same for the entries [start, end). */
export function entriesAreNone(cpu: Cpu, table: number, start: number, end: number): boolean {
  const body = peek(ptdescAt(table) + PTDESC.body);
  if (body === 0) return true;
  const last = bodyAt(body) + end;
  for (let place = bodyAt(body) + start; place < last; place++)
    if (read(cpu, place) !== 0) return false;
  return true;
}

/** A quiet guess at the same, from the count that the entry setters keep. */
export function tableLooksEmpty(table: number): boolean {
  return (peek(ptdescAt(table) + PTDESC.use) & USE_COUNT_MASK) === 0;
}
