/** A TLB flush reaches every CPU that could translate by what it remembers. */
import { beforeEach, describe, expect, test } from 'vitest';
import { PERCPU, TLB_STATE } from '#arena/layout/percpu';
import { peek, poke } from '#arena/word';
import { TestMachine } from '#tasks/machine.suite';
import { beginAccess, endAccess, enterLazyTlb, enterMm } from './interrupts.ts';
import { mkPmd } from './pmd.ts';
import { mkPte } from './pte.ts';
import { flushTlbRange } from './shootdown.ts';
import { pwcFill, pwcLookup, tlbFill, tlbLookup } from './tlb.ts';

let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine();
  for (const cpu of machine.cpus) {
    tlbFill(cpu, 8, 0, mkPte(20, false, false));
    tlbFill(cpu, 8, 1, mkPte(21, false, false));
    pwcFill(cpu, 8, mkPmd(5, 0));
  }
});

/** Of each CPU: whether it remembers the page flushed, its neighbour, and the pmd entry. */
function remembered(): boolean[][] {
  return machine.cpus.map((cpu) => [
    tlbLookup(cpu, 8, 0, false) !== 0,
    tlbLookup(cpu, 8, 1, false) !== 0,
    pwcLookup(cpu, 8) !== 0,
  ]);
}

describe('a flush', () => {
  test('of a page takes that page from all CPUs', () => {
    flushTlbRange(machine.cpu(0), 8, 0, 8, 1, false);
    expect(remembered()).toEqual(Array(3).fill([false, true, true]));
    expect([machine.counter('tlbFlushes'), machine.counter('ipisSent')]).toEqual([1, 2]);
  });

  test('after which tables go takes pmd entries as well', () => {
    flushTlbRange(machine.cpu(0), 8, 0, 8, 1, true);
    expect(remembered()).toEqual(Array(3).fill([false, true, false]));
  });

  test('drops pmd entries of its range only, where hardware does no more', () => {
    const { cpus } = new TestMachine({ pwcFlush: 'range' });
    for (const slot of [8, 9, 10]) pwcFill(cpus[1]!, slot, mkPmd(5, 0));
    flushTlbRange(cpus[0]!, 8, 3, 9, 0, true);
    expect([8, 9, 10].map((slot) => pwcLookup(cpus[1]!, slot) !== 0)).toEqual([false, true, true]);
    flushTlbRange(cpus[0]!, 9, 0, 10, 1, true);
    expect([9, 10].map((slot) => pwcLookup(cpus[1]!, slot))).toEqual([0, 0]);
  });

  test('that is broadcast interrupts nobody, and is carried out before the next access', () => {
    const { cpus } = new TestMachine({ shootdown: 'broadcast' });
    for (const cpu of cpus) tlbFill(cpu, 8, 0, mkPte(20, false, false));
    cpus[1]!.irqsOff = 1;
    flushTlbRange(cpus[0]!, 8, 0, 8, 1, false);
    expect(tlbLookup(cpus[0]!, 8, 0, false)).toBe(0);
    beginAccess(cpus[1]!);
    expect(tlbLookup(cpus[1]!, 8, 0, false)).toBe(0);
    endAccess(cpus[1]!);
    expect(peek(cpus[1]!.block + PERCPU.ipiWanted)).toBe(0);
  });

  test('that is broadcast waits for an access under way', () => {
    const { cpus } = new TestMachine({ shootdown: 'broadcast' });
    beginAccess(cpus[1]!);
    const flush = (): void => flushTlbRange(cpus[0]!, 8, 0, 8, 1, false);
    expect(flush).toThrow(/would wait for ever/);
    endAccess(cpus[1]!);
    flush();
  });

  test('of pages lets lazy CPUs sleep, which catch up when they come back', () => {
    enterLazyTlb(machine.cpu(1));
    flushTlbRange(machine.cpu(0), 8, 0, 8, 1, false);
    expect(remembered()[1]).toEqual([true, true, true]);
    enterMm(machine.cpu(1));
    expect(remembered()[1]).toEqual([false, true, true]);
    expect(machine.counter('ipisSent')).toBe(1);
  });

  test('after which tables go wakes lazy CPUs, but not one asleep in a wait', () => {
    enterLazyTlb(machine.cpu(1));
    poke(machine.cpu(2).block + PERCPU.tlbState, TLB_STATE.asleep);
    flushTlbRange(machine.cpu(0), 8, 0, 8, 1, true);
    const all = remembered();
    expect([all[1], all[2]]).toEqual([
      [false, true, false],
      [true, true, true],
    ]);
    enterMm(machine.cpu(2));
    expect(remembered()[2]).toEqual([false, true, false]);
  });
});
