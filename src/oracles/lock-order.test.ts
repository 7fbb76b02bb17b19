/** Orders of locks against the law are told, with the way back; those that it allows are not. */
import { expect, test } from 'vitest';
import { LOCK_ORDER, LOCKS_MAX, PERCPU } from '#arena/layout/percpu';
import { ACTOR, LOCK, LOCKS } from '#trace/vocabulary';
import { balanced, type Fixture } from './fixture.suite.ts';
import { LOCK_LAW } from './lock-order.ts';

type LockKey = keyof typeof LOCK;

/** CPU `cpu` has taken a lock of class `inner` under one of `outer`, at a madvise. */
function takes(f: Fixture, cpu: number, inner: LockKey, outer: LockKey, more = 0): void {
  const held = (1 << LOCK[outer]) | more;
  f.words[f.block(cpu) + PERCPU.lockOrders + LOCK[outer] * LOCKS_MAX + LOCK[inner]] =
    LOCK_ORDER.seen | (held << LOCK_ORDER.heldShift) | ACTOR.madvise;
}

const told = (f: Fixture): string[] =>
  f.verdicts().map(({ kind, cpus, message }) => `${kind} ${cpus}: ${message}`);

test('the law has a place for every class', () => {
  expect(LOCK_LAW.flat().sort()).toEqual([...LOCKS].sort());
});

test('what the law allows is not told', () => {
  const f = balanced();
  for (const [i, row] of LOCK_LAW.entries())
    for (const inner of LOCK_LAW.slice(i + 1).flat())
      for (const outer of row) {
        const at = LOCKS.indexOf(outer) * LOCKS_MAX + LOCKS.indexOf(inner);
        f.words[f.block(1) + PERCPU.lockOrders + at] = LOCK_ORDER.seen;
      }
  expect(told(f)).toEqual([]);
});

test('both orders of two locks are told with both CPUs', () => {
  const f = balanced();
  takes(f, 0, 'ptl', 'pml');
  takes(f, 1, 'pml', 'ptl', 1 << LOCK.vma);
  takes(f, 2, 'pml', 'ptl');
  expect(told(f)).toEqual([
    'lock-order 0,1: ptl was taken under pml by cpu0 (madvise) and pml under ptl by cpu1 ' +
      '(madvise with vma)',
  ]);
});

test('of a longer circle every link is told', () => {
  const f = balanced();
  takes(f, 2, 'ptl', 'pml');
  takes(f, 1, 'zone', 'ptl');
  takes(f, 0, 'pml', 'zone');
  takes(f, 0, 'ptl', 'mmap');
  expect(told(f)).toEqual([
    'lock-order 0,1,2: ptl was taken under pml by cpu2 (madvise) and zone under ptl by cpu1 ' +
      '(madvise) and pml under zone by cpu0 (madvise)',
  ]);
});

test('an order against the law is told although nobody has gone the other way', () => {
  const f = balanced();
  takes(f, 1, 'mmap', 'vma');
  takes(f, 1, 'tables', 'zone');
  takes(f, 2, 'ptl', 'ptl');
  expect(told(f)).toEqual([
    'lock-order 1: mmap was taken under vma by cpu1 (madvise), against the lock order',
    'lock-order 1: tables was taken under zone by cpu1 (madvise), and neither goes under the other',
    'lock-order 2: a second ptl lock was taken under the first by cpu2 (madvise)',
  ]);
});

test('where locks are not split, pml, ptl and page-table are one lock', () => {
  const f = balanced();
  takes(f, 0, 'ptl', 'pml');
  expect(told(f)).toEqual([]);
  f.splitLocks = false;
  expect(told(f)).toEqual([
    'lock-order 0: a second page-table lock was taken under the first by cpu0 (madvise)',
  ]);
});

test('it is judged whenever a run ends, after what has happened', () => {
  const f = balanced();
  takes(f, 1, 'mmap', 'vma');
  for (const moment of ['fair', 'halted', 'stopped'] as const)
    expect(f.judge(moment)).toEqual(['lock-order']);
  expect(f.judge('exit')).toContain('lock-order');
  f.fact(1, 'sleepInAtomic', 1);
  f.words[f.block(1) + PERCPU.rcuNesting] = 1;
  expect(f.judge()).toEqual(['sleep-in-atomic', 'rcu-unbalanced', 'lock-order']);
});
