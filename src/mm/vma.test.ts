/** Facts about mmap and munmap: the map of VMAs against a model of intervals. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { vmaAt } from '#arena/arena';
import { Halted } from '#arena/halt';
import { MM, VMA, VMA_FLAG } from '#arena/layout/mm';
import { PERCPU } from '#arena/layout/percpu';
import { peek } from '#arena/word';
import { property } from '#base/property.suite';
import { TestMachine } from '#tasks/machine.suite';
import { checkVma, findVma, lockVmaUnderRcu, vmaEndRead } from './vma.ts';

/** Pages of the address space that the property plays in: 12 slots. */
const PAGES = 96;

/** The maximal runs of equal flags; -1 is a hole. */
function runsOf(pages: readonly number[]): [number, number, number][] {
  const runs: [number, number, number][] = [];
  for (const [page, flags] of pages.entries()) {
    const last = runs.at(-1);
    if (flags < 0) continue;
    if (last !== undefined && last[1] === page && last[2] === flags) last[1] = page + 1;
    else runs.push([page, page + 1, flags]);
  }
  return runs;
}

const range = fc
  .tuple(fc.nat(PAGES - 1), fc.integer({ min: 1, max: 40 }))
  .map(([start, length]) => [start, Math.min(PAGES, start + length)] as const);
const flags = fc.constantFrom(-1, 0, 0, VMA_FLAG.hugepage, VMA_FLAG.uffdWp);
const changes = fc.array(fc.tuple(range, flags, fc.nat(2)), { maxLength: 40 });

property([changes], { numRuns: 250 })(
  'the map holds exactly what is mapped: sorted, without overlap, equal neighbours merged',
  (sequence) => {
    const machine = new TestMachine();
    const model = Array<number>(PAGES).fill(-1);
    for (const [[start, end], wanted, cpu] of sequence) {
      if (wanted < 0) machine.munmap(cpu, start, end);
      else machine.mmap(cpu, start, end, wanted);
      model.fill(wanted, start, end);
      expect(machine.vmas()).toEqual(runsOf(model));
    }
    const cpu = machine.cpu(0);
    for (const [page, wanted] of model.entries()) {
      const [slot, index] = [machine.slotOf(page), machine.indexOf(page)];
      expect(findVma(cpu, machine.mm, slot, index) !== 0).toBe(wanted >= 0);
      const locked = lockVmaUnderRcu(cpu, machine.mm, slot, index);
      expect(locked !== 0).toBe(wanted >= 0);
      if (locked !== 0) vmaEndRead(cpu, locked);
    }
    expect(machine.facts()).toEqual([]);
  },
);

describe('a VMA', () => {
  test('that is gone by after it has left the map halts the machine', () => {
    const machine = new TestMachine();
    machine.mmap(0, 10, 60);
    const cpu = machine.cpu(0);
    const vma = findVma(cpu, machine.mm, machine.slotOf(10), machine.indexOf(10));
    checkVma(cpu, vma);
    machine.munmap(1, 0, 64);
    expect(() => checkVma(cpu, vma)).toThrow(Halted);
    expect(machine.facts()).toEqual(['vmaGone']);
  });

  test('that is cut keeps a head and a tail', () => {
    const machine = new TestMachine();
    machine.mmap(0, 10, 60, VMA_FLAG.hugetlb);
    machine.munmap(0, 20, 30);
    expect(machine.vmas()).toEqual([
      [10, 20, VMA_FLAG.hugetlb],
      [30, 60, VMA_FLAG.hugetlb],
    ]);
  });

  test('is left alone by a munmap of nothing', () => {
    const machine = new TestMachine();
    machine.mmap(0, 64, 128);
    machine.munmap(0, 80, 80);
    expect(machine.vmas()).toEqual([[64, 128, 0]]);
  });

  test('is found where the hint is stale', () => {
    const machine = new TestMachine();
    machine.mmap(0, 16, 32);
    expect(machine.store(1, 20, 7)).toBe(0);
    machine.munmap(0, 16, 24);
    machine.mmap(0, 40, 48);
    expect(machine.store(1, 41, 8)).toBe(0);
    expect(machine.store(1, 20, 9)).toBe(-1);
    expect(machine.store(1, 25, 9)).toBe(0);
  });

  test('that is write-locked sends a fault to the mmap lock, once', () => {
    const machine = new TestMachine();
    machine.mmap(0, 16, 32);
    const { lockSeq } = VMA;
    const at = vmaAt(findVma(machine.cpu(0), machine.mm, 2, 0)) + lockSeq;
    // As between a writer's announcement and the end of its mmap lock.
    machine.meanwhile(1, 'read', at, () => {
      machine.words[at] = peek(machine.map.mm + MM.lockSeq);
    });
    expect(machine.store(1, 20, 7)).toBe(0);
    expect(machine.races()).toEqual({ 'vmaLockFallback: fault <- munmap': 1 });
  });

  // A race is counted where another CPU changed something; nobody did.
  test('that does not exist is no race', () => {
    const machine = new TestMachine();
    machine.mmap(0, 64, 128);
    expect(machine.store(0, 300, 1)).toBe(-1);
    machine.dontneed(0, 40, 70);
    expect(machine.races()).toEqual({});
  });

  test('may be one of as many as the geometry has room for', () => {
    const machine = new TestMachine({}, { vmas: 4 });
    for (let i = 0; i < 3; i++) machine.mmap(0, 16 * i, 16 * i + 8);
    expect(() => machine.mmap(0, 64, 72)).toThrow('no more than 3 VMAs');
  });

  test('leaves no reader word behind', () => {
    const machine = new TestMachine();
    machine.mmap(0, 16, 32);
    machine.store(1, 20, 7);
    machine.dontneed(2, 16, 32);
    for (const { block } of machine.cpus) {
      for (let vma = 0; vma < machine.geometry.vmas; vma++)
        expect(peek(block + machine.map.vmaReaders + vma)).toBe(0);
      expect([peek(block + PERCPU.rcuNesting), peek(block + PERCPU.heldCount)]).toEqual([0, 0]);
    }
  });
});
