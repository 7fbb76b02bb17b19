/** The gather: its range, its room, and that nothing is let go before the flush. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Cpu } from '#arch/cpu';
import { enterLazyTlb } from '#arch/interrupts';
import { mkPmd } from '#arch/pmd';
import { pwcFill, pwcLookup, tlbLookup } from '#arch/tlb';
import { pageAt } from '#arena/arena';
import { MM } from '#arena/layout/mm';
import { PAGE, PAGE_STATE, PAGE_STATE_MASK } from '#arena/layout/page';
import { FLUSH_RECORD, PERCPU } from '#arena/layout/percpu';
import { peek } from '#arena/word';
import { property } from '#base/property.suite';
import { rcuReadLock, rcuReadUnlock } from '#sync/rcu';
import { TestMachine } from '#tasks/machine.suite';
import { configureChoices } from './choices.ts';
import {
  configureGather,
  TABLE_FREE,
  tlbAdjustRange,
  tlbFinishMmu,
  tlbFlushMmu,
  tlbFlushMmuTlbonly,
  tlbGatherMmu,
  tlbRoom,
} from './mmu-gather.ts';
import { unmapPageRange } from './zap.ts';

let machine: TestMachine;
let cpu: Cpu;
let other: Cpu;
beforeEach(() => {
  machine = new TestMachine();
  cpu = machine.cpu(0);
  other = machine.cpu(1);
  machine.mmap(0, 64, 128);
});
afterEach(() => configureChoices(0, 0));

const stateOf = (pfn: number): number => peek(pageAt(pfn) + PAGE.state) & PAGE_STATE_MASK;
const flushPending = (): number => peek(machine.mm.at + MM.tlbFlushPending);
const pfnOf = (page: number): number => machine.pte(page) >>> 4;

/** Of the latest flush by `who`: [start slot, index, end slot, index, freed tables]. */
function recordOf(who: Cpu): number[] {
  const at = who.block + PERCPU.flush + FLUSH_RECORD.startSlot;
  return Array.from({ length: 5 }, (_, i) => peek(at + i));
}

/** Zaps pages [start, end) in the gather that `who` has open. */
function zap(who: Cpu, start: number, end: number): void {
  unmapPageRange(who, machine.mm, start >> 3, start & 7, end >> 3, end & 7, 0);
}

const piece = fc
  .record({ slot: fc.nat(40), start: fc.nat(7), more: fc.nat(7) })
  .map(({ slot, start, more }) => [slot, start, Math.min(8, start + 1 + more)] as const);

property([fc.array(piece, { minLength: 1, maxLength: 8 })])(
  'the flush covers from the first entry gathered to the last',
  (pieces) => {
    const tested = new TestMachine();
    const tlb = tested.cpu(0);
    tlbGatherMmu(tlb, tested.mm);
    for (const [slot, start, end] of pieces) tlbAdjustRange(tlb, slot, start, end);
    tlbFinishMmu(tlb, tested.mm);
    const at = tlb.block + PERCPU.flush + FLUSH_RECORD.startSlot;
    const [startSlot, startIndex, endSlot, endIndex] = [0, 1, 2, 3].map((i) => peek(at + i));
    expect(startSlot! * 8 + startIndex!).toBe(Math.min(...pieces.map(([s, from]) => s * 8 + from)));
    expect(endSlot! * 8 + endIndex!).toBe(Math.max(...pieces.map(([s, , end]) => s * 8 + end)));
  },
);

describe('a gather', () => {
  test('that found nothing flushes nothing', () => {
    machine.dontneed(0, 64, 128);
    expect([machine.counter('tlbFlushes'), flushPending()]).toEqual([0, 0]);
  });

  test('is one per CPU at a time', () => {
    tlbGatherMmu(cpu, machine.mm);
    expect(() => tlbGatherMmu(cpu, machine.mm)).toThrow('one gather per CPU');
    tlbGatherMmu(other, machine.mm);
    expect(flushPending()).toBe(2);
  });

  test('holds pages until they are flushed, and then lets them go', () => {
    machine.store(0, 65, 5);
    const pfn = pfnOf(65);
    const seen: number[] = [];
    machine.meanwhile(0, 'compareExchange', machine.mm.at + MM.tlbGen, () =>
      seen.push(stateOf(pfn)),
    );
    machine.meanwhile(0, 'wait', other.block + PERCPU.ipiServed, () => seen.push(stateOf(pfn)));
    machine.dontneed(0, 64, 72);
    expect(seen).toEqual([PAGE_STATE.gathered, PAGE_STATE.gathered]);
    expect([stateOf(pfn), recordOf(cpu)]).toEqual([PAGE_STATE.free, [8, 0, 8, 8, 0]]);
  });

  test('that is flushed early keeps its pages, and does not flush them again', () => {
    machine.store(0, 65, 5);
    const pfn = pfnOf(65);
    tlbGatherMmu(cpu, machine.mm);
    zap(cpu, 64, 72);
    tlbFlushMmuTlbonly(cpu);
    expect([stateOf(pfn), machine.counter('tlbFlushes')]).toEqual([PAGE_STATE.gathered, 1]);
    tlbFinishMmu(cpu, machine.mm);
    expect([stateOf(pfn), machine.counter('tlbFlushes')]).toEqual([PAGE_STATE.free, 1]);
  });

  test('that is full lets go in the middle of a zap', () => {
    const small = new TestMachine({ gatherPages: 3 });
    small.mmap(0, 64, 72);
    for (let page = 64; page < 72; page++) small.store(0, page, page);
    small.dontneed(0, 64, 72);
    expect([small.counter('tlbFlushes'), small.counter('gatherFull')]).toEqual([3, 2]);
    expect([small.inUse('pages'), tlbRoom(small.cpu(0))]).toEqual([0, 3]);
  });
});

describe('tables in a gather', () => {
  /** Two tables, one of them empty; munmap takes both. */
  beforeEach(() => {
    machine.store(0, 64, 5);
    machine.store(0, 72, 5);
    machine.dontneed(0, 72, 80);
    enterLazyTlb(other);
  });

  test('go to RCU after a flush that says so, and reaches lazy CPUs', () => {
    const tables = machine.inUse('tables');
    pwcFill(other, 8, mkPmd(5, 0));
    machine.munmap(0, 64, 128);
    // The topmost table that went mapped slots 0 to 63.
    expect([recordOf(cpu), pwcLookup(other, 8)]).toEqual([[0, 0, 63, 8, 1], 0]);
    expect(machine.inUse('tables')).toBe(tables);
    machine.settle();
    expect(machine.tree().ptes.size).toBe(0);
    expect(machine.facts()).toEqual([]);
  });

  test.each([
    [1, 4],
    [2, 2],
    [500, 1],
  ])('fit %i at a time, which makes %i flushes', (tables, flushes) => {
    configureGather(tables, TABLE_FREE.rcu);
    const before = machine.counter('tlbFlushes');
    machine.munmap(0, 64, 128);
    // Two PTE tables, and the two tables above them.
    expect(machine.counter('tlbFlushes') - before).toBe(flushes);
    machine.exit();
    expect([machine.inUse('tables'), machine.facts()]).toEqual([0, []]);
  });

  /** Tables in use during an unmap without memory for a batch, after it, and in the end. */
  function unmapWithout(alone: number): number[] {
    configureGather(500, alone);
    configureChoices(0, 1_000_000);
    machine.munmap(0, 64, 128);
    const after = machine.inUse('tables');
    machine.settle();
    return [after, machine.inUse('tables')];
  }

  test('without memory for a batch go to RCU one by one', () => {
    const tables = machine.inUse('tables');
    expect(unmapWithout(TABLE_FREE.rcu)).toEqual([tables, tables - 4]);
    expect(machine.counter('allocFailed')).toBe(4);
  });

  test('without memory for a batch are freed after a grace period', () => {
    const tables = machine.inUse('tables');
    const graces = machine.counter('rcuGracePeriods');
    expect(unmapWithout(TABLE_FREE.sync)).toEqual([tables - 4, tables - 4]);
    expect(machine.counter('rcuGracePeriods')).toBeGreaterThan(graces);
  });

  test('without memory for a batch are freed after one more interrupt each, or at once', () => {
    // A reader with interrupts on holds up neither, though it may be inside a table.
    rcuReadLock(machine.cpu(2));
    const interrupts: number[] = [];
    for (const alone of [TABLE_FREE.ipi, TABLE_FREE.now]) {
      machine.mmap(0, 64, 128);
      machine.store(0, 64, 5);
      const tables = machine.inUse('tables');
      const before = peek(other.block + PERCPU.ipiWanted);
      configureGather(500, alone);
      configureChoices(0, 1_000_000);
      machine.munmap(0, 64, 128);
      configureChoices(0, 0);
      expect(machine.inUse('tables')).toBe(tables - 3);
      interrupts.push(peek(other.block + PERCPU.ipiWanted) - before);
    }
    expect(interrupts[0]! - interrupts[1]!).toBe(3);
    rcuReadUnlock(machine.cpu(2));
  });
});

describe('two gathers at a time', () => {
  beforeEach(() => {
    machine.store(0, 65, 5);
    tlbGatherMmu(other, machine.mm);
    zap(other, 64, 72);
  });

  test('the one that finds nothing flushes what the other has cleared', () => {
    expect(machine.load(0, 65)).toBe(5);
    machine.dontneed(0, 64, 72);
    expect(machine.counter('tlbNestedFlushes')).toBe(1);
    expect(tlbLookup(cpu, 8, 1, false)).toBe(0);
    expect([machine.load(0, 65), machine.facts()]).toEqual([0, []]);
    expect(recordOf(cpu)).toEqual([0, 0, 512, 0, 1]);
  });

  test('pages go with the gather that has them', () => {
    machine.dontneed(0, 64, 72);
    const held = peek(other.block + machine.map.gatheredPages);
    expect(stateOf(held)).toBe(PAGE_STATE.gathered);
    tlbFlushMmu(other);
    expect(stateOf(held)).toBe(PAGE_STATE.free);
    tlbFinishMmu(other, machine.mm);
    expect(flushPending()).toBe(0);
    // The second to end was alone by then.
    expect(machine.counter('tlbNestedFlushes')).toBe(1);
  });
});
