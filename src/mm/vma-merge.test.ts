/** Which neighbours become one VMA, case by case; what protections and moves mean for accesses. */
import { describe, expect, test } from 'vitest';
import { WALKER, walkRange } from '#mm/walkers/walk';
import type { Protection } from '#scenario/plan';
import { TestMachine } from '#tasks/machine.suite';
import { GUP, getUserPages } from './gup-fast.ts';
import { MADV, madvise } from './madvise.ts';
import { mprotect } from './mprotect.ts';
import { IN_PLACE, mremap } from './mremap.ts';
import { flagsOfProtection, PROTECTION } from './protection.ts';
import { ACCESS } from './user-access.ts';

/** First page in play, of a slot and of a PMD table. */
const FIRST = 64;

class Space {
  readonly machine = new TestMachine({ protocol: 'pt-reclaim' });

  map(start: number, end: number, protection: Protection = 'write'): this {
    const flags = flagsOfProtection(PROTECTION[protection]);
    this.machine.mmap(0, FIRST + start, FIRST + end, flags);
    return this;
  }

  unmap(start: number, end: number): this {
    this.machine.munmap(0, FIRST + start, FIRST + end);
    return this;
  }

  protect(start: number, end: number, protection: Protection): this {
    const { machine } = this;
    const [first, last] = [FIRST + start, FIRST + end];
    const [from, to] = [machine.slotOf(first), machine.slotOf(last)];
    const [firstIndex, lastIndex] = [machine.indexOf(first), machine.indexOf(last)];
    const value = PROTECTION[protection];
    mprotect(machine.cpu(0), machine.mm, from, firstIndex, to, lastIndex, value);
    return this;
  }

  move(start: number, pages: number, to: number): this {
    const { machine } = this;
    mremap(machine.cpu(0), machine.mm, FIRST + start, pages, FIRST + to, pages);
    return this;
  }

  grow(start: number, pages: number, newPages: number): this {
    const { machine } = this;
    mremap(machine.cpu(0), machine.mm, FIRST + start, pages, IN_PLACE, newPages);
    return this;
  }

  store(...pages: number[]): this {
    for (const page of pages)
      expect(this.machine.store(0, FIRST + page, 100 + page)).toBe(ACCESS.stored);
    return this;
  }

  load(page: number): number {
    return this.machine.load(0, FIRST + page);
  }

  bounds(): [start: number, end: number][] {
    return this.machine.vmas().map(([start, end]) => [start - FIRST, end - FIRST]);
  }
}

test.each<readonly [string, (space: Space) => Space, [number, number][]]>([
  ['what was never written to', (s) => s.map(0, 4).map(4, 8), [[0, 8]]],
  ['what was, and what was not', (s) => s.map(0, 4).store(1).map(4, 8), [[0, 8]]],
  [
    'the left one only, where both sides were written to apart',
    (s) => s.map(0, 4).map(8, 12).store(1, 9).map(4, 8),
    [
      [0, 8],
      [8, 12],
    ],
  ],
  [
    'both sides, if they were one when they were written to',
    (s) => s.map(0, 12).store(1).unmap(4, 8).map(4, 8),
    [[0, 12]],
  ],
  [
    'the next one, that lent its number to what differed in protection alone',
    (s) => s.map(0, 8).store(6).protect(4, 8, 'read').map(0, 4).store(1).protect(4, 8, 'write'),
    [[0, 8]],
  ],
  [
    'the previous one, likewise',
    (s) => s.map(0, 8).store(1).protect(0, 4, 'read').map(4, 8).store(6).protect(0, 4, 'write'),
    [[0, 8]],
  ],
  [
    'nobody, if a read is all that there was before the protections were one',
    (s) => {
      s.map(0, 4).store(1).map(4, 8, 'read').load(5);
      return s;
    },
    [
      [0, 4],
      [4, 8],
    ],
  ],
  [
    'not what memory is set aside for with what it is not',
    (s) => s.map(0, 4).store(1).protect(0, 4, 'read').map(4, 8, 'read'),
    [
      [0, 4],
      [4, 8],
    ],
  ],
  [
    'what it is not set aside for any more, as nothing was written',
    (s) => s.map(0, 4).protect(0, 4, 'read').map(4, 8, 'read'),
    [[0, 8]],
  ],
  ['what moved without pages', (s) => s.map(0, 4).map(16, 20).move(0, 4, 20), [[16, 24]]],
  [
    'not what moved with pages',
    (s) => s.map(0, 4).store(1).map(16, 20).move(0, 4, 20),
    [
      [16, 20],
      [20, 24],
    ],
  ],
  [
    'what moved with pages and came back',
    (s) => s.map(0, 8).store(1, 6).move(0, 4, 16).move(16, 4, 0),
    [[0, 8]],
  ],
  [
    'what moved together',
    (s) => s.map(0, 8).store(1, 6).protect(4, 8, 'read').move(0, 8, 16).protect(20, 24, 'write'),
    [[16, 24]],
  ],
  ['what grows, with what follows', (s) => s.map(0, 4).map(6, 8).grow(0, 4, 6), [[0, 8]]],
])('%s: merging', (_name, change, expected) => {
  expect(change(new Space()).bounds()).toEqual(expected);
});

describe('a protection', () => {
  test('forbids accesses, and gives what was there back', () => {
    const space = new Space().map(0, 8).store(1);
    space.load(2);
    space.protect(0, 8, 'none');
    expect([space.load(1), space.load(2), space.load(3)]).toEqual([-1, -1, -1]);
    expect(space.machine.counter('rss')).toBe(1);
    space.protect(0, 8, 'read');
    expect([space.load(1), space.load(2)]).toEqual([101, 0]);
    expect(space.machine.store(0, FIRST + 1, 7)).toBe(ACCESS.sigsegv);
    expect(space.machine.store(0, FIRST + 2, 7)).toBe(ACCESS.sigsegv);
    space.protect(0, 8, 'write').store(1, 2);
    expect(space.machine.counter('rss')).toBe(2);
  });

  test('is what a NUMA hint, a swapped page and its populating keep to', () => {
    const space = new Space().map(0, 8).store(1, 2, 3);
    const { machine } = space;
    const cpu = machine.cpu(0);
    const slot = machine.slotOf(FIRST);
    madvise(cpu, machine.mm, MADV.pageout, slot, 2, slot, 3);
    space.protect(0, 8, 'read');
    walkRange(cpu, machine.mm, WALKER.numa, slot, 0, slot + 1, 0);
    expect([space.load(1), space.load(2), space.load(3)]).toEqual([101, 102, 103]);
    walkRange(cpu, machine.mm, WALKER.mprotect, slot, 0, slot + 1, 0);
    for (const page of [1, 2, 3]) expect(machine.store(0, FIRST + page, 7)).toBe(ACCESS.sigsegv);
    expect(madvise(cpu, machine.mm, MADV['populate-write'], slot, 0, slot + 1, 0)).toBe(false);
    expect(getUserPages(cpu, machine.mm, slot, 0, slot + 1, 0, GUP.fast | GUP.slow)).toBe(0);
    space.protect(0, 8, 'none');
    walkRange(cpu, machine.mm, WALKER.numa, slot, 0, slot + 1, 0);
    walkRange(cpu, machine.mm, WALKER.mprotect, slot, 0, slot + 1, 0);
    expect([space.load(1), space.load(2), space.load(3)]).toEqual([-1, -1, -1]);
    expect(madvise(cpu, machine.mm, MADV['populate-read'], slot, 0, slot + 1, 0)).toBe(false);
  });
});

describe('a whole table', () => {
  test('moves as one where the destination has none, else by entries', () => {
    const space = new Space().map(0, 32).store(...Array.from({ length: 8 }, (_, i) => i));
    const [table] = space.machine.tree().ptes.values();
    space.move(0, 8, 16);
    expect([...space.machine.tree().ptes]).toEqual([[space.machine.slotOf(FIRST + 16), table]]);
    space.move(16, 7, 8);
    const moved = space.machine.tree().ptes;
    expect([...moved.keys()]).toEqual([8, 16].map((page) => space.machine.slotOf(FIRST + page)));
    expect(moved.get(space.machine.slotOf(FIRST + 8))).not.toBe(table);
    expect([space.load(8), space.load(14), space.load(23)]).toEqual([100, 106, 107]);
    expect(space.machine.nrPtes()).toBe(2);
  });
});
