/** What a CPU holds and in which order it took it, for all kinds of locks; and who may sleep. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Cpu } from '#arch/cpu';
import { vmaAt } from '#arena/arena';
import { CONTROL } from '#arena/layout/control';
import { MM, VMA } from '#arena/layout/mm';
import { HELD_MAX, LOCK_ORDER, LOCKS_MAX, PERCPU } from '#arena/layout/percpu';
import { peek } from '#arena/word';
import { rcuBarrier } from '#mm/rcu-free';
import { TestMachine } from '#tasks/machine.suite';
import { ACTOR, LOCK, LOCKS } from '#trace/vocabulary';
import { isHeld } from './held.ts';
import { synchronizeRcu } from './rcu.ts';
import { downRead, downReadTrylock, downWrite, upRead, upWrite } from './rwsem.ts';
import {
  SINGLE_DEPTH_NESTING,
  spinLock,
  spinLockNested,
  spinTrylock,
  spinUnlock,
} from './spinlock.ts';
import { vmaReadTrylock, vmaReadUnlock, vmaWriteLock, vmaWriteUnlockAll } from './vma-lock.ts';

const WORD = CONTROL.torture;

let machine: TestMachine;
let cpu: Cpu;
beforeEach(() => {
  machine = new TestMachine();
  cpu = machine.cpu(1);
});

const held = (): string[] => LOCKS.filter((_, lockClass) => isHeld(cpu, lockClass));
const seqs = (vma: number): [number, number] => [
  vmaAt(vma) + VMA.lockSeq,
  machine.map.mm + MM.lockSeq,
];

function wordOf(outer: number, inner: number): number {
  return peek(cpu.block + PERCPU.lockOrders + outer * LOCKS_MAX + inner);
}

/** As `inner under outer`. */
function orders(): string[] {
  return LOCKS.flatMap((outer, a) =>
    LOCKS.flatMap((inner, b) => (wordOf(a, b) === 0 ? [] : [`${inner} under ${outer}`])),
  );
}

describe('an order', () => {
  test('is noted for each lock held, with who took it and what else it held', () => {
    spinLock(cpu, WORD, LOCK.pml);
    spinLock(cpu, WORD + 1, LOCK.ptl);
    spinUnlock(cpu, WORD, LOCK.pml);
    spinLock(cpu, WORD + 2, LOCK.zone);
    expect(orders()).toEqual(['ptl under pml', 'zone under ptl']);
    const how = wordOf(LOCK.pml, LOCK.ptl);
    expect(how & LOCK_ORDER.actorMask).toBe(ACTOR.access);
    expect((how & ~LOCK_ORDER.seen) >> LOCK_ORDER.heldShift).toBe(1 << LOCK.pml);
    spinLock(cpu, WORD, LOCK.pml);
    spinLock(cpu, WORD + 3, LOCK.zone);
    expect(orders().length).toBe(6);
    // What was noted first stays.
    expect((wordOf(LOCK.ptl, LOCK.zone) & ~LOCK_ORDER.seen) >> LOCK_ORDER.heldShift).toBe(
      1 << LOCK.ptl,
    );
  });

  test('is noted before the wait', () => {
    spinLock(machine.cpu(0), WORD, LOCK.pml);
    spinLock(cpu, WORD + 1, LOCK.ptl);
    expect(() => spinLock(cpu, WORD, LOCK.pml)).toThrow('would wait for ever');
    expect(orders()).toEqual(['pml under ptl']);
  });

  test('is not made by a trylock, under which others are taken', () => {
    spinLock(cpu, WORD, LOCK.ptl);
    expect(spinTrylock(cpu, WORD + 1, LOCK.pml)).toBe(true);
    expect(downReadTrylock(cpu, WORD + 4, LOCK.mmap)).toBe(true);
    expect(orders()).toEqual([]);
    spinLock(cpu, WORD + 2, LOCK.zone);
    expect(orders()).toEqual(['zone under mmap', 'zone under pml', 'zone under ptl']);
  });

  test('of a class with itself is noted unless it is said to be meant', () => {
    spinLock(cpu, WORD, LOCK.ptl);
    spinLockNested(cpu, WORD + 1, LOCK.ptl, SINGLE_DEPTH_NESTING);
    expect([orders(), held()]).toEqual([[], ['ptl']]);
    spinUnlock(cpu, WORD, LOCK.ptl);
    expect(held()).toEqual(['ptl']);
    spinLock(cpu, WORD, LOCK.ptl);
    expect(orders()).toEqual(['ptl under ptl']);
    for (const at of [WORD, WORD + 1]) spinUnlock(cpu, at, LOCK.ptl);
    expect(held()).toEqual([]);
  });

  test('of semaphores is noted, and they are released in any order', () => {
    downRead(cpu, WORD, LOCK.mmap);
    downRead(cpu, WORD + 2, LOCK.anonVma);
    downWrite(cpu, WORD + 4, LOCK.tableRwsem);
    expect(orders()).toEqual([
      'table-rwsem under mmap',
      'anon-vma under mmap',
      'table-rwsem under anon-vma',
    ]);
    upRead(cpu, WORD);
    expect(held()).toEqual(['table-rwsem', 'anon-vma']);
    upWrite(cpu, WORD + 4);
    expect(held()).toEqual(['anon-vma']);
    upRead(cpu, WORD + 2);
    expect(held()).toEqual([]);
  });

  test('of more semaphores than there is room for is left out', () => {
    for (let i = 0; i < HELD_MAX + 2; i++) downRead(cpu, WORD, LOCK.mmap);
    expect(peek(cpu.block + PERCPU.semaphoreCount)).toBe(HELD_MAX);
    expect(orders()).toEqual(['mmap under mmap']);
    for (let i = 0; i < HELD_MAX + 2; i++) upRead(cpu, WORD);
    expect(peek(cpu.block + PERCPU.semaphoreCount)).toBe(0);
  });

  test('of VMA locks is that of the writer, who may take several', () => {
    downWrite(cpu, WORD, LOCK.mmap);
    for (const vma of [3, 4, 4]) vmaWriteLock(cpu, vma, ...seqs(vma));
    spinLock(cpu, WORD + 2, LOCK.ptl);
    expect(orders()).toEqual(['vma under mmap', 'ptl under mmap', 'ptl under vma']);
    vmaWriteUnlockAll(cpu, seqs(3)[1]);
    expect(held()).toEqual(['mmap', 'ptl']);
  });

  test('of a VMA lock that is read begins with what is taken under it', () => {
    downRead(cpu, WORD, LOCK.mmap);
    expect(vmaReadTrylock(cpu, 3, ...seqs(3))).toBe(true);
    expect([orders(), held()]).toEqual([[], ['mmap', 'vma']]);
    upRead(cpu, WORD);
    downRead(cpu, WORD, LOCK.mmap);
    expect(orders()).toEqual(['mmap under vma']);
    vmaReadUnlock(cpu, 3);
    expect(held()).toEqual(['mmap']);
  });

  test('is not changed by a VMA lock that is not to be had', () => {
    vmaWriteLock(machine.cpu(0), 3, ...seqs(3));
    expect([vmaReadTrylock(cpu, 3, ...seqs(3)), held()]).toEqual([false, []]);
  });
});

test.each([
  ['synchronizeRcu', () => synchronizeRcu(cpu)],
  ['rcuBarrier', () => rcuBarrier(cpu)],
  ['downRead', () => downRead(cpu, WORD + 2, LOCK.mmap)],
  ['downWrite', () => downWrite(cpu, WORD + 2, LOCK.mmap)],
] as const)('under a spinlock %s is a fact', (_, sleep) => {
  spinLock(cpu, WORD, LOCK.ptl);
  sleep();
  expect(new Set(machine.facts())).toEqual(new Set(['sleepInAtomic']));
});
