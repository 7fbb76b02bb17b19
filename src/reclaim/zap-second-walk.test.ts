/** What is peculiar to the second walk: which tables it goes through, and when it flushes. */
import { beforeEach, expect, test } from 'vitest';
import { VMA_FLAG } from '#arena/layout/mm';
import { pmdLockptr, pmdOffset } from '#mm/pgtable';
import type { Plan } from '#scenario/plan';
import { TestMachine } from '#tasks/machine.suite';

let machine: TestMachine;

/** Slots 8 to 15 are mapped, with the pages of slot 8 filled. */
function boot(options: Plan['options'] = {}, plan: Partial<Plan> = {}): void {
  machine = new TestMachine({ protocol: 'zap-second-walk', options, ...plan });
  machine.mmap(0, 64, 128);
  for (let page = 64; page < 72; page++) machine.store(0, page, page);
}

const slots = (): number[] => [...machine.tree().ptes.keys()];

beforeEach(() => boot());

test('frees the tables of the slots that the DONTNEED contains, and looks at no other', () => {
  for (let page = 72; page < 100; page++) machine.load(0, page);
  machine.dontneed(1, 68, 98);
  expect([slots(), machine.nrPtes()]).toEqual([[8, 12], 2]);
  expect(machine.counters()).toMatchObject({ tablesReclaimed: 3, scanTables: 3 });
});

test('frees where the zap had dropped the ptl, and where locks are not split', () => {
  boot({}, { gatherPages: 3, splitLocks: false });
  machine.dontneed(1, 64, 72);
  expect([slots(), machine.facts()]).toEqual([[], []]);
});

const { hugetlb, hugepage, uffdWp } = VMA_FLAG;
test.each(Object.entries({ hugetlb, hugepage, uffdWp }))('passes %s VMAs over', (_name, flag) => {
  machine.mmap(0, 64, 72, flag);
  machine.load(0, 65);
  machine.dontneed(1, 64, 72);
  expect([slots(), machine.counter('scanTables')]).toEqual([[8], 0]);
});

test('an munmap makes no second walk', () => {
  machine.munmap(1, 64, 72);
  expect([slots(), machine.counter('scanTables')]).toEqual([[], 0]);
});

test('keeps a table that a fault has filled since the zap', () => {
  const pml = pmdLockptr(machine.mm, pmdOffset(machine.cpu(0), machine.mm, 8));
  machine.beforeLock(1, pml, () => machine.store(2, 66, 7));
  machine.dontneed(1, 64, 72);
  expect([slots(), machine.load(0, 66)]).toEqual([[8], 7]);
  expect(machine.races()).toEqual({ 'refilled: madvise <- fault': 1 });
});

test.each([
  ['gather', 1],
  ['locked', 2],
])('with flush %s', (flush, flushes) => {
  boot({ flush });
  machine.dontneed(1, 64, 72);
  expect(machine.counter('tlbFlushes')).toBe(flushes);
});
