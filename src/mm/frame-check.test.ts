/** Facts about the checks of table and page frames: what is forged is found. */
import { beforeEach, describe, expect, test } from 'vitest';
import { mkPmd, type Pmd, type Pmdp } from '#arch/pmd';
import type { Pte } from '#arch/pte';
import { ptePfn } from '#arch/pte';
import { bodyAt, pageAt, ptdescAt } from '#arena/arena';
import { Halted } from '#arena/halt';
import { CONTROL } from '#arena/layout/control';
import { MM } from '#arena/layout/mm';
import { PAGE } from '#arena/layout/page';
import {
  FRAME,
  frameGenerationOf,
  frameLevelOf,
  frameState,
  POISON,
  PTDESC,
  USE_COUNT_MASK,
} from '#arena/layout/ptdesc';
import { peek, poke } from '#arena/word';
import { rcuReadLock, rcuReadUnlock } from '#sync/rcu';
import { TestMachine } from '#tasks/machine.suite';
import { freePage, gatherPage } from './page-alloc.ts';
import { noteCleared, pmdOffset, pmdUnhook, setPteAt } from './pgtable.ts';
import { pteOffsetMap, pteUnmap } from './pte-offset-map.ts';
import { tryToUnmapOne } from './rmap.ts';
import { allocTable, freeTable } from './table-alloc.ts';

let machine: TestMachine;
let pmdp: Pmdp;
let table: number;

beforeEach(() => {
  machine = new TestMachine();
  machine.mmap(0, 64, 128);
  machine.store(0, 64, 5);
  pmdp = pmdOffset(machine.cpu(0), machine.mm, 8);
  table = machine.tree().ptes.get(8)!;
});

const state = (): number => peek(ptdescAt(table) + PTDESC.state);

describe('a pmd value', () => {
  test('that means table 0 halts the machine', () => {
    poke(pmdp, mkPmd(0, frameState(FRAME.table, 0, 1)));
    expect(() => machine.load(1, 64)).toThrow(Halted);
    expect([machine.facts(), peek(CONTROL.halt)]).toEqual([['tableZero'], 1]);
  });

  test('with a stale generation halts the machine', () => {
    poke(pmdp, mkPmd(table, frameState(FRAME.table, 0, frameGenerationOf(state()) + 1)));
    expect(() => machine.load(1, 64)).toThrow(Halted);
    expect(machine.facts()).toEqual(['frameMismatch']);
    expect(machine.factWords(1).slice(0, 3)).toEqual([table, state(), 0]);
  });

  test('that means a freed table halts the machine', () => {
    const level = frameLevelOf(state());
    poke(ptdescAt(table) + PTDESC.state, frameState(FRAME.free, level, frameGenerationOf(state())));
    expect(() => machine.load(1, 64)).toThrow(Halted);
    expect(machine.facts()).toEqual(['frameMismatch']);
  });

  test('in an upper table with a stale generation halts the machine', () => {
    const { bodies, ptdescs } = machine.map;
    const pgdBody = peek(ptdescs + peek(machine.map.mm + 16 * 5) * 4 + PTDESC.body);
    const entry = bodies + pgdBody * 8;
    const upper = (peek(entry) >>> 7) as number;
    poke(entry, mkPmd(upper, frameState(FRAME.table, 2, 9)));
    expect(() => machine.load(1, 64)).toThrow(Halted);
    expect(machine.facts()).toEqual(['frameMismatch']);
  });

  test('of a table that is freed while its ptl is waited for halts the machine', () => {
    const pfn = ptePfn(machine.pte(64) as Pte);
    machine.beforeLock(1, ptdescAt(table) + PTDESC.ptl, () => {
      machine.dontneed(0, 64, 72);
      pmdUnhook(machine.cpu(0), pmdp, table, 8);
      freeTable(machine.cpu(0), table);
    });
    const unmap = (): number => tryToUnmapOne(machine.cpu(1), machine.mm, pmdp, 8, 0, pfn);
    expect(unmap).toThrow(Halted);
    expect(machine.facts()).toEqual(['frameMismatch']);
  });

  test('of an unhooked table is tolerated from those who were inside, and counted', () => {
    const cpu = machine.cpu(1);
    rcuReadLock(cpu);
    pteOffsetMap(cpu, machine.mm, pmdp, 8, 0);
    const { pmdval } = cpu;
    machine.dontneed(0, 64, 72);
    pmdUnhook(machine.cpu(0), pmdp, table, 8);
    pteUnmap(cpu, machine.mm, pmdp, 8, pmdval);
    expect([machine.facts(), Object.keys(machine.races())]).toEqual([
      [],
      ['staleWalk: access <- access'],
    ]);
  });
});

// The walk of an access holds no VMA lock: munmap may unhook the PMD table under it.
test('a PMD table that was unhooked while it was walked is found neither then nor later', () => {
  const cpu = machine.cpu(1);
  const bodyOf = (table: number): number => bodyAt(peek(ptdescAt(table) + PTDESC.body));
  const pud = peek(bodyOf(peek(machine.map.mm + MM.pgd))) >>> 7;
  const entryp = bodyOf(pud) + 1;
  const at = ptdescAt(peek(entryp) >>> 7) + PTDESC.state;
  // As between the walker's load of the entry and its look at the frame.
  poke(at, (peek(at) & ~3) | FRAME.unhooked);
  rcuReadLock(cpu);
  expect(pmdOffset(cpu, machine.mm, 8)).toBe(0);
  rcuReadUnlock(cpu);
  poke(entryp, 0);
  expect(pmdOffset(cpu, machine.mm, 8)).toBe(0);
});

describe('a table', () => {
  test('freed twice is noted', () => {
    const spare = allocTable(machine.cpu(0), 0);
    freeTable(machine.cpu(0), spare);
    expect(() => freeTable(machine.cpu(1), spare)).toThrow(Halted);
    expect([machine.facts(), machine.factWords(1).slice(0, 2)]).toEqual([
      ['doubleFree'],
      [0, spare],
    ]);
  });

  test('unhooked twice is noted', () => {
    machine.dontneed(0, 64, 72);
    pmdUnhook(machine.cpu(0), pmdp, table, 8);
    expect(() => pmdUnhook(machine.cpu(0), pmdp, table, 8)).toThrow(Halted);
    expect(machine.facts()).toEqual(['doubleFree']);
  });

  test('unhooked while it has entries is noted', () => {
    pmdUnhook(machine.cpu(0), pmdp, table, 8);
    expect(machine.facts()).toEqual(['nonemptyUnhooked']);
  });

  test('freed while it has entries is noted, and poisoned', () => {
    const body = peek(ptdescAt(table) + PTDESC.body);
    const entry = machine.pte(64);
    freeTable(machine.cpu(0), table);
    expect([machine.facts(), machine.factWords().slice(0, 3)]).toEqual([
      ['nonemptyFreed'],
      [table, 0, entry],
    ]);
    const first = machine.map.bodies + body * 8;
    expect(Array.from({ length: 8 }, (_, i) => peek(first + i))).toEqual(Array(8).fill(POISON));
  });

  test('that is not live gains no entry unnoticed', () => {
    machine.dontneed(0, 64, 72);
    pmdUnhook(machine.cpu(0), pmdp, table, 8);
    setPteAt(machine.cpu(0), table, 3, 0x21 as Pte);
    expect(machine.facts()).toEqual(['lostEntry']);
  });

  test('that loses more entries than it has is noted', () => {
    noteCleared(machine.cpu(0), table, 2, 0);
    expect(machine.facts()).toEqual(['countUnderflow']);
  });

  test('counts its entries and remembers who filled it', () => {
    for (const page of [65, 66]) machine.load(2, page);
    const use = peek(ptdescAt(table) + PTDESC.use);
    expect([use & USE_COUNT_MASK, (use >>> 16) & 0xff]).toEqual([3, 2]);
  });

  test('has a new generation each time that it is allocated', () => {
    const cpu = machine.cpu(0);
    const first = allocTable(cpu, 0);
    const before = frameGenerationOf(peek(ptdescAt(first) + PTDESC.state));
    freeTable(cpu, first);
    const again = allocTable(cpu, 2);
    const after = peek(ptdescAt(again) + PTDESC.state);
    expect([again, frameGenerationOf(after), frameLevelOf(after)]).toEqual([first, before + 1, 2]);
  });

  test('comes with all entries none, whatever was in its body before', () => {
    const cpu = machine.cpu(0);
    const bodies = new Set<number>();
    for (let i = 0; i < 5; i++) {
      const fresh = allocTable(cpu, 0);
      const body = peek(ptdescAt(fresh) + PTDESC.body);
      bodies.add(body);
      const first = machine.map.bodies + body * 8;
      expect(Array.from({ length: 8 }, (_, k) => peek(first + k))).toEqual(Array(8).fill(0));
      freeTable(cpu, fresh);
    }
    expect(bodies.size).toBe(1);
  });
});

test('poison is no table and no present page', () => {
  poke(pmdp, POISON as Pmd);
  expect(pteOffsetMap(machine.cpu(0), machine.mm, pmdp, 8, 0)).toBe(0);
});

describe('a page', () => {
  const pfn = (): number => ptePfn(machine.pte(64) as Pte);

  test('freed while it is mapped is noted', () => {
    expect(() => freePage(machine.cpu(0), pfn())).toThrow(Halted);
    expect([machine.facts(), machine.factWords().slice(0, 2)]).toEqual([
      ['doubleFree'],
      [1, pfn()],
    ]);
  });

  test('freed twice is noted', () => {
    const free = pfn();
    machine.dontneed(0, 64, 72);
    expect(() => freePage(machine.cpu(0), free)).toThrow(Halted);
    expect(machine.facts()).toEqual(['doubleFree']);
  });

  test('gathered twice is noted', () => {
    gatherPage(machine.cpu(0), pfn());
    expect(() => gatherPage(machine.cpu(0), pfn())).toThrow(Halted);
    expect(machine.facts()).toEqual(['pageMismatch']);
  });

  test('is zero again for its next user', () => {
    const first = pfn();
    machine.dontneed(0, 64, 72);
    expect(machine.load(0, 65)).toBe(0);
    machine.store(0, 66, 9);
    expect(ptePfn(machine.pte(66) as Pte)).toBe(first);
    expect(peek(pageAt(first) + PAGE.content)).toBe(9);
  });
});
