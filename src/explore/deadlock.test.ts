/** A deadlock is a verdict, whether or not the judges find a circle in it. */
import { expect, test } from 'vitest';
import { MM } from '#arena/layout/mm';
import { LOCK_ORDER, LOCKS_MAX, PERCPU } from '#arena/layout/percpu';
import { arenaMap } from '#arena/map';
import { LOCK } from '#trace/vocabulary';
import { judgeDeadlock } from './deadlock.ts';
import { TINY } from './small.suite.ts';

const map = arenaMap(TINY);
const lock = map.mm + MM.mmapLock;

/** `order`: position of a pair of classes that CPU 0 has taken one under the other. */
function judged(holder: number | null, order: number | null = null): string[] {
  const words = new Int32Array(new SharedArrayBuffer(4 * map.sizeWords));
  if (order !== null) words[map.percpu + PERCPU.lockOrders + order] = LOCK_ORDER.seen;
  if (holder !== null) {
    const block = map.percpu + holder * map.percpuWords;
    words[block + PERCPU.heldCount] = 1;
    words[block + PERCPU.held] = lock;
  }
  const evidence = {
    words,
    map,
    splitLocks: true,
    countsEntries: false,
    ticketClasses: 0,
    moment: 'stopped',
  } as const;
  return judgeDeadlock(evidence, [{ cpu: 1, at: lock, seen: 0 }], PERCPU).map(
    ({ kind, message }) => `${kind}: ${message}`,
  );
}

test('with a circle', () => {
  expect(judged(1)).toEqual([
    'deadlock: cpu1 (none) waits for the mmap lock, which it holds itself',
  ]);
});

test('without one', () => {
  expect(judged(null)).toEqual([
    'deadlock: nobody can go on; waited for: cpu1 (none) the mmap lock',
  ]);
});

test('before an order of locks that only may end so', () => {
  for (const holder of [0, 1, null]) {
    const found = judged(holder, LOCK.mmap + LOCK.vma * LOCKS_MAX).map(
      (told) => told.split(':')[0],
    );
    expect(found).toEqual(['deadlock', 'lock-order']);
  }
});
