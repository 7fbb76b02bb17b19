/**
 * Frees page tables after the zap of munmap and exit (`free_pgtables`): PTE tables whose whole slot
 * lies between the neighbouring VMAs, and upper tables whose whole reach does. The mmap lock and
 * the VMA locks are held for writing and the VMAs are out of the map, so entries are cleared
 * without pml or ptl; tables go through the gather, because lockless walkers may still be inside.
 */

import type { Cpu } from '#arch/cpu';
import { type Pmd, type Pmdp, pmdTable, pmdTablePresent } from '#arch/pmd';
import { bodyAt, ptdescAt, ptrsMask, ptrsShift } from '#arena/arena';
import { MM } from '#arena/layout/mm';
import { PTDESC } from '#arena/layout/ptdesc';
import { peek, read } from '#arena/word';
import { rcuQuiescent } from '#sync/rcu';
import { FACT, noteFact } from '#trace/fact';
import { type Mm, mmDecNrTables } from './mm.ts';
import { pteFreeTlb } from './mmu-gather.ts';
import { pmdUnhook, upperUnhook } from './pgtable.ts';
import { HOOK, hasHook } from './reclaim-protocol.ts';

/** Frees the tables that map nothing but slots in [floor, ceiling). */
export function freePgtables(cpu: Cpu, mm: Mm, floor: number, ceiling: number): void {
  if (floor < ceiling) freeBelow(cpu, mm, peek(mm.at + MM.pgd), mm.topLevel, 0, floor, ceiling);
}

/**
 * `base`: first slot that `table` reaches. Goes through the entries that [floor, ceiling) touches.
 */
function freeBelow(
  cpu: Cpu,
  mm: Mm,
  table: number,
  level: number,
  base: number,
  floor: number,
  ceiling: number,
): void {
  const body = bodyAt(peek(ptdescAt(table) + PTDESC.body));
  const reach = 1 << ((level - 1) * ptrsShift());
  const first = Math.max(0, Math.floor((floor - base) / reach));
  const last = Math.min(ptrsMask(), Math.ceil((ceiling - base) / reach) - 1);
  for (let i = first; i <= last; i++) {
    const entryp = (body + i) as Pmdp;
    const entry = read(cpu, entryp) as Pmd;
    if (!pmdTablePresent(entry)) continue;
    const child = pmdTable(entry);
    const from = base + i * reach;
    if (level > 1) freeBelow(cpu, mm, child, level - 1, from, floor, ceiling);
    if (from < floor || from + reach > ceiling) continue;
    if (level === 1 && hasHook(HOOK.lastPutFrees))
      noteFact(cpu, FACT.tableLeft, child, from, 0, 0, 0);
    if (level === 1) pmdUnhook(cpu, entryp, child, from);
    else upperUnhook(cpu, entryp, child);
    pteFreeTlb(cpu, child, from, reach);
    mmDecNrTables(cpu, mm, level - 1);
    rcuQuiescent(cpu);
  }
}
