/** Facts about the fair reader-writer semaphore and the per-VMA lock. */
import { beforeEach, describe, expect, test } from 'vitest';
import { vmaAt } from '#arena/arena';
import { CONTROL } from '#arena/layout/control';
import { MM, VMA } from '#arena/layout/mm';
import { PERCPU } from '#arena/layout/percpu';
import { peek } from '#arena/word';
import { TestMachine } from '#tasks/machine.suite';
import { LOCK } from '#trace/vocabulary';
import { downRead, downReadTrylock, downWrite, upRead, upWrite } from './rwsem.ts';
import { spinLock } from './spinlock.ts';
import { vmaReadTrylock, vmaReadUnlock, vmaWriteLock, vmaWriteUnlockAll } from './vma-lock.ts';

const SEM = CONTROL.torture;
const WRITER = SEM;
const waits = /would wait for ever/;

let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine();
});

const tryRead = (cpu: number): boolean => downReadTrylock(machine.cpu(cpu), SEM, LOCK.mmap);

describe('the semaphore', () => {
  test('lets readers share and keeps writers out', () => {
    downRead(machine.cpu(0), SEM, LOCK.mmap);
    expect(tryRead(1)).toBe(true);
    expect(() => downWrite(machine.cpu(2), SEM, LOCK.mmap)).toThrow(waits);
  });

  test('keeps readers out while a writer is in', () => {
    downWrite(machine.cpu(0), SEM, LOCK.mmap);
    expect(tryRead(1)).toBe(false);
    expect(() => downRead(machine.cpu(2), SEM, LOCK.mmap)).toThrow(waits);
  });

  test('is free for either after either', () => {
    for (let i = 0; i < 3; i++) {
      downWrite(machine.cpu(0), SEM, LOCK.mmap);
      upWrite(machine.cpu(0), SEM);
      expect(tryRead(1)).toBe(true);
      upRead(machine.cpu(1), SEM);
    }
  });

  test('lets no reader pass a waiting writer', () => {
    downRead(machine.cpu(0), SEM, LOCK.mmap);
    let passed: boolean | null = null;
    machine.meanwhile(1, 'wait', WRITER, () => {
      passed = tryRead(2);
      upRead(machine.cpu(0), SEM);
    });
    downWrite(machine.cpu(1), SEM, LOCK.mmap);
    expect(passed).toBe(false);
    expect(tryRead(2)).toBe(false);
    upWrite(machine.cpu(1), SEM);
    expect(tryRead(2)).toBe(true);
  });

  test('lets a writer in only after the last of several readers', () => {
    for (const id of [0, 1]) downRead(machine.cpu(id), SEM, LOCK.mmap);
    machine.meanwhile(2, 'wait', WRITER, () => {
      upRead(machine.cpu(1), SEM);
      machine.meanwhile(2, 'wait', WRITER, () => upRead(machine.cpu(0), SEM));
    });
    downWrite(machine.cpu(2), SEM, LOCK.mmap);
    expect(machine.unplayed()).toEqual([]);
    expect(tryRead(0)).toBe(false);
  });

  test('has its waiters quiescent for RCU, and online again afterwards', () => {
    const seen = machine.cpu(1).block + PERCPU.rcuSeen;
    downRead(machine.cpu(0), SEM, LOCK.mmap);
    machine.meanwhile(1, 'wait', WRITER, () => {
      expect(peek(seen)).toBe(0);
      upRead(machine.cpu(0), SEM);
    });
    downWrite(machine.cpu(1), SEM, LOCK.mmap);
    expect(peek(seen)).not.toBe(0);
  });

  test('is not taken under a spinlock', () => {
    spinLock(machine.cpu(0), SEM + 16, LOCK.ptl);
    downRead(machine.cpu(0), SEM, LOCK.mmap);
    expect(machine.facts()).toEqual(['sleepInAtomic']);
  });
});

describe('the VMA lock', () => {
  const seqs = (): [number, number] => [vmaAt(3) + VMA.lockSeq, machine.map.mm + MM.lockSeq];
  const readLock = (cpu: number): boolean => vmaReadTrylock(machine.cpu(cpu), 3, ...seqs());
  const writeLock = (cpu: number): void => vmaWriteLock(machine.cpu(cpu), 3, ...seqs());
  const readerWord = (cpu: number): number => machine.cpu(cpu).block + machine.map.vmaReaders + 3;

  test('lets readers share', () => {
    expect([readLock(0), readLock(1), readLock(2)]).toEqual([true, true, true]);
  });

  test('keeps readers out once the writer has announced itself, while it still waits', () => {
    readLock(0);
    let second: boolean | null = null;
    machine.meanwhile(1, 'wait', readerWord(0), () => {
      second = readLock(2);
      vmaReadUnlock(machine.cpu(0), 3);
    });
    writeLock(1);
    expect(second).toBe(false);
    expect(machine.unplayed()).toEqual([]);
    // The reader that failed has left no trace.
    expect([0, 1, 2].map((cpu) => peek(readerWord(cpu)))).toEqual([0, 0, 0]);
  });

  test('has its writer wait for a reader that registered before the announcement', () => {
    readLock(2);
    expect(() => writeLock(1)).toThrow(waits);
  });

  test('fails a reader whose check comes after the announcement', () => {
    // Between the reader's registration and its check a writer announces itself, and must wait.
    machine.meanwhile(0, 'read', seqs()[0], () => {
      expect(() => writeLock(1)).toThrow(waits);
    });
    expect(readLock(0)).toBe(false);
    expect(machine.unplayed()).toEqual([]);
  });

  test('is taken again without a visit by a writer that has it, and freed for all at once', () => {
    writeLock(0);
    writeLock(0);
    expect(readLock(1)).toBe(false);
    vmaWriteUnlockAll(machine.cpu(0), seqs()[1]);
    expect(readLock(1)).toBe(true);
  });

  // The reader may wait for a grace period while it holds the VMA (its callback queue is full).
  test('has its waiting writer quiescent for RCU', () => {
    readLock(0);
    let seen = -1;
    machine.meanwhile(1, 'wait', readerWord(0), () => {
      seen = peek(machine.cpu(1).block + PERCPU.rcuSeen);
      vmaReadUnlock(machine.cpu(0), 3);
    });
    writeLock(1);
    expect(seen).toBe(0);
  });
});
