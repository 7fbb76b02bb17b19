/** The hardware's walk: what it remembers, what it may still use, and what it must never find. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Cpu } from '#arch/cpu';
import { enterLazyTlb } from '#arch/interrupts';
import { pmdTable } from '#arch/pmd';
import { mkPte, PTE_NONE, type Pte, type Ptep, pteDirty } from '#arch/pte';
import { pwcLookup, tlbFlushLocalRange, tlbLookup } from '#arch/tlb';
import { bodyAt, ptdescAt } from '#arena/arena';
import { Halted } from '#arena/halt';
import { PTDESC } from '#arena/layout/ptdesc';
import { peek, poke } from '#arena/word';
import { TestMachine } from '#tasks/machine.suite';
import { hardwareWalk, speculativeWalk } from './hardware-walk.ts';
import { pmdOffset, pmdUnhook } from './pgtable.ts';
import { freeTable } from './table-alloc.ts';

/** Page 64 is entry 0 of slot 8. */
const PAGE = 64;
const SLOT = 8;

let machine: TestMachine;
let cpu: Cpu;
beforeEach(() => {
  machine = new TestMachine();
  cpu = machine.cpu(0);
  machine.mmap(0, PAGE, PAGE + 16);
});

const walk = (write: boolean, index = 0): number =>
  hardwareWalk(cpu, machine.mm, SLOT, index, write);
const table = (): number => machine.tree().ptes.get(SLOT)!;
const entryAt = (index = 0): Ptep =>
  (bodyAt(peek(ptdescAt(table()) + PTDESC.body)) + index) as Ptep;

describe('a walk', () => {
  test('that finds no table is a fault, and remembers nothing', () => {
    expect([walk(false), cpu.walked, pwcLookup(cpu, SLOT)]).toEqual([0, PTE_NONE, 0]);
  });

  test('that finds nothing, or a forbidding entry, tells the fault what it found', () => {
    machine.load(0, PAGE);
    const zero = peek(entryAt());
    expect([walk(true), cpu.walked]).toEqual([0, zero]);
    expect([walk(false, 3), cpu.walked]).toEqual([0, PTE_NONE]);
    expect(walk(false)).toBe(1);
  });

  test('for a store sets the dirty bit, in the entry and in the TLB', () => {
    machine.store(0, PAGE, 5);
    poke(entryAt(), mkPte(9, true, false));
    tlbFlushLocalRange(cpu, SLOT, 0, SLOT, 8);
    expect(walk(false)).toBe(9);
    expect([pteDirty(peek(entryAt()) as Pte), tlbLookup(cpu, SLOT, 0, true)]).toEqual([false, 0]);
    expect(walk(true)).toBe(9);
    expect([pteDirty(peek(entryAt()) as Pte), tlbLookup(cpu, SLOT, 0, true)]).toEqual([true, 9]);
  });

  test('for a store starts again if the entry changes under it', () => {
    machine.store(0, PAGE, 5);
    tlbFlushLocalRange(cpu, SLOT, 0, SLOT, 8);
    const place = entryAt();
    poke(place, mkPte(9, true, false));
    machine.meanwhile(0, 'compareExchange', place, () => poke(place, PTE_NONE));
    expect([walk(true), cpu.walked, peek(place)]).toEqual([0, PTE_NONE, PTE_NONE]);
    expect(tlbLookup(cpu, SLOT, 0, false)).toBe(0);
  });
});

describe('a remembered table', () => {
  let unhooked: number;
  beforeEach(() => {
    machine.store(0, PAGE, 5);
    tlbFlushLocalRange(cpu, SLOT, 0, SLOT, 8);
    walk(false);
    unhooked = table();
    expect(pmdTable(pwcLookup(cpu, SLOT))).toBe(unhooked);
    machine.dontneed(1, PAGE, PAGE + 1);
    pmdUnhook(machine.cpu(1), pmdOffset(machine.cpu(1), machine.mm, SLOT), unhooked, SLOT);
  });

  test('may be walked after it was unhooked, which is counted', () => {
    expect([walk(false), cpu.walked]).toEqual([0, PTE_NONE]);
    expect(machine.races()).toEqual({ 'staleWalk: access <- access': 1 });
    expect(machine.counter('pwcOverlaps')).toBe(0);
  });

  test('may be walked when another has taken its place, which is counted too', () => {
    machine.store(1, PAGE + 1, 7);
    expect([walk(false, 1), cpu.walked, machine.facts()]).toEqual([0, PTE_NONE, []]);
    expect(machine.counter('pwcOverlaps')).toBe(1);
  });

  test('is forgotten by a fault that finds another one there', () => {
    machine.store(1, PAGE + 1, 7);
    expect(table()).not.toBe(unhooked);
    expect(machine.load(0, PAGE + 1)).toBe(7);
    expect(pmdTable(pwcLookup(cpu, SLOT))).toBe(table());
  });

  test.each([
    ['freed', () => {}],
    ['in use again', () => machine.store(1, PAGE + 8, 7)],
  ])('may not be walked once it is %s', (_, reuse) => {
    freeTable(machine.cpu(1), unhooked);
    reuse();
    expect(() => walk(false)).toThrow(Halted);
    expect(machine.facts()).toEqual(['staleTranslation']);
    expect(machine.factWords().slice(0, 3)).toEqual([SLOT, 0, -1]);
  });

  test('may not be walked by an idle CPU either, whose hardware does so on its own', () => {
    enterLazyTlb(cpu);
    speculativeWalk(cpu, machine.mm);
    expect(machine.facts()).toEqual([]);
    freeTable(machine.cpu(1), unhooked);
    expect(() => speculativeWalk(cpu, machine.mm)).toThrow(Halted);
    expect(machine.facts()).toEqual(['staleTranslation']);
  });
});

test('idle hardware without a remembered table walks nowhere', () => {
  machine.store(1, PAGE, 5);
  speculativeWalk(cpu, machine.mm);
  expect([tlbLookup(cpu, SLOT, 0, false), pwcLookup(cpu, SLOT)]).toEqual([0, 0]);
});

test.each([
  ['access', () => void machine.load(0, PAGE)],
  ['idle', () => speculativeWalk(cpu, machine.mm)],
])('where flushes are broadcast a zap waits for walks under way: %s', (_name, walks) => {
  machine = new TestMachine({ shootdown: 'broadcast' });
  cpu = machine.cpu(0);
  // An idle CPU walks to a random entry.
  machine.mmap(0, PAGE, PAGE + 8);
  for (let page = PAGE; page < PAGE + 8; page++) machine.load(0, page);
  tlbFlushLocalRange(cpu, SLOT, 0, SLOT, 8);
  let waited = 0;
  for (let index = 0; index < 8; index++)
    machine.meanwhile(0, 'read', entryAt(index), () => {
      expect(() => machine.dontneed(1, PAGE, PAGE + 8)).toThrow(/would wait for ever/);
      waited++;
    });
  walks();
  expect(waited).toBe(1);
});
