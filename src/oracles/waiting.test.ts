/**
 * Circles of waiting CPUs and grace periods that do not end are found; waits that will end are not.
 */
import { describe, expect, test } from 'vitest';
import { CONTROL } from '#arena/layout/control';
import { MM } from '#arena/layout/mm';
import { MCS_NODE, PERCPU, RCU_RECORD } from '#arena/layout/percpu';
import { PTDESC } from '#arena/layout/ptdesc';
import { findDeadlock } from './deadlock.ts';
import { balanced, type Fixture } from './fixture.suite.ts';
import { tellLivelock } from './livelock.ts';
import { findStall } from './rcu-stall.ts';

/** CPU `cpu` sleeps on the word `at`. */
function waits(f: Fixture, cpu: number, at: number): void {
  f.words[f.block(cpu) + PERCPU.waitAt] = at;
  f.words[f.block(cpu) + PERCPU.waitSeen] = f.words[at]!;
}

function holds(f: Fixture, cpu: number, at: number): void {
  const count = f.words[f.block(cpu) + PERCPU.heldCount]++;
  f.words[f.block(cpu) + PERCPU.held + count] = at;
  f.words[at] = cpu + 1;
}

function deadlock(f: Fixture): string | undefined {
  const found = findDeadlock(f.words, f.map);
  if (found !== null) expect(f.verdicts('stopped')).toEqual([found]);
  return found?.message;
}

describe('a deadlock', () => {
  test('of a ptl and a pml names both locks and both CPUs', () => {
    const f = balanced();
    const ptl = f.descriptor(f.pteTable(8)) + PTDESC.ptl;
    const pml = f.descriptor(2) + PTDESC.ptl;
    holds(f, 0, ptl);
    holds(f, 1, pml);
    waits(f, 0, pml);
    waits(f, 1, ptl);
    f.words[f.block(0) + PERCPU.actor] = 3;
    f.words[f.block(1) + PERCPU.actor] = 5;
    expect(deadlock(f)).toBe(
      `cpu0 (madvise) holds ptl of table ${f.pteTable(8)} and waits for pml of table 2, ` +
        `held by cpu1 (scanner), which waits for ptl of table ${f.pteTable(8)}`,
    );
    expect(findDeadlock(f.words, f.map)!.cpus).toEqual([0, 1]);
  });

  test('of a CPU with itself', () => {
    const f = balanced();
    holds(f, 2, f.map.mm + MM.pageTableLock);
    waits(f, 2, f.map.mm + MM.pageTableLock);
    expect(deadlock(f)).toBe('cpu2 (none) waits for the page-table lock, which it holds itself');
  });

  test('through the queue of an MCS lock, with three CPUs', () => {
    const f = balanced();
    holds(f, 0, CONTROL.zoneLock);
    holds(f, 1, CONTROL.tableLock);
    holds(f, 2, CONTROL.bodyLock);
    waits(f, 1, CONTROL.bodyLock);
    waits(f, 2, CONTROL.zoneLock);
    const node = f.block(0) + PERCPU.mcs + MCS_NODE.sizeWords;
    f.words[node + MCS_NODE.lock] = CONTROL.tableLock;
    f.words[node + MCS_NODE.waiting] = 1;
    waits(f, 0, node + MCS_NODE.waiting);
    expect(deadlock(f)).toBe(
      'cpu0 (none) holds the zone lock and waits for the lock of the free tables, held by cpu1 ' +
        '(none), which waits for the lock of the free bodies, held by cpu2 (none), which waits ' +
        'for the zone lock',
    );
  });

  test('of a writer that waits for a VMA reader, which waits for its spinlock', () => {
    const f = balanced();
    holds(f, 0, CONTROL.zoneLock);
    f.words[f.block(1) + f.map.vmaReaders + 2] = 1;
    waits(f, 0, f.block(1) + f.map.vmaReaders + 2);
    waits(f, 1, CONTROL.zoneLock);
    expect(deadlock(f)).toContain('waits for the read lock of vma 2, held by cpu1 (none)');
  });

  test('of a grace period and a reader, and of a grace period with itself', () => {
    const f = balanced();
    f.words[CONTROL.rcuEpoch] = 7;
    holds(f, 0, CONTROL.zoneLock);
    waits(f, 0, CONTROL.rcuEpoch);
    f.words[f.block(1) + PERCPU.rcuSeen] = 6;
    waits(f, 1, CONTROL.zoneLock);
    expect(deadlock(f)).toBe(
      'cpu0 (none) holds the zone lock and waits for a grace period, held up by cpu1 (none), ' +
        'which waits for the zone lock',
    );
    f.words[f.block(0) + PERCPU.rcuSeen] = 6;
    expect(deadlock(f)).toBe('cpu0 (none) waits for a grace period, which it holds up itself');
  });

  test('of a CPU that does not answer, where RCU has no epoch', () => {
    const f = balanced();
    for (const cpu of [0, 1]) f.words[f.block(cpu) + PERCPU.rcuAnswered] = 6;
    holds(f, 0, CONTROL.zoneLock);
    waits(f, 0, f.block(1) + PERCPU.rcuAnswered);
    expect(deadlock(f)).toBeUndefined();
    expect(tellLivelock(f.words, f.map, '1000 ms').message).toContain(
      'cpu0 (none) waits for cpu1 to pass a quiescent state and holds 1 spinlocks',
    );
    waits(f, 1, CONTROL.zoneLock);
    expect(deadlock(f)).toBe(
      'cpu0 (none) holds the zone lock and waits for a grace period, held up by cpu1 (none), ' +
        'which waits for the zone lock',
    );
    waits(f, 0, f.block(0) + PERCPU.rcuAnswered);
    expect(deadlock(f)).toBe('cpu0 (none) waits for a grace period, which it holds up itself');
  });

  test('of a CPU that came to its end with a lock that another needs', () => {
    const f = balanced();
    holds(f, 1, CONTROL.zoneLock);
    waits(f, 0, CONTROL.zoneLock);
    waits(f, 1, CONTROL.round);
    expect(deadlock(f)).toBe(
      'cpu0 (none) holds up the rendezvous and waits for the zone lock, held by cpu1 (none), ' +
        'which waits for the rendezvous',
    );
  });

  test('is not a chain, a wait that is over, or a lock that nobody holds', () => {
    const f = balanced();
    holds(f, 1, CONTROL.zoneLock);
    waits(f, 0, CONTROL.zoneLock);
    waits(f, 2, f.map.mm + MM.mmapLock + 1);
    expect(deadlock(f)).toBeUndefined();
    holds(f, 0, CONTROL.tableLock);
    waits(f, 1, CONTROL.tableLock);
    expect(deadlock(f)).toBeDefined();
    f.words[CONTROL.tableLock] = 0;
    expect(deadlock(f)).toBeUndefined();
  });
});

describe('a stall', () => {
  /** The same moment on both clocks; in microseconds it no longer fits 31 bits. */
  const NOW_MS = 2_294_967;
  const NOW = Math.imul(NOW_MS, 1000);
  const LIMIT_MS = 500;

  /** Grace period 7 began `ageMs` ago, and a callback has waited for `waitedMs`. */
  function grace(ageMs: number, waitedMs: number): Fixture {
    const f = balanced();
    f.words[CONTROL.rcuEpoch] = 7;
    f.words[CONTROL.rcuWanted] = 9;
    f.words[CONTROL.rcuEpochSince] = NOW - ageMs * 1000;
    const block = f.block(2);
    f.words[block + PERCPU.rcuHead] = 1;
    f.words[block + PERCPU.rcuQueue + RCU_RECORD.epoch] = 9;
    f.words[block + PERCPU.rcuQueue + RCU_RECORD.sinceUs] = NOW - waitedMs * 1000;
    f.words[f.block(1) + PERCPU.rcuSeen] = 6;
    f.words[f.block(0) + PERCPU.rcuSeen] = 7;
    f.words[f.block(1) + PERCPU.actor] = 3;
    f.words[f.block(1) + PERCPU.operation] = 17;
    f.words[f.block(1) + PERCPU.rcuNesting] = 2;
    return f;
  }

  test('names the CPUs that have not reported, and what they do', () => {
    const { words, map } = grace(12_000, 11_000);
    expect(findStall(words, map, LIMIT_MS, NOW)).toEqual({
      kind: 'rcu-stall',
      cpus: [1],
      message:
        'a grace period has not ended for 11000 ms; not reported: cpu1 (madvise) in operation 17 ' +
        'with 2 read sections open',
      replay: null,
    });
  });

  test('is also when everybody has reported and nobody moves on', () => {
    const f = grace(12_000, 11_000);
    f.words[f.block(1) + PERCPU.rcuSeen] = 0;
    expect(findStall(f.words, f.map, LIMIT_MS, NOW)!.message).toContain('nobody moves on');
  });

  test('is not what has begun of late, has just been asked for, or is not wanted', () => {
    for (const [age, waited] of [
      [400, 11_000],
      [11_000, 400],
    ] as const) {
      const { words, map } = grace(age, waited);
      expect(findStall(words, map, LIMIT_MS, NOW)).toBeNull();
    }
    const f = grace(12_000, 11_000);
    f.words[CONTROL.rcuWanted] = 7;
    expect(findStall(f.words, f.map, LIMIT_MS, NOW)).toBeNull();
  });

  test('is seen from a CPU that sleeps until the grace period ends', () => {
    const f = grace(12_000, 0);
    f.words[f.block(2) + PERCPU.rcuHead] = 0;
    expect(findStall(f.words, f.map, LIMIT_MS, NOW)).toBeNull();
    f.words[f.block(0) + PERCPU.waitAt] = CONTROL.rcuEpoch;
    f.words[f.block(0) + PERCPU.waitSince] = NOW_MS - 400;
    expect(findStall(f.words, f.map, LIMIT_MS, NOW)).toBeNull();
    f.words[f.block(0) + PERCPU.waitSince] = NOW_MS - 900;
    expect(findStall(f.words, f.map, LIMIT_MS, NOW)!.message).toContain('for 900 ms');
  });
});

test('a CPU that waits for another to serve an interrupt closes no circle, and is told', () => {
  const f = balanced();
  holds(f, 0, CONTROL.zoneLock);
  waits(f, 1, CONTROL.zoneLock);
  waits(f, 0, f.block(1) + PERCPU.ipiServed);
  // CPU 1 serves while it waits, so this ends.
  expect(deadlock(f)).toBe(undefined);
  expect(tellLivelock(f.words, f.map, '1000 ms').message).toContain(
    'cpu0 (none) waits for cpu1 to serve an interrupt and holds 1 spinlocks',
  );
});
