/**
 * Page migration, one page at a time: an entry that says so stands in for the page while it moves.
 *
 *     1. lock the page; under the ptl put a migration entry in the place of its entry; flush
 *     2. allocate a new page, and copy, unless somebody holds a reference to the old one
 *     3. under the ptl, if the migration entry still stands, put the new page's entry there;
 *        else the page was unmapped meanwhile, and nobody wants it
 *     4. unlock and free what is left over
 *
 * A fault on a migration entry waits until the page is unlocked (migration-wait.ts). The caller
 * holds the mmap lock for reading (Linux: the rmap locks); the VMA lock is left to zaps and faults.
 */
import type { Cpu } from '#arch/cpu';
import type { Pmdp } from '#arch/pmd';
import {
  mkNonPresent,
  mkPte,
  PTE_KIND,
  type Pte,
  type Ptep,
  pteDirty,
  pteMkuffdWp,
  ptePfn,
  ptePresent,
  pteSame,
  pteUffdWp,
  pteWrite,
  pteZeroPage,
} from '#arch/pte';
import { flushTlbRange } from '#arch/shootdown';
import { pageAt } from '#arena/arena';
import { PAGE, PAGE_LOCKED, PAGE_REFERENCES_MASK, PAGE_STATE } from '#arena/layout/page';
import { load, peek, wake } from '#arena/word';
import { COUNTER, count } from '#trace/counters';
import { countRace } from '#trace/race';
import { RACE } from '#trace/vocabulary';
import type { Mm } from './mm.ts';
import { allocPage, freePage, freeUnusedPage, gatherPage } from './page-alloc.ts';
import { flipAndWake, tryPageState } from './page-state.ts';
import { lastChanger, ptepGet, ptepGetAndClear, ptepReplace } from './pgtable.ts';
import { pteUnmapUnlock } from './pte-offset-map.ts';
import { walkerMapLock } from './walkers/map-table.ts';

/** Moves the pages of the entries [first, end) of one table. Returns how many have moved. */
export function migratePteRange(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  first: number,
  end: number,
): number {
  let moved = 0;
  for (let index = first; index < end; index++) {
    const orig = unmapToMigrate(cpu, mm, pmdp, slot, index);
    if (orig === GONE) break;
    if (ptePresent(orig) && moveUnmapped(cpu, mm, pmdp, slot, index, orig)) moved++;
  }
  count(cpu, COUNTER.pagesMigrated, moved);
  count(cpu, COUNTER.walkerPages, moved);
  return moved;
}

/** What `unmapToMigrate` returns where there is no table, and where there is nothing to move. */
const GONE = -1 as Pte;
const NOTHING = 0 as Pte;

/** Step 1. Returns the entry that stood there, for a page that is now locked. */
function unmapToMigrate(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, index: number): Pte {
  const ptep = walkerMapLock(cpu, mm, pmdp, slot, index, true);
  if (ptep === 0) return GONE;
  const { ptl, table } = cpu;
  const orig = lockAndUnmap(cpu, table, ptep);
  pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  if (orig !== NOTHING) flushTlbRange(cpu, slot, index, slot, index + 1, false); // @migrate-flush
  return orig;
}

function lockAndUnmap(cpu: Cpu, table: number, ptep: Ptep): Pte {
  const value = ptepGet(cpu, ptep);
  if (!ptePresent(value) || pteZeroPage(value)) return NOTHING;
  const pfn = ptePfn(value);
  const at = pageAt(pfn) + PAGE.state;
  const state = load(cpu, at);
  if ((state & PAGE_LOCKED) !== 0 || !tryPageState(cpu, at, state, state | PAGE_LOCKED))
    return NOTHING;
  const orig = ptepGetAndClear(cpu, ptep);
  ptepReplace(cpu, table, ptep, orig, mkNonPresent(PTE_KIND.migration, pfn));
  return orig;
}

/** Steps 2 to 4. Whether the page has moved. */
function moveUnmapped(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  index: number,
  orig: Pte,
): boolean {
  const from = ptePfn(orig);
  const to = allocPage(cpu, peek(pageAt(from) + PAGE.content));
  const isFrozen = to !== 0 && freeze(cpu, from);
  if (to !== 0 && !isFrozen) freeUnusedPage(cpu, to);
  if (removeMigrationPte(cpu, mm, pmdp, slot, index, orig, isFrozen ? to : from)) {
    if (isFrozen) freeOld(cpu, from);
    return isFrozen;
  }
  // A zap has taken the migration entry, and the page's part in the rss with it.
  if (isFrozen) freeUnusedPage(cpu, to);
  else gatherPage(cpu, from);
  freeOld(cpu, from);
  return false;
}

function freeOld(cpu: Cpu, pfn: number): void {
  freePage(cpu, pfn);
  wake(pageAt(pfn) + PAGE.state);
}

/** Nobody but its mapping holds the old page, and from now on not even that. */
function freeze(cpu: Cpu, pfn: number): boolean {
  const at = pageAt(pfn) + PAGE.state;
  for (;;) {
    const state = load(cpu, at);
    if ((state & PAGE_REFERENCES_MASK) !== 0) return false; // @migrate-references
    const frozen = state ^ (PAGE_STATE.mapped ^ PAGE_STATE.gathered);
    if (tryPageState(cpu, at, state, frozen)) return true;
  }
}

/** Puts page `pfn` where the migration entry for `orig` stands; false: it stands there no more. */
function removeMigrationPte(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  index: number,
  orig: Pte,
  pfn: number,
): boolean {
  const ptep = walkerMapLock(cpu, mm, pmdp, slot, index, true);
  if (ptep === 0) return false;
  const { ptl, table } = cpu;
  const entry = mkNonPresent(PTE_KIND.migration, ptePfn(orig));
  const stands = pteSame(ptepGet(cpu, ptep), entry);
  if (stands) {
    const value = mkPte(pfn, pteWrite(orig), pteDirty(orig));
    ptepReplace(cpu, table, ptep, entry, pteUffdWp(orig) ? pteMkuffdWp(value) : value);
    // The page that has not moved is unlocked before a zap can take it and let it go.
    if (pfn === ptePfn(orig)) flipAndWake(cpu, pageAt(pfn) + PAGE.state, PAGE_LOCKED);
  } else {
    countRace(cpu, RACE.pteChanged, lastChanger(table));
  }
  pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  return stands;
}
