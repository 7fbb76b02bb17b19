/** What is peculiar to the semaphore of the page tables: who waits for whom, and what goes. */
import { beforeEach, describe, expect, test } from 'vitest';
import { LOCK_RECORD, PERCPU } from '#arena/layout/percpu';
import { boundProtocol } from '#mm/reclaim-protocol';
import type { Plan } from '#scenario/plan';
import { TestMachine } from '#tasks/machine.suite';
import { LOCK } from '#trace/vocabulary';

let machine: TestMachine;

/** Slots 8 to 23 are mapped, in two PMD tables, with the pages of slot 8 filled. */
function boot(options: Plan['options'] = {}, plan: Partial<Plan> = {}): void {
  machine = new TestMachine({ protocol: 'table-rwsem', options, ...plan });
  machine.mmap(0, 64, 192);
  for (let page = 64; page < 72; page++) machine.store(0, page, page);
}

const slots = (): number[] => [...machine.tree().ptes.keys()];
const walk = (cpu: number, slot: number): void =>
  boundProtocol().walkBegin(machine.cpu(cpu), machine.mm, slot);
const walkEnd = (cpu: number, slot: number): void =>
  boundProtocol().walkEnd(machine.cpu(cpu), machine.mm, slot);
const acquired = (cpu: number): number =>
  machine.words[
    machine.cpu(cpu).block +
      PERCPU.locks +
      LOCK.tableRwsem * LOCK_RECORD.sizeWords +
      LOCK_RECORD.acquisitions
  ]!;

beforeEach(() => boot());

describe('a DONTNEED', () => {
  test('frees the tables of the slots that it contains, and no other', () => {
    for (let page = 72; page < 100; page++) machine.load(0, page);
    machine.dontneed(1, 68, 98);
    expect([slots(), machine.nrPtes()]).toEqual([[8, 12], 2]);
    expect(machine.counter('tablesReclaimed')).toBe(3);
  });

  test('keeps a table that a fault has filled since the zap', () => {
    const sem = machine.map.tableWords;
    // Reads for the zap, then writes for the table.
    machine.meanwhile(1, 'compareExchange', sem, () =>
      machine.meanwhile(1, 'compareExchange', sem, () => machine.store(2, 66, 7)),
    );
    machine.dontneed(1, 64, 72);
    expect([slots(), machine.load(0, 66), machine.facts()]).toEqual([[8], 7, []]);
    expect(machine.races()).toEqual({ 'refilled: madvise <- fault': 1 });
  });

  test.each([
    ['rcu', 0],
    ['now', 1],
  ])('with free %s', (free, freed) => {
    boot({ free });
    machine.dontneed(1, 64, 72);
    expect(machine.counter('tablesFreed')).toBe(freed);
  });
});

describe('a walk', () => {
  test('takes the semaphore once, however many tables it meets', () => {
    for (let slot = 8; slot < 16; slot++) machine.load(0, slot * 8);
    const before = acquired(1);
    machine.dontneed(1, 65, 127);
    // One walk, and one write for each of the six slots that it contains.
    expect(acquired(1) - before).toBe(1 + 6);
  });

  test('keeps tables where they are: whoever would free one waits', () => {
    walk(2, 8);
    expect(() => machine.dontneed(1, 64, 72)).toThrow(/CPU 1 would wait for ever/);
    expect(slots()).toEqual([8]);
    walkEnd(2, 8);
  });

  test.each([
    ['mm', false],
    ['pmd', true],
  ])('with scope %s, below another PMD table', (scope, passes) => {
    boot({ scope });
    walk(2, 16);
    if (passes) machine.dontneed(1, 64, 72);
    else expect(() => machine.dontneed(1, 64, 72)).toThrow(/would wait for ever/);
    expect(slots()).toEqual(passes ? [] : [8]);
  });

  test('with scope pmd, that finds no PMD table keeps out whoever frees below it later', () => {
    boot({ scope: 'pmd' });
    walk(2, 16);
    machine.load(0, 128);
    expect(() => machine.dontneed(1, 128, 136)).toThrow(/would wait for ever/);
  });
});
