/** What is peculiar to reclaim inside the zap: its two paths, and the races between them. */
import { beforeEach, describe, expect, test } from 'vitest';
import { peek } from '#arena/word';
import { pmdLockptr, pmdOffset, pmdpGet, pteLockptr } from '#mm/pgtable';
import type { Plan } from '#scenario/plan';
import { spinLock, spinUnlock } from '#sync/spinlock';
import { TestMachine } from '#tasks/machine.suite';
import { LOCK } from '#trace/vocabulary';

let machine: TestMachine;

/** A machine whose slots 8 to 15 are mapped, with the pages of slot 8 filled. */
function boot(plan: Partial<Plan> = {}): void {
  machine = new TestMachine({ protocol: 'pt-reclaim', ...plan });
  machine.mmap(0, 64, 128);
  for (let page = 64; page < 72; page++) machine.store(0, page, page);
}

function placesOf(page: number): { pmdp: number; pml: number; ptl: number } {
  const pmdp = pmdOffset(machine.cpu(0), machine.mm, machine.slotOf(page));
  const ptl = pteLockptr(machine.mm, pmdpGet(machine.cpu(0), pmdp));
  return { pmdp, pml: pmdLockptr(machine.mm, pmdp), ptl };
}

const paths = (): number[] =>
  (['reclaimFast', 'reclaimSlow', 'reclaimKept', 'tablesReclaimed'] as const).map((name) =>
    machine.counter(name),
  );

beforeEach(() => boot());

describe('the fast path', () => {
  test('frees the table of a DONTNEED that covers its slot', () => {
    machine.dontneed(1, 64, 72);
    expect([paths(), machine.nrPtes()]).toEqual([[1, 0, 0, 1], 0]);
    // The tables above stay.
    expect([machine.nrPmds(), machine.nrPuds()]).toEqual([1, 1]);
  });

  test('frees each table of a longer DONTNEED, but not those it covers in part', () => {
    for (let page = 72; page < 100; page++) machine.load(0, page);
    machine.dontneed(1, 68, 98);
    expect([...machine.tree().ptes.keys()]).toEqual([8, 12]);
    expect(paths()).toEqual([3, 0, 0, 3]);
  });

  test('frees a table that was empty already', () => {
    machine.dontneed(1, 64, 68);
    machine.dontneed(1, 68, 72);
    expect([paths(), machine.nrPtes()]).toEqual([[0, 0, 0, 0], 1]);
    machine.dontneed(1, 64, 72);
    expect([paths(), machine.nrPtes()]).toEqual([[1, 0, 0, 1], 0]);
  });

  test('is taken where locks are not split', () => {
    boot({ splitLocks: false });
    machine.dontneed(1, 64, 72);
    expect([paths(), machine.nrPtes(), machine.facts()]).toEqual([[1, 0, 0, 1], 0, []]);
    expect(machine.store(0, 64, 5)).toBe(0);
  });

  test('is not for a slot that two VMAs share', () => {
    machine.munmap(0, 68, 69);
    machine.dontneed(1, 64, 72);
    expect([paths(), machine.nrPtes()]).toEqual([[0, 0, 0, 0], 1]);
  });

  test('defers the table: a reader that is inside finds it', () => {
    const table = machine.tree().ptes.get(8)!;
    const allocated = machine.inUse('tables');
    machine.dontneed(1, 64, 72);
    expect(machine.inUse('tables')).toBe(allocated);
    machine.settle();
    expect([machine.inUse('tables'), machine.tree().ptes.get(8)]).toEqual([
      allocated - 1,
      undefined,
    ]);
    expect(table).toBeGreaterThan(0);
  });
});

describe('the slow path', () => {
  test('frees where the gather was too small for the table', () => {
    boot({ gatherPages: 3 });
    machine.dontneed(1, 64, 72);
    expect([paths(), machine.nrPtes()]).toEqual([[0, 1, 0, 1], 0]);
    expect(machine.counter('gatherFull')).toBe(2);
  });

  test('frees where the gather was full just at the end', () => {
    boot({ gatherPages: 8 });
    machine.dontneed(1, 64, 72);
    expect([paths(), machine.nrPtes()]).toEqual([[0, 1, 0, 1], 0]);
  });

  test('frees where the CPU was rescheduled on the way', () => {
    boot({ reschedPerMillion: 1_000_000 });
    machine.dontneed(1, 64, 72);
    const [fast, slow] = paths();
    expect([fast! + slow!, machine.nrPtes()]).toEqual([1, 0]);
    expect(machine.counter('reschedTaken')).toBeGreaterThan(0);
  });

  test('frees where another held the pml at the try', () => {
    const { pml } = placesOf(64);
    const holder = machine.cpu(2);
    spinLock(holder, pml, LOCK.pml);
    // It lets go before the zap asks for the pml in earnest.
    machine.beforeLock(1, pml, () =>
      machine.beforeLock(1, pml, () => spinUnlock(holder, pml, LOCK.pml)),
    );
    machine.dontneed(1, 64, 72);
    expect([paths(), machine.nrPtes()]).toEqual([[0, 1, 0, 1], 0]);
    expect(machine.races()).toEqual({ 'pmdTrylockFailed: madvise <- access': 1 });
  });

  test('keeps a table that was filled again in between, and counts it', () => {
    boot({ gatherPages: 8 });
    const { pml } = placesOf(64);
    machine.beforeLock(1, pml, () => machine.store(2, 66, 7));
    machine.dontneed(1, 64, 72);
    expect([paths(), machine.nrPtes()]).toEqual([[0, 0, 1, 0], 1]);
    expect(machine.races()).toEqual({ 'refilled: madvise <- fault': 1 });
    expect([machine.load(0, 66), machine.load(0, 65)]).toEqual([7, 0]);
  });

  test('finds that another has freed the table', () => {
    boot({ gatherPages: 8 });
    const { pml, pmdp } = placesOf(64);
    machine.beforeLock(1, pml, () => machine.dontneed(2, 64, 72));
    machine.dontneed(1, 64, 72);
    expect([paths(), machine.nrPtes(), peek(pmdp)]).toEqual([[1, 0, 0, 1], 0, 0]);
  });

  test('frees the empty table that has taken the place of the zapped one', () => {
    boot({ gatherPages: 8 });
    const { pml } = placesOf(64);
    machine.beforeLock(1, pml, () => {
      machine.dontneed(2, 64, 72);
      machine.load(2, 65);
      machine.dontneed(2, 65, 66);
    });
    machine.dontneed(1, 64, 72);
    expect([paths(), machine.nrPtes()]).toEqual([[1, 1, 0, 2], 0]);
  });

  test('does not deadlock where locks are not split', () => {
    boot({ gatherPages: 8, splitLocks: false });
    machine.dontneed(1, 64, 72);
    expect([paths(), machine.nrPtes()]).toEqual([[0, 1, 0, 1], 0]);
  });
});

describe('with reverify', () => {
  const drops = { gatherPages: 8 };
  const refill = (): void => {
    // Between the first hold of the ptl, at whose end the gather is full, and the second.
    const { ptl } = placesOf(64);
    machine.beforeLock(1, ptl, () => machine.beforeLock(1, ptl, () => machine.store(2, 64, 7)));
  };

  test('rest, a dropped ptl does not lead to the slow path', () => {
    boot({ ...drops, options: { reverify: 'rest' } });
    machine.dontneed(1, 64, 72);
    expect([paths(), machine.nrPtes()]).toEqual([[1, 0, 0, 1], 0]);
  });

  test('rest, entries filled behind the zap keep the table', () => {
    boot({ gatherPages: 3, options: { reverify: 'rest' } });
    refill();
    machine.dontneed(1, 64, 72);
    expect([paths(), machine.load(0, 64)]).toEqual([[0, 0, 1, 0], 7]);
    expect(machine.races()).toEqual({ 'refilled: madvise <- fault': 1 });
  });

  test('none, as first merged, they are lost', () => {
    boot({ gatherPages: 3, options: { variant: 'as-posted' } });
    refill();
    machine.dontneed(1, 64, 72);
    expect([machine.nrPtes(), machine.facts()]).toEqual([0, ['nonemptyUnhooked']]);
  });
});

test('with sharedLock tried, locks that are not split leave only the slow path', () => {
  boot({ splitLocks: false, options: { sharedLock: 'tried' } });
  machine.dontneed(1, 64, 72);
  expect([paths(), machine.nrPtes()]).toEqual([[0, 1, 0, 1], 0]);
});

test('munmap does not reclaim: it frees its tables itself', () => {
  machine.munmap(1, 64, 128);
  expect([paths(), machine.nrPtes(), machine.nrPmds()]).toEqual([[0, 0, 0, 0], 0, 0]);
});
