/**
 * fork, for a child that exits at once: its tables are copies that nobody else ever sees. What the
 * parent notices is that its writable pages are write-protected afterwards.
 *
 * As posted the parent's tables are read without a reference, by a pmd entry that is not looked at
 * again: the mmap lock held for writing is said to keep them. That is true only of those who free
 * tables under it or under the VMA lock, which is write-locked as well; who comes from a page has
 * the rmap lock alone (S-31).
 */
import type { Cpu } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import { PTE_NONE, type Ptep, pteNone, pteWrite, pteWrprotect } from '#arch/pte';
import { flushTlbRange } from '#arch/shootdown';
import { bodyAt, ptdescAt } from '#arena/arena';
import { PTDESC } from '#arena/layout/ptdesc';
import { peek, write } from '#arena/word';
import { rcuReadLock, rcuReadUnlock } from '#sync/rcu';
import { spinLock, spinUnlock } from '#sync/spinlock';
import { COUNTER, count } from '#trace/counters';
import { LOCK } from '#trace/vocabulary';
import type { Mm } from './mm.ts';
import { ptepGet, ptepGetAndClear, ptepReplace } from './pgtable.ts';
import { pteOffsetMapHeld, pteOffsetMapLock, pteUnmapUnlock } from './pte-offset-map.ts';
import { allocTable, attachBody, freeTable } from './table-alloc.ts';
import { reactsAsPosted } from './walkers/reactions.ts';

/**
 * Copies the entries [first, end) of one table of the parent. Returns how many, or -1 when there is
 * no memory for the child's table.
 */
export function copyPteRange(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  first: number,
  end: number,
): number {
  const child = allocTable(cpu, 0);
  if (child === 0) return -1;
  let body = peek(ptdescAt(child) + PTDESC.body);
  if (body === 0) body = attachBody(cpu, child);
  const copied = body === 0 ? -1 : copyEntries(cpu, mm, pmdp, slot, first, end, bodyAt(body));
  // The child exits: its entries go, and then its table.
  for (let i = 0; i < copied; i++) write(cpu, bodyAt(body) + i, PTE_NONE);
  freeTable(cpu, child);
  if (copied <= 0) return copied;
  count(cpu, COUNTER.walkerTables, 1);
  count(cpu, COUNTER.walkerPages, copied);
  return copied;
}

/** Copies what is not none to the places from `to` on, which have room for a whole table. */
function copyEntries(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  first: number,
  end: number,
  to: number,
): number {
  const posted = reactsAsPosted(); // @fork-source-held
  const ptep = posted
    ? mapHeldPosted(cpu, mm, pmdp, first)
    : pteOffsetMapLock(cpu, mm, pmdp, slot, first);
  if (ptep === 0) return 0;
  const { ptl, table } = cpu;
  let copied = 0;
  let protectedEntries = 0;
  for (let i = 0; i < end - first; i++) {
    const at = (ptep + i) as Ptep;
    let value = ptepGet(cpu, at);
    if (pteNone(value)) continue;
    if (pteWrite(value)) {
      const old = ptepGetAndClear(cpu, at);
      value = pteWrprotect(old);
      ptepReplace(cpu, table, at, old, value);
      protectedEntries++;
    }
    write(cpu, to + copied++, value);
  }
  if (posted) {
    spinUnlock(cpu, ptl, LOCK.ptl);
    rcuReadUnlock(cpu);
  } else pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  if (protectedEntries !== 0) flushTlbRange(cpu, slot, first, slot, end, false);
  return copied;
}

/**
 * As posted: without a reference, and the table is not looked for again under its lock. The read
 * section stands for the ptl of the child's table, which Linux has taken by then.
 */
function mapHeldPosted(cpu: Cpu, mm: Mm, pmdp: Pmdp, index: number): Ptep {
  rcuReadLock(cpu);
  const ptep = pteOffsetMapHeld(cpu, mm, pmdp, index);
  spinLock(cpu, cpu.ptl, LOCK.ptl);
  return ptep;
}
