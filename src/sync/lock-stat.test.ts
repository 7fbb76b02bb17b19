/** Lock statistics: what is counted, timed and blamed, by call site, mode and CPU. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { vmaAt } from '#arena/arena';
import { setClock } from '#arena/clock';
import { CONTROL } from '#arena/layout/control';
import { LOCK_KINDS_MAX, LOCK_MODE, LOCK_STAT, LOCKS_PER_SAMPLE } from '#arena/layout/lock-stat';
import { MM, VMA } from '#arena/layout/mm';
import { poke } from '#arena/word';
import { harvestLocks } from '#machine/harvest-locks';
import { type ClassStatistics, classStatistics } from '#machine/lock-statistics';
import type { LockFigures, LockPlace } from '#result/lock-statistics';
import { TestMachine } from '#tasks/machine.suite';
import { LOCK } from '#trace/vocabulary';
import {
  lockStatAcquired,
  lockStatFailed,
  lockStatReleased,
  lockStatWaited,
  lockStatWaits,
} from './lock-stat.ts';
import { downRead, downReadTrylock, downWrite, upRead, upWrite } from './rwsem.ts';
import { configureSpinlocks, spinLock, spinTrylock, spinUnlock } from './spinlock.ts';
import { vmaReadTrylock, vmaReadUnlock, vmaWriteLock, vmaWriteUnlockAll } from './vma-lock.ts';

const WORD = CONTROL.torture;
const OTHER = CONTROL.torture + 16;
const NAMED = Array.from({ length: 8 }, (_, i) => ({ function: `f${i + 1}`, path: 'x', line: i }));
const GEOMETRY = { lockRecords: LOCK_KINDS_MAX + NAMED.length };
const { exclusive } = LOCK_MODE;

let machine: TestMachine;
let now = 0;
beforeEach(() => {
  now = 1;
  // Half a nanosecond more, so that none is lost in milliseconds.
  setClock(() => (now + 0.5) / 1e6);
  machine = new TestMachine({}, GEOMETRY);
});
afterEach(() => setClock(null));

const pass = (ns: number): void => {
  now += ns;
};
const of = (lock: keyof typeof LOCK): ClassStatistics =>
  classStatistics(machine.words, machine.map, NAMED, LOCK[lock])!;
const modeOf = (lock: keyof typeof LOCK, mode: LockFigures['mode']): LockFigures =>
  of(lock).modes.find((figures) => figures.mode === mode)!;
const called = (place: LockPlace | null): string => place?.function ?? '?';

describe('an acquisition', () => {
  test('is a bounce where another CPU had the lock last', () => {
    const [a, b] = [machine.cpu(0), machine.cpu(1)];
    for (const cpu of [a, a, b, b, a]) {
      spinLock(cpu, WORD, LOCK.ptl);
      spinUnlock(cpu, WORD, LOCK.ptl);
    }
    spinLock(b, OTHER, LOCK.ptl);
    expect(modeOf('ptl', 'exclusive')).toMatchObject({ acquisitions: 6, bounces: 2, contended: 0 });
  });

  test('for reading and one for writing are counted apart', () => {
    const [a, b] = [machine.cpu(0), machine.cpu(1)];
    for (const cpu of [a, b]) downRead(cpu, WORD, LOCK.mmap);
    expect(downReadTrylock(a, WORD, LOCK.mmap)).toBe(true);
    for (const cpu of [a, b, a]) upRead(cpu, WORD);
    downWrite(b, WORD, LOCK.mmap);
    expect(downReadTrylock(a, WORD, LOCK.mmap)).toBe(false);
    upWrite(b, WORD);
    const { modes } = of('mmap');
    expect(modes.map((figures) => figures.mode)).toEqual(['exclusive', 'shared']);
    expect(modes).toMatchObject([
      { acquisitions: 1, bounces: 1, trylockFailed: 0 },
      { acquisitions: 3, bounces: 2, trylockFailed: 1 },
    ]);
  });

  test.each([
    ['ttas', 0, 0],
    ['ticket', 1 << LOCK.pml, 0],
    ['mcs', 0, 1 << LOCK.pml],
  ])('that fails with %s is none', (_, ticket, mcs) => {
    configureSpinlocks(ticket, mcs);
    spinLock(machine.cpu(0), WORD, LOCK.pml);
    expect(spinTrylock(machine.cpu(1), WORD, LOCK.pml)).toBe(false);
    expect(modeOf('pml', 'exclusive')).toMatchObject({ acquisitions: 1, trylockFailed: 1 });
  });

  test('of two classes at one site is a mistake', () => {
    const cpu = machine.cpu(0);
    lockStatFailed(cpu, LOCK.ptl, exclusive, 1);
    expect(() => lockStatFailed(cpu, LOCK.pml, exclusive, 1)).toThrow('one class in one mode');
  });
});

describe('a wait', () => {
  test('is timed, and counted as the class counts it', () => {
    const [a, b] = [machine.cpu(0), machine.cpu(1)];
    for (const ns of [300, 5_000_000_000]) {
      spinLock(a, WORD, LOCK.ptl);
      machine.meanwhile(1, 'wait', WORD, () => {
        pass(ns);
        spinUnlock(a, WORD, LOCK.ptl);
      });
      spinLock(b, WORD, LOCK.ptl);
      spinUnlock(b, WORD, LOCK.ptl);
    }
    const { contended, contendedBounces, waits } = modeOf('ptl', 'exclusive');
    expect([contended, contendedBounces]).toEqual([2, 2]);
    expect(waits).toMatchObject({ samples: 2, totalNs: 5_000_000_300, shortestNs: 300 });
    expect(waits.longestNs).toBe(5_000_000_000);
    expect(waits.histogram.map(([, count]) => count)).toEqual([1, 1]);
    const [ptl] = harvestLocks(machine.words, machine.map, NAMED).filter(
      (lock) => lock.class === 'ptl',
    );
    expect(ptl).toMatchObject({ contended: 2, waitNs: 5_000_000_300, bounces: 3 });
  });

  test.each([
    ['a writer', 'exclusive', downWrite],
    ['a reader', 'shared', downRead],
  ] as const)('of %s for a semaphore is of its mode', (_, mode, enter) => {
    downWrite(machine.cpu(0), WORD, LOCK.mmap);
    machine.meanwhile(1, 'wait', WORD, () => {
      pass(700);
      upWrite(machine.cpu(0), WORD);
    });
    enter(machine.cpu(1), WORD, LOCK.mmap);
    expect(modeOf('mmap', mode)).toMatchObject({ contended: 1, contendedBounces: 1 });
    expect(modeOf('mmap', mode).waits.totalNs).toBe(700);
  });

  test('is blamed on the site at which the holder took the lock', () => {
    const [a, b, c] = machine.cpus as [never, never, never];
    lockStatAcquired(a, WORD, LOCK.ptl, exclusive, 3);
    lockStatAcquired(b, OTHER, LOCK.ptl, exclusive, 4);
    for (const [lockp, ns] of [
      [WORD, 10],
      [OTHER, 200],
      [WORD, 30],
    ] as const) {
      lockStatWaits(c, lockp);
      lockStatWaited(c, LOCK.ptl, exclusive, ns, 5);
    }
    expect(
      of('ptl').contendedBy.map((blame) => ({ ...blame, holder: called(blame.holder) })),
    ).toEqual([
      { waiter: { site: 5, ...NAMED[4] }, mode: 'exclusive', holder: 'f4', waits: 1, waitNs: 200 },
      { waiter: { site: 5, ...NAMED[4] }, mode: 'exclusive', holder: 'f3', waits: 2, waitNs: 40 },
    ]);
  });

  test('for a lock that nobody else is known to hold is blamed on nobody', () => {
    const cpu = machine.cpu(0);
    lockStatWaits(cpu, WORD);
    lockStatWaited(cpu, LOCK.ptl, exclusive, 10, 5);
    lockStatAcquired(cpu, WORD, LOCK.ptl, exclusive, 5);
    lockStatWaits(cpu, WORD);
    lockStatWaited(cpu, LOCK.ptl, exclusive, 10, 5);
    const { contendedBy, modes } = of('ptl');
    expect(contendedBy).toMatchObject([{ holder: null, waits: 2, waitNs: 20 }]);
    expect(modes[0]!.contendedBounces).toBe(0);
  });
});

describe('a hold', () => {
  const hold = (cpu: number, site: number, ns: number): void => {
    lockStatAcquired(machine.cpu(cpu), WORD, LOCK.ptl, exclusive, site);
    pass(ns);
    lockStatReleased(machine.cpu(cpu), WORD, LOCK.ptl);
  };
  const holdsAt = (site: number): LockFigures['holds'] =>
    of('ptl').sites.find(({ place }) => place?.site === site)!.holds;

  test('is timed the first time, and again after so many locks', () => {
    for (let i = 0; i < 2 * LOCKS_PER_SAMPLE + 1; i++) hold(0, 1, 100 + i);
    expect(holdsAt(1)).toMatchObject({ samples: 3, shortestNs: 100 });
    expect(holdsAt(1).longestNs).toBe(100 + 2 * LOCKS_PER_SAMPLE);
  });

  test('is timed each time at a site that is seldom met', () => {
    for (let i = 0; i < 5; i++) {
      for (let j = 0; j < LOCKS_PER_SAMPLE; j++) hold(0, 1, 10);
      hold(0, 2, 1000 * (i + 1));
    }
    expect(holdsAt(2)).toMatchObject({ samples: 5, totalNs: 15_000 });
    expect(holdsAt(1).samples).toBe(5);
  });

  test('that was timed stands for those since the one before', () => {
    hold(0, 1, 5000);
    for (let i = 0; i < LOCKS_PER_SAMPLE; i++) hold(0, 1, 10);
    expect(holdsAt(1).totalNs).toBe(5000 + 10 * LOCKS_PER_SAMPLE);
  });

  test('is reported less what reading the clock takes, and never below zero', () => {
    poke(machine.cpu(0).block + machine.map.lockStat + LOCK_STAT.clockNs, 40);
    hold(0, 1, 100);
    hold(0, 2, 30);
    expect([holdsAt(1).totalNs, holdsAt(2).totalNs]).toEqual([60, 0]);
  });

  test('that is nested in another of its class takes its place', () => {
    const cpu = machine.cpu(0);
    lockStatAcquired(cpu, WORD, LOCK.ptl, exclusive, 1);
    pass(50);
    lockStatAcquired(cpu, OTHER, LOCK.ptl, exclusive, 2);
    pass(7);
    lockStatReleased(cpu, OTHER, LOCK.ptl);
    lockStatReleased(cpu, WORD, LOCK.ptl);
    expect([holdsAt(1).samples, holdsAt(2).totalNs]).toEqual([0, 7]);
  });

  test('goes on while others of its class are taken and left, untimed', () => {
    const cpu = machine.cpu(0);
    hold(0, 2, 1);
    lockStatAcquired(cpu, WORD, LOCK.ptl, exclusive, 1);
    pass(50);
    lockStatAcquired(cpu, OTHER, LOCK.ptl, exclusive, 2);
    lockStatReleased(cpu, OTHER, LOCK.ptl);
    pass(7);
    lockStatReleased(cpu, WORD, LOCK.ptl);
    expect([holdsAt(1).totalNs, holdsAt(2).samples]).toEqual([57, 1]);
  });

  test('of a semaphore lasts until it is left', () => {
    downRead(machine.cpu(0), WORD, LOCK.mmap);
    pass(900);
    upRead(machine.cpu(0), WORD);
    expect(modeOf('mmap', 'shared').holds.totalNs).toBe(900);
  });
});

describe('a VMA', () => {
  const seqs = (): [number, number] => [vmaAt(3) + VMA.lockSeq, machine.map.mm + MM.lockSeq];

  test('is entered by readers, or not, and held', () => {
    const cpu = machine.cpu(0);
    expect(vmaReadTrylock(cpu, 3, ...seqs())).toBe(true);
    pass(80);
    vmaReadUnlock(cpu, 3);
    vmaWriteLock(machine.cpu(1), 3, ...seqs());
    expect(vmaReadTrylock(cpu, 3, ...seqs())).toBe(false);
    expect(modeOf('vma', 'shared')).toMatchObject({
      ...{ acquisitions: 1, trylockFailed: 1, bounces: 0 },
      holds: { totalNs: 80 },
    });
  });

  test('is held by its writer until all are let go', () => {
    const cpu = machine.cpu(1);
    vmaWriteLock(cpu, 3, ...seqs());
    vmaWriteLock(cpu, 3, ...seqs());
    pass(60);
    vmaWriteUnlockAll(cpu, seqs()[1]);
    expect(modeOf('vma', 'exclusive')).toMatchObject({ acquisitions: 1, holds: { totalNs: 60 } });
  });

  test('has its writer wait once for all readers, and blame the first', () => {
    const [a, b, c] = machine.cpus as [never, never, never];
    for (const cpu of [a, b]) vmaReadTrylock(cpu, 3, ...seqs());
    const readerWord = (id: number): number => machine.cpu(id).block + machine.map.vmaReaders + 3;
    for (const id of [0, 1])
      machine.meanwhile(2, 'wait', readerWord(id), () => {
        pass(25);
        vmaReadUnlock(machine.cpu(id), 3);
      });
    vmaWriteLock(c, 3, ...seqs());
    expect(modeOf('vma', 'exclusive')).toMatchObject({
      ...{ contended: 1, contendedBounces: 1 },
      waits: { totalNs: 50 },
    });
    expect(of('vma').contendedBy).toMatchObject([{ mode: 'exclusive', waits: 1, waitNs: 50 }]);
    const [vma] = harvestLocks(machine.words, machine.map, NAMED);
    expect(vma).toMatchObject({ class: 'vma', acquisitions: 3, contended: 1, waitNs: 50 });
  });
});

test('without room for statistics none are kept', () => {
  machine = new TestMachine();
  const before = machine.words.slice();
  lockStatAcquired(machine.cpu(0), WORD, LOCK.ptl, exclusive, 1);
  lockStatReleased(machine.cpu(0), WORD, LOCK.ptl);
  lockStatFailed(machine.cpu(0), LOCK.ptl, exclusive, 1);
  lockStatWaits(machine.cpu(0), WORD);
  lockStatWaited(machine.cpu(0), LOCK.ptl, exclusive, 7, 1);
  expect(machine.words.findIndex((word, at) => word !== before[at])).toBe(-1);
});
