/** Interrupts between CPUs: who is interrupted, when that is served, and what serving does. */
import { beforeEach, describe, expect, test } from 'vitest';
import { Halted } from '#arena/halt';
import { CONTROL } from '#arena/layout/control';
import { MM } from '#arena/layout/mm';
import { FLUSH_RECORD, PERCPU, TLB_STATE } from '#arena/layout/percpu';
import { bump, peek, poke } from '#arena/word';
import { TestMachine } from '#tasks/machine.suite';
import type { Cpu } from './cpu.ts';
import {
  carryOutFlushes,
  enterLazyTlb,
  enterMm,
  interruptOthers,
  interruptPoint,
  leaveMm,
  localIrqDisable,
  localIrqEnable,
  numberFlush,
  waitUntilChanged,
} from './interrupts.ts';
import { mkPmd } from './pmd.ts';
import { mkPte } from './pte.ts';
import { pwcFill, pwcLookup, tlbFill, tlbLookup } from './tlb.ts';

/** A word that nobody else uses here. */
const WORD = CONTROL.torture;

let machine: TestMachine;
let cpu: Cpu;
let other: Cpu;
beforeEach(() => {
  machine = new TestMachine();
  cpu = machine.cpu(0);
  other = machine.cpu(1);
});

const ask = (): void => bump(cpu.block + PERCPU.ipiWanted, 1);
const unserved = (id = 0): number => {
  const { block } = machine.cpu(id);
  return peek(block + PERCPU.ipiWanted) - peek(block + PERCPU.ipiServed);
};
const stateOf = (id: number): number => peek(machine.cpu(id).block + PERCPU.tlbState);
const flushed = (): boolean => tlbLookup(cpu, 8, 0, false) === 0;

/** CPU 1 numbers a flush of the page that CPU 0 remembers, and says nothing. */
function missFlush(): void {
  tlbFill(cpu, 8, 0, mkPte(20, false, false));
  numberFlush(other, 8, 0, 8, 1, false);
}

describe('an interrupt', () => {
  beforeEach(() => {
    missFlush();
    ask();
  });

  test('is served at the next point, and carries out what was missed', () => {
    expect([unserved(), flushed()]).toEqual([1, false]);
    interruptPoint(cpu);
    expect([unserved(), flushed()]).toEqual([0, true]);
  });

  test('waits while interrupts are off, in nested sections too', () => {
    localIrqDisable(cpu);
    localIrqDisable(cpu);
    interruptPoint(cpu);
    localIrqEnable(cpu);
    interruptPoint(cpu);
    expect([unserved(), flushed()]).toEqual([1, false]);
    localIrqEnable(cpu);
    expect([unserved(), flushed()]).toEqual([0, true]);
  });

  test('is served by a CPU that waits', () => {
    machine.meanwhile(0, 'wait', WORD, () => poke(WORD, 1));
    waitUntilChanged(cpu, WORD, 0);
    expect([unserved(), flushed()]).toEqual([0, true]);
  });

  test.each([
    ['leaves the address space', leaveMm, TLB_STATE.out],
    ['goes idle', enterLazyTlb, TLB_STATE.lazy],
  ])('is served by a CPU that %s', (_, leave, state) => {
    leave(cpu);
    expect([unserved(), flushed(), stateOf(0)]).toEqual([0, true, state]);
  });
});

test('a CPU with interrupts off may not wait', () => {
  localIrqDisable(cpu);
  expect(() => waitUntilChanged(cpu, WORD, 0)).toThrow(Halted);
});

test('a CPU that slept in its wait is active again, and has caught up', () => {
  missFlush();
  machine.meanwhile(0, 'wait', WORD, () => {
    poke(cpu.block + PERCPU.tlbState, TLB_STATE.asleep);
    poke(WORD, 1);
  });
  waitUntilChanged(cpu, WORD, 0);
  expect([stateOf(0), flushed()]).toEqual([TLB_STATE.active, true]);
});

test('a CPU that slept without the address space does not enter it by that', () => {
  leaveMm(cpu);
  machine.meanwhile(0, 'wait', WORD, () => poke(WORD, 1));
  waitUntilChanged(cpu, WORD, 0);
  expect(stateOf(0)).toBe(TLB_STATE.out);
});

describe('of the others', () => {
  const CASES = [
    ['out', false, 0],
    ['out', true, 0],
    ['active', false, 1],
    ['active', true, 1],
    ['lazy', false, 0],
    ['lazy', true, 1],
    ['asleep', false, 0],
    ['asleep', true, 0],
  ] as const;

  test.each(CASES)('one that is %s (tables go: %s) gets %i interrupts', (state, lazy, sent) => {
    leaveMm(machine.cpu(2));
    poke(other.block + PERCPU.tlbState, TLB_STATE[state]);
    interruptOthers(cpu, lazy);
    expect(peek(other.block + PERCPU.ipiWanted)).toBe(sent);
    expect([unserved(1), machine.counter('ipisSent')]).toEqual([0, sent]);
    expect(unserved(2)).toBe(0);
  });

  test('all are interrupted before any is waited for', () => {
    const wanted: number[] = [];
    machine.meanwhile(0, 'wait', other.block + PERCPU.ipiServed, () =>
      wanted.push(unserved(1), unserved(2)),
    );
    interruptOthers(cpu, false);
    expect([wanted, unserved(1), unserved(2)]).toEqual([[1, 1], 0, 0]);
  });

  test('one that leaves without having seen the interrupt is not waited for', () => {
    leaveMm(machine.cpu(2));
    machine.meanwhile(0, 'add', other.block + PERCPU.ipiWanted, () => leaveMm(other));
    interruptOthers(cpu, false);
    expect(unserved(1)).toBe(1);
    // It is served with the next one, or at the next point.
    interruptPoint(other);
    expect(unserved(1)).toBe(0);
  });

  test('one that enters while the flush is on its way sees its number, or is seen', () => {
    leaveMm(machine.cpu(2));
    leaveMm(other);
    tlbFill(other, 8, 0, mkPte(20, false, false));
    machine.meanwhile(0, 'load', other.block + PERCPU.tlbState, () => enterMm(other));
    numberFlush(cpu, 8, 0, 8, 1, false);
    interruptOthers(cpu, false);
    expect(tlbLookup(other, 8, 0, false)).toBe(0);
    expect([machine.counter('ipisSent'), unserved(1)]).toEqual([1, 0]);
  });

  test('two that interrupt each other both come through', () => {
    leaveMm(machine.cpu(2));
    machine.meanwhile(0, 'wait', other.block + PERCPU.ipiServed, () => {
      // CPU 1 serves while it waits for CPU 0, which serves while it waits for CPU 1.
      interruptOthers(other, false);
    });
    interruptOthers(cpu, false);
    expect([unserved(0), unserved(1), machine.counter('ipisSent')]).toEqual([0, 0, 2]);
  });
});

describe('a CPU that has missed flushes', () => {
  beforeEach(() => {
    tlbFill(cpu, 8, 0, mkPte(20, false, false));
    tlbFill(cpu, 8, 1, mkPte(21, false, false));
    pwcFill(cpu, 8, mkPmd(5, 0));
  });

  /** What CPU 0 still remembers: the page flushed, its neighbour, and the pmd entry. */
  const remembered = (): boolean[] => [
    tlbLookup(cpu, 8, 0, false) !== 0,
    tlbLookup(cpu, 8, 1, false) !== 0,
    pwcLookup(cpu, 8) !== 0,
  ];

  test('carries out the only one by its range', () => {
    numberFlush(other, 8, 0, 8, 1, false);
    carryOutFlushes(cpu);
    expect(remembered()).toEqual([false, true, true]);
  });

  test('drops pmd entries too if tables went', () => {
    numberFlush(other, 8, 0, 8, 1, true);
    carryOutFlushes(cpu);
    expect(remembered()).toEqual([false, true, false]);
  });

  test('drops everything if there were more, by one CPU or by two', () => {
    for (const second of [other, machine.cpu(2)]) {
      tlbFill(cpu, 8, 1, mkPte(21, false, false));
      numberFlush(other, 8, 0, 8, 1, false);
      numberFlush(second, 8, 0, 8, 1, false);
      carryOutFlushes(cpu);
      expect(remembered()).toEqual([false, false, false]);
    }
  });

  test('drops everything if the record is of another flush by now', () => {
    numberFlush(other, 8, 0, 8, 1, false);
    poke(other.block + PERCPU.flush + FLUSH_RECORD.number, 77);
    carryOutFlushes(cpu);
    expect(remembered()).toEqual([false, false, false]);
  });

  test('drops everything if the record changes while it is read', () => {
    const number = other.block + PERCPU.flush + FLUSH_RECORD.number;
    numberFlush(other, 8, 0, 8, 1, false);
    machine.meanwhile(0, 'load', number, () => {});
    machine.meanwhile(0, 'load', number, () => poke(number, 77));
    carryOutFlushes(cpu);
    expect([remembered(), machine.unplayed()]).toEqual([[false, false, false], []]);
  });

  test('looks at no record a second time', () => {
    numberFlush(other, 8, 0, 8, 1, false);
    carryOutFlushes(cpu);
    tlbFill(cpu, 8, 0, mkPte(20, false, false));
    carryOutFlushes(cpu);
    expect(remembered()).toEqual([true, true, true]);
  });

  test('drops everything where the numbers begin again', () => {
    const last = (-1 << 7) | other.id;
    poke(machine.map.mm + MM.tlbGen, last);
    cpu.tlbSeen = last;
    numberFlush(other, 8, 0, 8, 1, false);
    expect(peek(machine.map.mm + MM.tlbGen)).toBe(other.id);
    carryOutFlushes(cpu);
    expect(remembered()).toEqual([false, false, false]);
  });
});

test('of two flushes at a time each has a number of its own and a whole record', () => {
  const tlbGen = machine.map.mm + MM.tlbGen;
  machine.meanwhile(0, 'compareExchange', tlbGen, () => numberFlush(other, 9, 0, 9, 2, true));
  numberFlush(cpu, 8, 0, 8, 1, false);
  const numbers = [cpu, other].map(({ block }) => peek(block + PERCPU.flush));
  expect(numbers).toEqual([(2 << 7) | 0, (1 << 7) | 1]);
  expect(peek(tlbGen)).toBe(numbers[0]);
  const record = Array.from({ length: 5 }, (_, i) => peek(cpu.block + PERCPU.flush + 1 + i));
  expect(record).toEqual([8, 0, 8, 1, 0]);
});

test('whoever has interrupts off and waits for others to serve one halts the machine', () => {
  localIrqDisable(cpu);
  expect(() => interruptOthers(cpu, false)).toThrow(Halted);
  expect([machine.facts(), peek(CONTROL.halt)]).toEqual([['waitIrqsOff'], 1]);
});
