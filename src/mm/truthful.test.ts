/** Reports of short memory and of dropped locks are facts where they are not true. */
import { beforeEach, describe, expect, test } from 'vitest';
import { TestMachine } from '#tasks/machine.suite';
import { configureChoices } from './choices.ts';
import { MADV, madvise } from './madvise.ts';
import { mmapReadLock, mmapReadUnlock } from './mm.ts';
import { pmdOffset } from './pgtable.ts';
import {
  checkLockDropped,
  checkOutOfMemory,
  noteMemoryShort,
  timesMemoryShort,
} from './truthful.ts';
import { ACCESS } from './user-access.ts';
import { WALKER, walkRange } from './walkers/walk.ts';

let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine();
});

describe('memory is short', () => {
  test('only if that was noted since', () => {
    const cpu = machine.cpu(0);
    const before = timesMemoryShort(cpu);
    noteMemoryShort(cpu);
    checkOutOfMemory(cpu, before, 8, 1);
    expect(machine.facts()).toEqual([]);
    checkOutOfMemory(cpu, timesMemoryShort(cpu), 8, 1);
    expect([machine.facts(), machine.factWords()]).toEqual([['untruthfulError'], [0, 8, 1, 0, 0]]);
  });

  // Pages, tables, bodies; a table without a body yet takes one with its first entry.
  test.each([
    ['pages', {}, { pages: 2 }],
    ['tables', {}, { tables: 2 }],
    ['bodies', {}, { bodies: 3 }],
    ['bodies on demand', { backing: 'on-demand' }, { bodies: 8 }],
  ] as const)('when the list is empty: %s', (kind, plan, geometry) => {
    machine = new TestMachine({ ...plan, protocol: 'pt-reclaim' }, { batch: 1, ...geometry });
    machine.mmap(0, 64, 128);
    const found = Array.from({ length: 8 }, (_each, i) => machine.store(0, 64 + 8 * i, 1));
    expect(found).toContain(ACCESS.oom);
    const advised = [MADV['populate-write'], MADV['guard-install']].map((advice) =>
      madvise(machine.cpu(0), machine.mm, advice, 8, 0, 16, 0),
    );
    // A guard needs no page.
    expect(advised).toEqual([false, kind === 'pages']);
    walkRange(machine.cpu(0), machine.mm, WALKER['uffd-copy'], 8, 0, 16, 0);
    expect(machine.facts()).toEqual([]);
  });

  test.each(['none', 'percpu-refcount'])('when an allocation fails, under %s', (protocol) => {
    machine = new TestMachine({ protocol });
    machine.mmap(0, 64, 128);
    for (const chance of [1_000_000, 400_000]) {
      configureChoices(0, chance);
      for (let page = 64; page < 128; page++) machine.store(1, page, page);
      for (const advice of [MADV['populate-write'], MADV['guard-install']])
        madvise(machine.cpu(0), machine.mm, advice, 8, 0, 16, 0);
      walkRange(machine.cpu(0), machine.mm, WALKER['uffd-copy'], 8, 0, 16, 0);
    }
    configureChoices(0, 0);
    expect(machine.facts()).toEqual([]);
  });
});

test('the lock has been dropped only if none is held', () => {
  const cpu = machine.cpu(0);
  checkLockDropped(cpu, 8, 1);
  mmapReadLock(cpu, machine.mm);
  mmapReadUnlock(cpu, machine.mm);
  checkLockDropped(cpu, 8, 1);
  expect(machine.facts()).toEqual([]);
  mmapReadLock(cpu, machine.mm);
  checkLockDropped(cpu, 8, 1);
  expect([machine.facts(), machine.factWords()]).toEqual([['untruthfulError'], [1, 8, 1, 0, 0]]);
});

// S-25: the page that could not be brought in is not needed any more, since its table has gone.
describe('a swapped-out page that goes before memory is found short', () => {
  test.each([
    ['as-posted', 4, ['untruthfulError']],
    ['fixed', 6, []],
  ] as const)('%s', (walkerReactions, reads, facts) => {
    machine = new TestMachine({ protocol: 'pt-reclaim', walkerReactions });
    machine.mmap(0, 64, 128);
    machine.store(0, 64, 5);
    madvise(machine.cpu(0), machine.mm, MADV.pageout, 8, 0, 9, 0);
    configureChoices(0, 1_000_000);
    const pmdp = pmdOffset(machine.cpu(0), machine.mm, 8);
    // Read by the walk, by the fault, by readahead (as posted once, else for each of three
    // entries), and by the lookup once the allocation has failed.
    const atRead = (left: number): void =>
      machine.meanwhile(1, 'read', pmdp, () => {
        if (left > 1) return atRead(left - 1);
        configureChoices(0, 0);
        machine.dontneed(2, 64, 72);
      });
    atRead(reads);
    machine.load(1, 64);
    expect([machine.unplayed(), machine.facts()]).toEqual([[], facts]);
  });
});
