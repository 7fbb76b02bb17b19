/**
 * Walkers that only look: what `/proc/PID/smaps` and `/proc/PID/pagemap` tell, and mincore. Each
 * goes through the entries [first, end) of one table and returns how many map a page.
 */
import type { Cpu } from '#arch/cpu';
import { interruptPoint } from '#arch/interrupts';
import type { Pmdp } from '#arch/pmd';
import { type Ptep, pteNone, ptePresent } from '#arch/pte';
import { COUNTER, count } from '#trace/counters';
import type { Mm } from '../mm.ts';
import { ptepGet } from '../pgtable.ts';
import { pteUnmap, pteUnmapUnlock } from '../pte-offset-map.ts';
import { walkerMap, walkerMapLock } from './map-table.ts';
import { reactsAsPosted } from './reactions.ts';

/** Sums up under the ptl. As posted, a table that is dying counts as empty. */
export function smapsPteRange(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  first: number,
  end: number,
): number {
  return lookLocked(cpu, mm, pmdp, slot, first, end, !reactsAsPosted());
}

/** Says which pages are resident, under the ptl; looks again in either version. */
export function mincorePteRange(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  first: number,
  end: number,
): number {
  return lookLocked(cpu, mm, pmdp, slot, first, end, true);
}

/**
 * Reads entry by entry without the ptl, and may be interrupted between two. As posted, a table that
 * is dying counts as empty.
 */
export function pagemapPmdRange(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  first: number,
  end: number,
): number {
  const ptep = walkerMap(cpu, mm, pmdp, slot, first, !reactsAsPosted());
  if (ptep === 0) return 0;
  const { pmdval } = cpu;
  let pages = 0;
  for (let i = 0; i < end - first; i++) {
    if (!pteNone(ptepGet(cpu, (ptep + i) as Ptep))) pages++;
    interruptPoint(cpu);
  }
  pteUnmap(cpu, mm, pmdp, slot, pmdval);
  count(cpu, COUNTER.walkerPages, pages);
  return pages;
}

function lookLocked(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  first: number,
  end: number,
  repeats: boolean,
): number {
  const ptep = walkerMapLock(cpu, mm, pmdp, slot, first, repeats);
  if (ptep === 0) return 0;
  const { ptl, table } = cpu;
  let pages = 0;
  for (let i = 0; i < end - first; i++) if (ptePresent(ptepGet(cpu, (ptep + i) as Ptep))) pages++;
  pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  count(cpu, COUNTER.walkerPages, pages);
  return pages;
}
