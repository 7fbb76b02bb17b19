/** What is peculiar to the atomic reference count: who holds references, and the last put. */
import { beforeEach, describe, expect, test } from 'vitest';
import { ptdescAt } from '#arena/arena';
import { PERCPU } from '#arena/layout/percpu';
import { PTDESC } from '#arena/layout/ptdesc';
import { peek } from '#arena/word';
import { MADV, madvise } from '#mm/madvise';
import { pmdLockptr, pmdOffset } from '#mm/pgtable';
import { pteOffsetMap, pteUnmap } from '#mm/pte-offset-map';
import { rcuDrain } from '#mm/rcu-free';
import { boundProtocol } from '#mm/reclaim-protocol';
import { shrinkRange } from '#mm/shrink';
import { WALKER, walkRange } from '#mm/walkers/walk';
import type { Plan } from '#scenario/plan';
import { rcuReadUnlock } from '#sync/rcu';
import { TestMachine } from '#tasks/machine.suite';

let machine: TestMachine;

function boot(plan: ConstructorParameters<typeof TestMachine>[0] = {}, geometry = {}): void {
  machine = new TestMachine({ protocol: 'atomic-refcount', ...plan }, geometry);
  machine.mmap(0, 64, 128);
}

const slots = (): number[] => [...machine.tree().ptes.keys()];
const tableOf = (slot: number): number => machine.tree().ptes.get(slot)!;
const references = (slot: number): number => peek(machine.map.tableWords + tableOf(slot));
const pmdpOf = (slot: number) => pmdOffset(machine.cpu(0), machine.mm, slot);
const pmlOf = (slot: number): number => pmdLockptr(machine.mm, pmdpOf(slot));
const ptlOf = (slot: number): number => ptdescAt(tableOf(slot)) + PTDESC.ptl;

beforeEach(() => boot());

test('each entry is a reference, of whatever kind it is', () => {
  for (const page of [64, 65]) machine.store(0, page, 1);
  machine.load(1, 66);
  expect(references(8)).toBe(3);
  machine.store(1, 66, 2);
  expect(references(8)).toBe(3);
  machine.dontneed(2, 65, 80);
  expect(references(8)).toBe(1);
});

test('a zap costs two atomic operations, however many entries it clears', () => {
  for (let page = 64; page < 72; page++) machine.store(0, page, 1);
  const before = machine.counter('refAtomics');
  machine.dontneed(1, 65, 72);
  expect([references(8), machine.counter('refAtomics') - before]).toEqual([1, 2]);
});

describe('a table goes with its last entry', () => {
  test('to whatever part of it the request was for', () => {
    machine.store(0, 66, 1);
    machine.dontneed(1, 66, 67);
    expect([slots(), machine.nrPtes(), machine.counter('tablesReclaimed')]).toEqual([[], 0, 1]);
  });

  test('in an munmap that leaves part of it mapped', () => {
    machine.store(0, 66, 1);
    machine.munmap(1, 66, 70);
    expect([slots(), machine.nrPtes()]).toEqual([[], 0]);
  });

  test('and not while a walker is inside', () => {
    machine.store(0, 66, 1);
    const walker = machine.cpu(2);
    expect(pteOffsetMap(walker, machine.mm, pmdpOf(8), 8, 0)).not.toBe(0);
    const { pmdval } = walker;
    machine.dontneed(1, 66, 67);
    expect([slots(), references(8)]).toEqual([[8], 1]);
    pteUnmap(walker, machine.mm, pmdpOf(8), 8, pmdval);
    expect([slots(), machine.nrPtes()]).toEqual([[], 0]);
  });
});

test('with its last reference gone a table is as good as none', () => {
  machine.store(0, 66, 1);
  const pmdp = pmdpOf(8);
  machine.beforeLock(1, pmlOf(8), () => {
    expect(references(8)).toBe(0);
    expect(pteOffsetMap(machine.cpu(2), machine.mm, pmdp, 8, 0)).toBe(0);
  });
  machine.dontneed(1, 64, 72);
  expect([machine.unplayed(), slots()]).toEqual([[], []]);
  expect(machine.races()).toEqual({ 'trygetFailed: access <- fault': 1 });
});

// K-37: whoever has returned the last reference may not run again for long.
describe('whoever finds a table dying', () => {
  const found = (options: Plan['options'], act: () => void): number[] => {
    boot({ options });
    machine.store(0, 66, 1);
    let left: number[] = [];
    machine.beforeLock(1, pmlOf(8), () => {
      act();
      left = slots();
    });
    machine.dontneed(1, 64, 72);
    expect([machine.unplayed(), machine.facts(), machine.nrPtes()]).toEqual([
      [],
      [],
      slots().length,
    ]);
    return left;
  };
  const look = (): void => {
    pteOffsetMap(machine.cpu(2), machine.mm, pmdpOf(8), 8, 0);
  };

  test.each([
    [{}, []],
    [{ dying: 'spin' }, [8]],
    [{ variant: 'as-posted' }, [8]],
  ])('with %o', (options, left) => {
    expect(found(options, look)).toEqual(left);
    expect(slots()).toEqual([]);
  });

  test('unhooks it, and goes on with a table of its own', () => {
    expect(found({}, () => machine.store(2, 65, 7))).toEqual([8]);
    expect([slots(), machine.load(2, 65)]).toEqual([[8], 7]);
  });
});

describe('the allocating caller', () => {
  // There is a PMD table already.
  beforeEach(() => machine.store(0, 72, 1));

  test('has a reference until its fault is over', () => {
    const seen: number[] = [];
    machine.meanwhile(1, 'store', pmlOf(8), () => {
      seen.push(references(8));
      machine.meanwhile(1, 'add', machine.map.tableWords + tableOf(8), () =>
        seen.push(references(8)),
      );
    });
    machine.store(1, 66, 1);
    // When it published the table, and, with its lookup, before it counted the entry.
    expect([seen, references(8)]).toEqual([[1, 2], 1]);
  });

  test('of a table that somebody else has put there has one to that', () => {
    machine.beforeLock(1, pmlOf(8), () => machine.store(2, 65, 2));
    machine.store(1, 66, 1);
    expect([machine.races()['tableLost: fault <- fault'], references(8)]).toEqual([1, 2]);
  });

  test('that finds no page takes the table with it', () => {
    boot({}, { pages: 3 });
    machine.store(0, 64, 1);
    expect([machine.store(0, 72, 1), slots(), machine.nrPtes()]).toEqual([-2, [8], 1]);
  });
});

describe('the last put', () => {
  const flushed = (cpu: number): number => peek(machine.cpu(cpu).block + PERCPU.flush);

  test('of a zap leaves flush and table to the gather', () => {
    machine.store(0, 66, 1);
    const before = machine.counter('tlbFlushes');
    machine.dontneed(1, 64, 72);
    expect(machine.counter('tlbFlushes') - before).toBe(1);
  });

  test('of a walker flushes by itself', () => {
    machine.store(0, 66, 1);
    const walker = machine.cpu(2);
    pteOffsetMap(walker, machine.mm, pmdpOf(8), 8, 0);
    const { pmdval } = walker;
    machine.dontneed(1, 66, 67);
    const before = flushed(2);
    pteUnmap(walker, machine.mm, pmdpOf(8), 8, pmdval);
    expect(flushed(2)).toBeGreaterThan(before);
  });
});

test('a reference that is never returned is found at munmap', () => {
  machine.store(0, 66, 1);
  pteOffsetMap(machine.cpu(2), machine.mm, pmdpOf(8), 8, 0);
  rcuReadUnlock(machine.cpu(2));
  machine.munmap(1, 64, 128);
  expect(machine.facts()).toEqual(['tableLeft']);
});

// S-31: page reclaim holds the rmap lock alone, and the mmap lock keeps nothing from it.
describe('page reclaim drops the last page of a table that fork is about to copy:', () => {
  const fork = (): number => {
    boot({ rcu: 'announced' });
    machine.store(0, 66, 1);
    madvise(machine.cpu(0), machine.mm, MADV.free, 8, 0, 9, 0);
    machine.beforeLock(1, ptlOf(8), () => {
      shrinkRange(machine.cpu(2), machine.mm, 8, 0, 9, 0);
      rcuDrain(machine.cpu(2));
    });
    return walkRange(machine.cpu(1), machine.mm, WALKER.fork, 8, 0, 9, 0);
  };

  test('its reference keeps the table', () => {
    expect([fork(), machine.facts(), slots(), machine.nrPtes()]).toEqual([0, [], [], 0]);
  });
});

// K-33: the zap of an entry that is not counted yet takes the reference of whoever has set it.
describe('an entry counted after the ptl was dropped', () => {
  const race = (): void => {
    machine.store(0, 65, 1);
    const pmdp = pmdpOf(8);
    machine.meanwhile(1, 'store', ptlOf(8), () =>
      machine.meanwhile(1, 'read', pmdp, () => machine.dontneed(2, 64, 72)),
    );
    machine.store(1, 66, 1);
  };

  test.each([[{ variant: 'as-posted' }], [{ gets: 'after-unlock' }]])('with %o', (options) => {
    boot({ options });
    expect(race).toThrow();
    expect(machine.facts()).toEqual(['tableZero']);
  });

  test('is none when the variant is overridden', () => {
    boot({ options: { variant: 'as-posted', gets: 'under-ptl' } });
    race();
    expect([machine.facts(), boundProtocol().tableGet(machine.cpu(0), tableOf(8))]).toEqual([
      [],
      true,
    ]);
  });
});
