/** What a CPU's TLB and paging-structure cache remember, and what makes them forget. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { pageAt, ptdescAt } from '#arena/arena';
import { Halted } from '#arena/halt';
import {
  PAGE,
  PAGE_GENERATION_SHIFT,
  PAGE_LAZYFREE,
  PAGE_LOCKED,
  PAGE_STATE,
} from '#arena/layout/page';
import { TLB_SETS } from '#arena/layout/percpu';
import { FRAME, frameState, PTDESC } from '#arena/layout/ptdesc';
import { poke } from '#arena/word';
import { property } from '#base/property.suite';
import { TestMachine } from '#tasks/machine.suite';
import type { Cpu } from './cpu.ts';
import { mkPmd, PMD_NONE, type Pmd } from './pmd.ts';
import { mkPte } from './pte.ts';
import {
  pwcFill,
  pwcFlushLocal,
  pwcForget,
  pwcLookup,
  tlbFill,
  tlbFlushLocal,
  tlbFlushLocalRange,
  tlbIndexIn,
  tlbLookup,
  tlbPfnIn,
  tlbSlotIn,
} from './tlb.ts';

let machine: TestMachine;
let cpu: Cpu;
beforeEach(() => {
  machine = new TestMachine();
  cpu = machine.cpu(0);
});

const fill = (slot: number, index: number, pfn: number): void =>
  tlbFill(cpu, slot, index, mkPte(pfn, true, true));
const found = (slot: number, index: number): number => tlbLookup(cpu, slot, index, false);

/** Puts page `pfn` into a state, in its life number `life`. */
function setPage(pfn: number, state: number, life = 0): void {
  poke(pageAt(pfn) + PAGE.state, (life << PAGE_GENERATION_SHIFT) | state);
}

describe('a translation', () => {
  test('is found where it was put, by the CPU that put it', () => {
    expect(found(8, 3)).toBe(0);
    fill(8, 3, 20);
    expect(found(8, 3)).toBe(20);
    expect([found(8, 2), found(9, 3), found(16, 3)]).toEqual([0, 0, 0]);
    expect(tlbLookup(machine.cpu(1), 8, 3, false)).toBe(0);
  });

  test.each([
    [false, false, 0],
    [true, false, 0],
    [true, true, 20],
  ])('with write %s and dirty %s serves a store as page %i', (write, dirty, pfn) => {
    tlbFill(cpu, 8, 3, mkPte(20, write, dirty));
    expect([found(8, 3), tlbLookup(cpu, 8, 3, true)]).toEqual([20, pfn]);
  });

  test('gives way to another of its set, and to none of its slot or index', () => {
    for (let index = 0; index < 8; index++) fill(8, index, 20 + index);
    for (let index = 0; index < 8; index++) expect(found(8, index)).toBe(20 + index);
    fill(9, 1, 40);
    expect([found(9, 1), found(8, 0), found(8, 1)]).toEqual([40, 0, 21]);
  });

  test('goes with a flush of its page, and no other does', () => {
    for (let index = 0; index < 8; index++) fill(8, index, 20 + index);
    tlbFlushLocalRange(cpu, 8, 3, 8, 5);
    expect(Array.from({ length: 8 }, (_, index) => found(8, index))).toEqual([
      ...[20, 21, 22, 0, 0, 25, 26, 27],
    ]);
  });

  test('of a long range goes with all others, but the pmd entries stay', () => {
    fill(8, 0, 20);
    fill(600, 5, 21);
    pwcFill(cpu, 8, mkPmd(5, 0));
    tlbFlushLocalRange(cpu, 8, 0, 12, 1);
    expect([found(8, 0), found(600, 5)]).toEqual([0, 21]);
    tlbFlushLocalRange(cpu, 20, 0, 24, 2);
    expect(found(600, 5)).toBe(0);
    expect(pwcLookup(cpu, 8)).not.toBe(PMD_NONE);
  });
});

describe('the page of a translation', () => {
  beforeEach(() => {
    setPage(20, PAGE_STATE.mapped, 3);
    fill(8, 3, 20);
  });

  test('may be unmapped and not yet let go, which is counted', () => {
    setPage(20, PAGE_STATE.gathered, 3);
    expect([found(8, 3), machine.counter('tlbStaleAlive')]).toEqual([20, 1]);
    expect(machine.facts()).toEqual([]);
  });

  test('may be on its way out of memory, locked until the flush', () => {
    setPage(20, PAGE_STATE.swapped | PAGE_LOCKED, 3);
    expect([found(8, 3), machine.counter('tlbStaleAlive')]).toEqual([20, 1]);
  });

  test.each([
    ['out of memory', PAGE_STATE.swapped, 3],
    ['free', PAGE_STATE.free, 3],
    ['mapped again', PAGE_STATE.mapped, 4],
    ['gathered again', PAGE_STATE.gathered, 4],
  ])('may not be %s', (_, state, life) => {
    setPage(20, state, life);
    expect(() => found(8, 3)).toThrow(Halted);
    expect(machine.facts()).toEqual(['staleTranslation']);
    const word = (life << PAGE_GENERATION_SHIFT) | state;
    expect(machine.factWords()).toEqual([8, 3, 20, (3 << 12) | PAGE_STATE.mapped, word]);
  });

  test('may change its flags', () => {
    setPage(20, PAGE_STATE.mapped | PAGE_LAZYFREE, 3);
    expect([found(8, 3), machine.counter('tlbStaleAlive'), machine.facts()]).toEqual([20, 0, []]);
  });

  test('is not looked at when the access is not allowed', () => {
    tlbFill(cpu, 8, 3, mkPte(20, false, false));
    setPage(20, PAGE_STATE.free, 3);
    expect(tlbLookup(cpu, 8, 3, true)).toBe(0);
    expect(machine.facts()).toEqual([]);
  });
});

describe('a pmd entry', () => {
  const entry = (table: number): Pmd => mkPmd(table, frameState(FRAME.table, 0, 1));

  test('is found in its slot until another comes to its place', () => {
    pwcFill(cpu, 8, entry(5));
    pwcFill(cpu, 9, entry(6));
    expect([pwcLookup(cpu, 8), pwcLookup(cpu, 9)]).toEqual([entry(5), entry(6)]);
    expect([pwcLookup(cpu, 10), pwcLookup(cpu, 12)]).toEqual([PMD_NONE, PMD_NONE]);
    pwcFill(cpu, 12, entry(7));
    expect([pwcLookup(cpu, 12), pwcLookup(cpu, 8)]).toEqual([entry(7), PMD_NONE]);
  });

  test('goes when its own slot is forgotten, or all are flushed', () => {
    pwcFill(cpu, 8, entry(5));
    pwcForget(cpu, 12);
    expect(pwcLookup(cpu, 8)).toBe(entry(5));
    pwcForget(cpu, 8);
    expect(pwcLookup(cpu, 8)).toBe(PMD_NONE);
    for (const flush of [pwcFlushLocal, tlbFlushLocal]) {
      pwcFill(cpu, 0, entry(5));
      flush(cpu);
      expect(pwcLookup(cpu, 0)).toBe(PMD_NONE);
    }
  });

  test('stays, however stale it is', () => {
    pwcFill(cpu, 8, entry(5));
    poke(ptdescAt(5) + PTDESC.state, frameState(FRAME.free, 0, 9));
    expect(pwcLookup(cpu, 8)).toBe(entry(5));
  });
});

describe('of each set', () => {
  const shape = fc.constantFrom([3, 4], [9, 3]).map(([ptrsShift, levels]) => ({
    ...{ ptrsShift: ptrsShift!, levels: levels! },
  }));

  property([shape, fc.nat(), fc.nat()])('slot, index and page are told', (plan, s, i) => {
    const small = new TestMachine(plan).cpu(0);
    const index = i % (1 << plan.ptrsShift);
    const slot = s % (1 << ((plan.levels - 1) * plan.ptrsShift));
    tlbFill(small, slot, index, mkPte(20, false, false));
    const sets = Array.from({ length: TLB_SETS }, (_, set) => set);
    const taken = sets.filter((set) => tlbPfnIn(small, set) !== 0);
    expect(taken.map((set) => [tlbSlotIn(small, set), tlbIndexIn(small, set)])).toEqual([
      [slot, index],
    ]);
    expect(tlbPfnIn(small, taken[0]!)).toBe(20);
  });
});

/** A fill of one page, or a flush of some pages. */
type Act = { readonly at: number; readonly pages: number };

property([
  fc.array(
    fc.record<Act>({ at: fc.nat(200), pages: fc.constantFrom(0, 0, 0, 0, 1, 2, 9, 33, 34) }),
    { maxLength: 60 },
  ),
])('a lookup finds the latest fill unless a flush or a later fill took it', (acts) => {
  const { cpus } = new TestMachine();
  const tlb = cpus[0]!;
  const filled = new Map<number, number>();
  const setOf = (page: number): number => ((page & 7) ^ (page >> 3)) & 7;
  for (const [i, { at, pages }] of acts.entries()) {
    if (pages === 0) {
      for (const page of filled.keys()) if (setOf(page) === setOf(at)) filled.delete(page);
      filled.set(at, 20 + i);
      tlbFill(tlb, at >> 3, at & 7, mkPte(20 + i, false, false));
    } else {
      const end = at + pages;
      for (const page of [...filled.keys()])
        if (pages > 33 || (page >= at && page < end)) filled.delete(page);
      tlbFlushLocalRange(tlb, at >> 3, at & 7, end >> 3, end & 7);
    }
    for (let page = 0; page <= 200; page++)
      expect(tlbLookup(tlb, page >> 3, page & 7, false)).toBe(filled.get(page) ?? 0);
  }
});
