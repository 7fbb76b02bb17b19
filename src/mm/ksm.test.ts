/** Facts about KSM: which pages it lets the zero page replace, and what it leaves behind. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type Pte, ptePfn, pteZeroPage } from '#arch/pte';
import { pageAt } from '#arena/arena';
import { MM } from '#arena/layout/mm';
import { PAGE, PAGE_LOCKED, PAGE_REFERENCE } from '#arena/layout/page';
import { peek, poke } from '#arena/word';
import { TestMachine } from '#tasks/machine.suite';
import { MADV, madvise } from './madvise.ts';
import { WALKER, walkRange } from './walkers/walk.ts';

let machine: TestMachine;

/** Pages 64 to 67 hold nothing but zeros, page 68 does not. */
beforeEach(() => {
  machine = new TestMachine({ protocol: 'pt-reclaim' });
  machine.mmap(0, 64, 128);
  madvise(machine.cpu(0), machine.mm, MADV['populate-write'], 8, 0, 8, 5);
  machine.store(0, 68, 5);
});

const ksm = (cpu = 1): number => walkRange(machine.cpu(cpu), machine.mm, WALKER.ksm, 8, 0, 16, 0);
const isZero = (page: number): boolean => pteZeroPage(machine.pte(page) as Pte);
const stateAt = (page: number): number => pageAt(ptePfn(machine.pte(page) as Pte)) + PAGE.state;

function exitClean(): void {
  machine.exit();
  expect(machine.facts()).toEqual([]);
  expect([machine.inUse('pages'), machine.inUse('tables'), machine.counter('rss')]).toEqual([
    0, 0, 0,
  ]);
}

test('the zero page takes the place of pages that hold nothing else', () => {
  expect([ksm(), machine.inUse('pages'), machine.counter('rss')]).toEqual([4, 1, 1]);
  expect([64, 65, 66, 67, 68].map(isZero)).toEqual([true, true, true, true, false]);
  expect([machine.load(2, 64), machine.load(2, 68)]).toEqual([0, 5]);
  expect([machine.store(2, 64, 7), machine.load(0, 64)]).toEqual([0, 7]);
  expect(ksm()).toBe(0);
  exitClean();
});

describe('a page stays', () => {
  test.each([
    ['is locked', PAGE_LOCKED],
    ['has a reference', PAGE_REFERENCE],
  ])('that %s', (_, bits) => {
    const at = stateAt(64);
    poke(at, peek(at) | bits);
    expect([ksm(), isZero(64)]).toEqual([3, false]);
    poke(at, peek(at) & ~bits);
    exitClean();
  });

  test('that is stored to before the flush is over', () => {
    const page = pageAt(ptePfn(machine.pte(64) as Pte));
    machine.meanwhile(1, 'compareExchange', machine.map.mm + MM.tlbGen, () =>
      poke(page + PAGE.content, 9),
    );
    expect([ksm(), isZero(64), machine.load(0, 64)]).toEqual([3, false, 9]);
    exitClean();
  });

  test('in a table that is gone', () => {
    machine.dontneed(0, 64, 128);
    expect(ksm()).toBe(0);
    exitClean();
  });
});
