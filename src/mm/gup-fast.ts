/**
 * GUP, the fast way (Linux's mm/gup.c): with interrupts off and no lock at all. Interrupts off keep
 * tables: whoever frees one waits for a grace period, or for all CPUs to answer an interrupt.
 *
 *     read the pmd entry; map from the copy; read the PTE
 *     take a reference to its page, unless that is out of use
 *     is the pmd entry the same, and the PTE? else give the reference back, and go the slow way
 *
 * The reference alone proves nothing: the page may have been unmapped, or be another's, by the time
 * it was taken. That the entry still names it, after that, does.
 */
import type { Cpu } from '#arch/cpu';
import { localIrqDisable, localIrqEnable } from '#arch/interrupts';
import { type Pmdp, pmdMatchesFrame, pmdSame, pmdTable, pmdTablePresent } from '#arch/pmd';
import { type Ptep, ptePfn, pteSame, pteWrite } from '#arch/pte';
import { bodyAt, ptdescAt, ptrsMask } from '#arena/arena';
import { PAGE_STATE, PAGE_STATE_MASK } from '#arena/layout/page';
import { PTDESC } from '#arena/layout/ptdesc';
import { peek } from '#arena/word';
import { rcuQuiescent, rcuReadLock, rcuReadUnlock } from '#sync/rcu';
import { COUNTER, count } from '#trace/counters';
import { FACT, noteFact } from '#trace/fact';
import { countRace } from '#trace/race';
import { RACE } from '#trace/vocabulary';
import { gupSlow, holdPage, holdsMany, putHeldPages } from './gup.ts';
import type { Mm } from './mm.ts';
import { pageLife, putFolio, tryGetFolio } from './page-ref.ts';
import { checkFrame, lastChanger, lastPmdChanger, pmdOffset, pmdpGet, ptepGet } from './pgtable.ts';
import { isBefore } from './vma.ts';

/** The ways to a page, the fast one tried first (FOLL_FAST_ONLY: that one alone). */
export const GUP = { fast: 1, slow: 2 } as const;

/**
 * References the pages of [start, end), a few at a time, by `ways` (bits of `GUP`). Returns how
 * many.
 */
export function getUserPages(
  cpu: Cpu,
  mm: Mm,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
  ways: number,
): number {
  let pages = 0;
  let slot = startSlot;
  let index = startIndex;
  while (isBefore(slot, index, endSlot, endIndex)) {
    if (gupPage(cpu, mm, slot, index, ways)) pages++;
    index = (index + 1) & ptrsMask();
    if (index === 0) slot++;
    if (holdsMany(cpu)) putHeldPages(cpu);
    rcuQuiescent(cpu);
  }
  putHeldPages(cpu);
  count(cpu, COUNTER.walkerPages, pages);
  return pages;
}

function gupPage(cpu: Cpu, mm: Mm, slot: number, index: number, ways: number): boolean {
  if ((ways & GUP.fast) !== 0 && gupFast(cpu, mm, slot, index)) return true;
  return (ways & GUP.slow) !== 0 && gupSlow(cpu, mm, slot, index);
}

/** References the page at (slot, index) if it is there to be written to, without waiting. */
function gupFast(cpu: Cpu, mm: Mm, slot: number, index: number): boolean {
  localIrqDisable(cpu);
  rcuReadLock(cpu);
  const pmdp = pmdOffset(cpu, mm, slot);
  const isPinned = pmdp !== 0 && gupFastPteRange(cpu, pmdp, index);
  rcuReadUnlock(cpu);
  localIrqEnable(cpu);
  if (isPinned) count(cpu, COUNTER.gupFastPages, 1);
  return isPinned;
}

function gupFastPteRange(cpu: Cpu, pmdp: Pmdp, index: number): boolean {
  const pmdval = pmdpGet(cpu, pmdp);
  if (!pmdTablePresent(pmdval)) return false;
  const at = ptdescAt(pmdTable(pmdval));
  const ptep = (bodyAt(peek(at + PTDESC.body)) + index) as Ptep;
  const pte = ptepGet(cpu, ptep);
  if (!pmdMatchesFrame(pmdval, peek(at + PTDESC.state)) && checkFrame(cpu, pmdval, 0))
    countRace(cpu, RACE.staleWalk, lastChanger(pmdTable(pmdval)));
  if (!pteWrite(pte)) return false;
  const pfn = ptePfn(pte);
  const life = pageLife(pfn);
  const state = tryGetFolio(cpu, pfn);
  if (state === 0) {
    countRace(cpu, RACE.trygetFailed, lastChanger(pmdTable(pmdval)));
    return false;
  }
  const samePmd = pmdSame(pmdval, pmdpGet(cpu, pmdp)); // @gup-recheck-pmd
  const samePte = samePmd && pteSame(pte, ptepGet(cpu, ptep)); // @gup-recheck-pte
  if (samePmd && samePte) {
    // It was mapped before and is now, so it was when the reference was taken.
    if ((state & PAGE_STATE_MASK) !== PAGE_STATE.mapped)
      noteFact(cpu, FACT.pageMismatch, pfn, state, PAGE_STATE.mapped, 0, 0);
    holdPage(cpu, pfn, life);
    return true;
  }
  if (samePmd) countRace(cpu, RACE.pteChanged, lastChanger(pmdTable(pmdval)));
  else countRace(cpu, RACE.pmdChanged, lastPmdChanger(pmdp));
  putFolio(cpu, pfn);
  return false;
}
