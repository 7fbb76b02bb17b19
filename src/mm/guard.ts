/**
 * Guard regions (MADV_GUARD_INSTALL and _REMOVE): a marker in every entry of a range, so that each
 * access is a segmentation fault. Installing allocates tables, like a fault; it only fills entries
 * that are none, and zaps what it finds in the others before it tries again.
 */
import type { Cpu } from '#arch/cpu';
import { type Pmdp, pmdNone } from '#arch/pmd';
import { MARKER, mkNonPresent, PTE_KIND, type Ptep, pteNone } from '#arch/pte';
import { bodyAt, ptdescAt, ptrsMask } from '#arena/arena';
import { PTDESC } from '#arena/layout/ptdesc';
import { peek } from '#arena/word';
import { rcuQuiescent } from '#sync/rcu';
import { countRace } from '#trace/race';
import { RACE } from '#trace/vocabulary';
import type { Mm } from './mm.ts';
import { lastPmdChanger, noteCleared, pmdpGet, pteClear, ptepGet, setPteAt } from './pgtable.ts';
import { pmdAlloc, pteAlloc, pteAllocPut } from './pte-alloc.ts';
import { pteOffsetMapLock, pteUnmapUnlock } from './pte-offset-map.ts';
import { boundProtocol, HOOK, hasHook } from './reclaim-protocol.ts';
import { checkOutOfMemory, timesMemoryShort } from './truthful.ts';
import { zapPageRangeSingle } from './zap-vma.ts';

const GUARD = mkNonPresent(PTE_KIND.marker, MARKER.guard);

/** Outcomes of one try to fill a table. */
const FILL = { done: 0, occupied: 1, again: 2, oom: 3 } as const;

/** Guards [start, end), which lies in VMA `vma`. False: out of memory, part of it is guarded. */
export function guardInstallRange(
  cpu: Cpu,
  mm: Mm,
  vma: number,
  startSlot: number,
  startIndex: number,
  endSlot: number,
  endIndex: number,
): boolean {
  const lastSlot = endIndex === 0 ? endSlot - 1 : endSlot;
  for (let slot = startSlot; slot <= lastSlot; slot++) {
    const first = slot === startSlot ? startIndex : 0;
    const end = slot === endSlot ? endIndex : ptrsMask() + 1;
    if (!guardInstallSlot(cpu, mm, vma, slot, first, end)) return false;
  }
  return true;
}

function guardInstallSlot(
  cpu: Cpu,
  mm: Mm,
  vma: number,
  slot: number,
  first: number,
  end: number,
): boolean {
  for (;;) {
    const timesShort = timesMemoryShort(cpu);
    if (hasHook(HOOK.walks)) boundProtocol().walkBegin(cpu, mm, slot);
    const pmdp = pmdAlloc(cpu, mm, slot);
    const outcome = pmdp === 0 ? FILL.oom : fillTable(cpu, mm, pmdp, slot, first, end);
    pteAllocPut(cpu, mm, pmdp, slot);
    if (hasHook(HOOK.walks)) boundProtocol().walkEnd(cpu, mm, slot);
    if (outcome === FILL.occupied) zapPageRangeSingle(cpu, mm, vma, slot, first, slot, end, false);
    rcuQuiescent(cpu);
    if (outcome === FILL.done) return true;
    if (outcome === FILL.oom) {
      checkOutOfMemory(cpu, timesShort, slot, first);
      return false;
    }
  }
}

function fillTable(cpu: Cpu, mm: Mm, pmdp: Pmdp, slot: number, first: number, end: number): number {
  if (pmdNone(pmdpGet(cpu, pmdp)) && !pteAlloc(cpu, mm, pmdp, slot)) return FILL.oom;
  if (pteOffsetMapLock(cpu, mm, pmdp, slot, first) === 0) {
    countRace(cpu, RACE.pmdGone, lastPmdChanger(pmdp));
    return FILL.again;
  }
  const { ptl, table } = cpu;
  let outcome: number = FILL.done;
  for (let index = first; index < end && outcome === FILL.done; index++) {
    const body = peek(ptdescAt(table) + PTDESC.body);
    const value = ptepGet(cpu, (bodyAt(body) + index) as Ptep);
    if (value === GUARD) continue;
    if (!pteNone(value)) outcome = FILL.occupied;
    else if (!setPteAt(cpu, table, index, GUARD)) outcome = FILL.oom;
  }
  pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
  return outcome;
}

/** Takes the guards from the entries [first, end) of one table. */
export function guardRemovePteRange(
  cpu: Cpu,
  mm: Mm,
  pmdp: Pmdp,
  slot: number,
  first: number,
  end: number,
): void {
  const ptep = pteOffsetMapLock(cpu, mm, pmdp, slot, first);
  if (ptep === 0) return;
  const { ptl, table } = cpu;
  let removed = 0;
  for (let i = 0; i < end - first; i++) {
    const at = (ptep + i) as Ptep;
    if (ptepGet(cpu, at) !== GUARD) continue;
    pteClear(cpu, at);
    removed++;
  }
  if (removed !== 0) noteCleared(cpu, table, removed, 0);
  pteUnmapUnlock(cpu, mm, pmdp, slot, table, ptl);
}
