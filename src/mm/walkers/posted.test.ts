/**
 * What the series of 2022 does as posted when a table is dying, beside what was made of it: swap
 * readahead, fork, the wait for a page on the move, and perf samples.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Pmdp } from '#arch/pmd';
import { mkNonPresent, PTE_KIND, type Pte, ptePfn } from '#arch/pte';
import { tlbFlushLocal } from '#arch/tlb';
import { bodyAt, ptdescAt } from '#arena/arena';
import { PERCPU, TLB_STATE } from '#arena/layout/percpu';
import { PTDESC } from '#arena/layout/ptdesc';
import { peek, poke } from '#arena/word';
import { TestMachine } from '#tasks/machine.suite';
import { MADV, madvise } from '../madvise.ts';
import { configurePagePins } from '../page-state.ts';
import { pmdOffset } from '../pgtable.ts';
import { scheduledAway } from '../scheduled-away.ts';
import { shrinkRange } from '../shrink.ts';
import { WALKER, walkRange } from './walk.ts';

type Reactions = 'fixed' | 'as-posted';

let machine: TestMachine;

/** A VMA over the slots 8 to 15, with tables that count references. */
function begin(walkerReactions: Reactions): void {
  machine = new TestMachine({
    ...{ protocol: 'percpu-refcount', options: { lastPut: 'silent' }, walkerReactions },
  });
  configurePagePins(true);
  machine.mmap(0, 64, 128);
}

const pmdp = (): Pmdp => pmdOffset(machine.cpu(0), machine.mm, 8);
const tableOf = (slot: number): number => machine.tree().ptes.get(slot)!;
const placeOf = (index: number): number => bodyAt(peek(ptdescAt(tableOf(8)) + PTDESC.body)) + index;
const walk = (walker: keyof typeof WALKER): number =>
  walkRange(machine.cpu(1), machine.mm, WALKER[walker], 8, 0, 9, 0);
const advise = (advice: keyof typeof MADV): boolean =>
  madvise(machine.cpu(0), machine.mm, MADV[advice], 8, 0, 9, 0);
const reclaim = (): number => shrinkRange(machine.cpu(0), machine.mm, 8, 0, 9, 0);

/** What CPU 1 finds wrong in `act`, which may halt it. */
function factsOf(act: () => unknown): string[] {
  try {
    act();
  } catch (error) {
    if (machine.facts().length === 0) throw error;
  }
  expect(machine.unplayed()).toEqual([]);
  return machine.facts();
}

/** Plays `act` when CPU 1 reads the pmd entry of slot 8 for the `nth` time. */
function atRead(nth: number, act: () => void): void {
  machine.meanwhile(1, 'read', pmdp(), () => (nth > 1 ? atRead(nth - 1, act) : act()));
}

/** The table of slot 8 is empty, counts no references, and nobody was told. */
function orphan(): void {
  machine.store(0, 64, 1);
  machine.store(0, 65, 2);
  machine.dontneed(2, 65, 66);
  machine.munmap(0, 64, 65);
  machine.mmap(0, 64, 65);
}

test('a CPU that is scheduled away holds up neither grace periods nor flushes', () => {
  begin('fixed');
  const cpu = machine.cpu(1);
  const at = (field: number): number => peek(cpu.block + field);
  let away: unknown;
  machine.meanwhile(1, 'store', cpu.block + PERCPU.tlbState, () => {
    machine.meanwhile(1, 'store', cpu.block + PERCPU.tlbState, () => {
      away = [at(PERCPU.tlbState), at(PERCPU.rcuSeen)];
    });
  });
  scheduledAway(cpu);
  expect(away).toEqual([TLB_STATE.out, 0]);
  expect([at(PERCPU.tlbState), at(PERCPU.rcuSeen) === 0]).toEqual([TLB_STATE.active, false]);
});

describe('swap readahead', () => {
  /** Pages 64, 66 and 67 are swapped out. */
  const swapOut = (walkerReactions: Reactions): void => {
    begin(walkerReactions);
    for (const page of [64, 66, 67]) machine.store(0, page, page);
    expect(reclaim()).toBe(3);
  };

  test.each(['fixed', 'as-posted'] as const)('looks at the entries beside: %s', (reactions) => {
    swapOut(reactions);
    expect([machine.load(1, 66), machine.counter('swapReadahead')]).toEqual([66, 2]);
    expect(machine.facts()).toEqual([]);
  });

  // Entry 65 is the second that it reads, of which the page 64 was read in.
  test.each([
    ['fixed', []],
    ['as-posted', ['frameMismatch']],
  ] as const)('whose table goes while a page is read in: %s', (reactions, facts) => {
    swapOut(reactions);
    machine.meanwhile(1, 'store', machine.cpu(1).block + PERCPU.tlbState, () => {
      machine.dontneed(0, 64, 72);
      machine.settle();
    });
    expect(factsOf(() => machine.load(1, 66))).toEqual(facts);
  });

  // Read by the walk, by the fault, and by readahead.
  test('as posted follows a pmd entry that is none by then', () => {
    swapOut('as-posted');
    atRead(3, () => machine.dontneed(0, 64, 72));
    expect(factsOf(() => machine.load(1, 66))).toEqual(['tableZero']);
  });
});

// Read by the walk of tables, and by the lookup.
test.each([
  ['fixed', []],
  ['as-posted', ['tableZero']],
] as const)('fork of a table that page reclaim frees: %s', (reactions, facts) => {
  begin(reactions);
  machine.store(0, 64, 1);
  advise('free');
  atRead(2, () => expect(reclaim()).toBe(1));
  expect(factsOf(() => walk('fork'))).toEqual(facts);
});

describe('the wait for a page on the move', () => {
  beforeEach(() => begin('as-posted'));

  /** Page 64 is on the move; nobody moves it. */
  const move = (): void => {
    machine.store(0, 64, 1);
    const entry = mkNonPresent(PTE_KIND.migration, ptePfn(machine.pte(64) as Pte));
    poke(placeOf(0), entry);
    for (const cpu of machine.cpus) tlbFlushLocal(cpu);
  };

  test('takes the lock of a table that is free by then', () => {
    move();
    const old = tableOf(8);
    machine.meanwhile(1, 'store', machine.cpu(1).block + PERCPU.tlbState, () => {
      machine.dontneed(0, 64, 72);
      machine.store(0, 65, 2);
      expect(tableOf(8)).not.toBe(old);
      machine.settle();
    });
    expect(factsOf(() => machine.load(1, 64))).toEqual(['frameMismatch']);
    expect(machine.factWords(1)[0]).toBe(old);
  });

  // Read by the walk, by the fault, and for the lock.
  test('takes that of no table at all', () => {
    move();
    atRead(3, () => {
      machine.dontneed(0, 64, 72);
      machine.meanwhile(1, 'store', machine.cpu(1).block + PERCPU.tlbState, () =>
        machine.store(0, 65, 2),
      );
    });
    expect(factsOf(() => machine.load(1, 64))).toEqual(['tableZero']);
  });
});

describe('a perf sample', () => {
  test.each(['fixed', 'as-posted'] as const)('finds what is mapped: %s', (reactions) => {
    begin(reactions);
    for (const page of [64, 65, 71, 80]) machine.store(0, page, page);
    const tables = machine.inUse('tables');
    expect([walk('perf'), machine.counter('walkerPages')]).toEqual([3, 3]);
    expect([machine.inUse('tables'), machine.facts()]).toEqual([tables, []]);
  });

  test('reads with interrupts off', () => {
    begin('fixed');
    machine.store(0, 64, 1);
    let irqsOff = 0;
    machine.meanwhile(1, 'read', placeOf(0), () => {
      ({ irqsOff } = machine.cpu(1));
    });
    walk('perf');
    expect([irqsOff, machine.cpu(1).irqsOff]).toEqual([1, 0]);
  });

  test('leaves a table alone that counts no references', () => {
    begin('fixed');
    orphan();
    const table = tableOf(8);
    expect([walk('perf'), tableOf(8), machine.facts()]).toEqual([0, table, []]);
  });

  test('as posted frees it, with interrupts off', () => {
    begin('as-posted');
    orphan();
    expect(factsOf(() => walk('perf'))).toEqual(['waitIrqsOff']);
  });
});
