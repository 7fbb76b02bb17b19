/**
 * How a walker comes to a table: looks at the pmd entry, maps, and repeats or skips if that fails.
 */
import type { Cpu } from '#arch/cpu';
import { type Pmdp, pmdTablePresent } from '#arch/pmd';
import type { Ptep } from '#arch/pte';
import { rcuQuiescent } from '#sync/rcu';
import { COUNTER, count } from '#trace/counters';
import { countRace } from '#trace/race';
import { RACE } from '#trace/vocabulary';
import type { Mm } from '../mm.ts';
import { lastPmdChanger, pmdpGet } from '../pgtable.ts';
import { pteOffsetMap, pteOffsetMapLock } from '../pte-offset-map.ts';

const NULL = 0 as Ptep;

/**
 * As `pteOffsetMapLock`; 0: there is no table, or it went away under the look and the walker does
 * not repeat it (`repeats`).
 */
export function walkerMapLock(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  index: number,
  repeats: boolean,
): Ptep {
  while (pmdTablePresent(pmdpGet(cpu, pmdp))) {
    const ptep = pteOffsetMapLock(cpu, mm, pmdp, slot, index);
    if (ptep !== 0) return noteTable(cpu, ptep);
    if (!looksAgain(cpu, pmdp, repeats)) return NULL;
  }
  return NULL;
}

/** The same as `pteOffsetMap`, for reading without the ptl. */
export function walkerMap(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  index: number,
  repeats: boolean,
): Ptep {
  while (pmdTablePresent(pmdpGet(cpu, pmdp))) {
    const ptep = pteOffsetMap(cpu, mm, pmdp, slot, index);
    if (ptep !== 0) return noteTable(cpu, ptep);
    if (!looksAgain(cpu, pmdp, repeats)) return NULL;
  }
  return NULL;
}

function noteTable(cpu: Cpu, ptep: Ptep): Ptep {
  count(cpu, COUNTER.walkerTables, 1);
  return ptep;
}

/** Notes that a table seen in the pmd entry was not to be had; whether the walker looks again. */
function looksAgain(cpu: Cpu, pmdp: Pmdp, repeats: boolean): boolean {
  countRace(cpu, RACE.pmdGone, lastPmdChanger(pmdp));
  count(cpu, repeats ? COUNTER.walkerRetries : COUNTER.walkerSkips, 1);
  if (repeats) rcuQuiescent(cpu);
  return repeats;
}
