/**
 * A perf sample: with interrupts off and no lock at all, finds how an address is mapped (after
 * `perf_get_pgtable_size`). As for GUP-fast, interrupts off keep the table.
 *
 * As posted it takes a reference, and has the lookup read a copy of the pmd entry on its stack. A
 * lookup that finds the table dying frees it: by the copy, so that the pmd entry goes on pointing
 * to what has been freed (S-22), and with interrupts off, although that flushes (S-24).
 */
import type { Cpu } from '#arch/cpu';
import { localIrqDisable, localIrqEnable } from '#arch/interrupts';
import { PMD_NONE, type Pmdp, pmdMatchesFrame, pmdTable, pmdTablePresent } from '#arch/pmd';
import { PTE_NONE, type Pte, type Ptep, ptePresent } from '#arch/pte';
import { bodyAt, ptdescAt, ptrsMask } from '#arena/arena';
import { PTDESC } from '#arena/layout/ptdesc';
import { peek, write } from '#arena/word';
import { rcuQuiescent, rcuReadLock, rcuReadUnlock } from '#sync/rcu';
import { COUNTER, count } from '#trace/counters';
import { countRace } from '#trace/race';
import { RACE } from '#trace/vocabulary';
import type { Mm } from '../mm.ts';
import { checkFrame, lastChanger, pmdOffset, pmdpGet, ptepGet } from '../pgtable.ts';
import { pteOffsetMap, pteUnmap } from '../pte-offset-map.ts';
import { allocTable, freeTable } from '../table-alloc.ts';
import { isBefore } from '../vma.ts';
import { reactsAsPosted } from './reactions.ts';

/** Samples every page of [start, end). Returns how many are mapped. */
export function perfSampleRange(
  cpu: Cpu,
  mm: Mm,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): number {
  let pages = 0;
  let slot = startSlot;
  let index = startIndex;
  while (isBefore(slot, index, endSlot, endIndex)) {
    if (ptePresent(perfSample(cpu, mm, slot, index))) pages++;
    index = (index + 1) & ptrsMask();
    if (index === 0) slot++;
    rcuQuiescent(cpu);
  }
  count(cpu, COUNTER.walkerPages, pages);
  return pages;
}

/** The entry of one address, or none. */
function perfSample(cpu: Cpu, mm: Mm, slot: number, index: number): Pte {
  if (reactsAsPosted()) return samplePosted(cpu, mm, slot, index);
  return sampleIrqsOff(cpu, mm, slot, index); // @perf-sample
}

function sampleIrqsOff(cpu: Cpu, mm: Mm, slot: number, index: number): Pte {
  localIrqDisable(cpu);
  rcuReadLock(cpu);
  const pmdp = pmdOffset(cpu, mm, slot);
  const pmdval = pmdp === 0 ? PMD_NONE : pmdpGet(cpu, pmdp);
  let value = PTE_NONE;
  if (pmdTablePresent(pmdval)) {
    const at = ptdescAt(pmdTable(pmdval));
    value = ptepGet(cpu, (bodyAt(peek(at + PTDESC.body)) + index) as Ptep);
    if (!pmdMatchesFrame(pmdval, peek(at + PTDESC.state)) && checkFrame(cpu, pmdval, 0))
      countRace(cpu, RACE.staleWalk, lastChanger(pmdTable(pmdval)));
  }
  rcuReadUnlock(cpu);
  localIrqEnable(cpu);
  return value;
}

function samplePosted(cpu: Cpu, mm: Mm, slot: number, index: number): Pte {
  const stack = allocTable(cpu, 1);
  if (stack === 0) return PTE_NONE;
  localIrqDisable(cpu);
  const value = sampleByCopy(cpu, mm, stack, slot, index);
  localIrqEnable(cpu);
  freeTable(cpu, stack);
  return value;
}

/** The frame `stack` stands for the page of the stack; its lock is taken for that of the copy. */
function sampleByCopy(cpu: Cpu, mm: Mm, stack: number, slot: number, index: number): Pte {
  const copyp = bodyAt(peek(ptdescAt(stack) + PTDESC.body)) as Pmdp;
  let value = PTE_NONE;
  for (;;) {
    const pmdp = pmdOffset(cpu, mm, slot);
    const pmdval = pmdp === 0 ? PMD_NONE : pmdpGet(cpu, pmdp);
    if (!pmdTablePresent(pmdval)) break;
    write(cpu, copyp, pmdval);
    const ptep = pteOffsetMap(cpu, mm, copyp, slot, index);
    if (ptep === 0) continue;
    value = ptepGet(cpu, ptep);
    pteUnmap(cpu, mm, copyp, slot, cpu.pmdval);
    break;
  }
  write(cpu, copyp, PMD_NONE);
  return value;
}
