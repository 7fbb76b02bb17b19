/**
 * The fault on a migration entry: waits until the page is where it belongs, then the access is
 * tried again.
 */
import type { Cpu } from '#arch/cpu';
import { type Pmdp, pmdTable } from '#arch/pmd';
import { type Pte, type Ptep, ptePfn, pteSame } from '#arch/pte';
import { pageAt } from '#arena/arena';
import { PAGE, PAGE_GENERATION_SHIFT, PAGE_LOCKED } from '#arena/layout/page';
import { load } from '#arena/word';
import { spinLock } from '#sync/spinlock';
import { COUNTER, count } from '#trace/counters';
import { countRace } from '#trace/race';
import { LOCK, RACE } from '#trace/vocabulary';
import type { Mm } from './mm.ts';
import { waitOnPage } from './page-lock.ts';
import { checkFrame, lastPmdChanger, pmdpGet, pteLockptr, ptepGet } from './pgtable.ts';
import { pteOffsetMap, pteOffsetMapLock, pteUnmapUnlock } from './pte-offset-map.ts';
import { scheduledAway } from './scheduled-away.ts';
import { VM_FAULT } from './vm-fault.ts';
import { reactsAsPosted } from './walkers/reactions.ts';

/**
 * Handles a fault on migration entry `orig`. As posted, where there is no table any more it claims
 * to have dropped the caller's lock, which it has not.
 */
export function doMigrationPage(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  index: number,
  orig: Pte,
): number {
  if (migrationEntryWait(cpu, mm, pmdp, slot, index, orig)) return VM_FAULT.again;
  return reactsAsPosted() ? VM_FAULT.retry : VM_FAULT.again;
}

/** Waits while the entry stands and its page is locked. False: there is no table to look at. */
export function migrationEntryWait(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  index: number,
  orig: Pte,
): boolean {
  const lockFirst = reactsAsPosted(); // @migration-lock-first
  const ptep = lockFirst
    ? mapLockPosted(cpu, mm, pmdp, slot, index)
    : pteOffsetMapLock(cpu, mm, pmdp, slot, index);
  if (ptep === 0) {
    countRace(cpu, RACE.pmdGone, lastPmdChanger(pmdp));
    return false;
  }
  const { ptl, table } = cpu;
  const at = pageAt(ptePfn(orig)) + PAGE.state;
  const seen = pteSame(ptepGet(cpu, ptep), orig) ? load(cpu, at) : 0;
  pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  if ((seen & PAGE_LOCKED) !== 0) waitOnLocked(cpu, ptePfn(orig), seen >>> PAGE_GENERATION_SHIFT);
  return true;
}

/**
 * As posted: the lock is that of the table that the pmd entry points to first, and what is mapped
 * after that may be another table, of which only then there is a reference (S-04).
 */
function mapLockPosted(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, index: number): Ptep {
  const pmdval = pmdpGet(cpu, pmdp);
  const ptl = pteLockptr(mm, pmdval);
  scheduledAway(cpu);
  const ptep = pteOffsetMap(cpu, mm, pmdp, slot, index);
  if (ptep === 0) return ptep;
  spinLock(cpu, ptl, LOCK.ptl);
  cpu.ptl = ptl;
  // The lock of another table than the one that is read: is it one still?
  if (pmdTable(pmdval) !== cpu.table) checkFrame(cpu, pmdval, 0);
  return ptep;
}

function waitOnLocked(cpu: Cpu, pfn: number, life: number): void {
  const at = pageAt(pfn) + PAGE.state;
  count(cpu, COUNTER.migrationWaits, 1);
  for (let state = load(cpu, at); ; state = load(cpu, at)) {
    if ((state & PAGE_LOCKED) === 0 || state >>> PAGE_GENERATION_SHIFT !== life) return;
    waitOnPage(cpu, pfn, state);
  }
}
