/** Facts about the spinlocks, each algorithm by itself and chosen by class. */
import { beforeEach, describe, expect, test } from 'vitest';
import { CONTROL } from '#arena/layout/control';
import { HELD_MAX, LOCK_RECORD, MCS_DEPTH_MAX, MCS_NODE, PERCPU } from '#arena/layout/percpu';
import { peek, poke } from '#arena/word';
import { TestMachine } from '#tasks/machine.suite';
import { LOCK } from '#trace/vocabulary';
import { mightSleep } from './held.ts';
import { mcsLock, mcsNodeOwner, mcsTrylock, mcsUnlock } from './mcs.ts';
import {
  configureSpinlocks,
  SINGLE_DEPTH_NESTING,
  spinLock,
  spinLockNested,
  spinTrylock,
  spinUnlock,
} from './spinlock.ts';
import { ticketLock, ticketTrylock, ticketUnlock } from './ticket.ts';

const LOCKP = CONTROL.torture;
const OTHER = CONTROL.torture + 16;

let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine();
});

const waits = /would wait for ever/;

describe('the ticket lock', () => {
  test('goes on past ticket 0xffff, held or tried', () => {
    const cpu = machine.cpu(0);
    poke(LOCKP, 0xfffe_fffe | 0);
    for (const free of [0xffff_ffff | 0, 0, 0x0001_0001]) {
      ticketLock(cpu, LOCKP);
      expect(ticketTrylock(machine.cpu(1), LOCKP)).toBe(false);
      ticketUnlock(cpu, LOCKP);
      expect(peek(LOCKP)).toBe(free);
    }
    poke(LOCKP, 0xffff_ffff | 0);
    expect(ticketTrylock(cpu, LOCKP)).toBe(true);
    expect(peek(LOCKP)).toBe(0xffff);
    ticketUnlock(cpu, LOCKP);
    expect(peek(LOCKP)).toBe(0);
  });

  test('serves the next ticket across the wrap', () => {
    poke(LOCKP, 0xffff_ffff | 0);
    ticketLock(machine.cpu(0), LOCKP);
    machine.meanwhile(1, 'wait', LOCKP, () => ticketUnlock(machine.cpu(0), LOCKP));
    ticketLock(machine.cpu(1), LOCKP);
    expect(peek(LOCKP)).toBe(0x0001_0000);
    ticketUnlock(machine.cpu(1), LOCKP);
    expect(ticketTrylock(machine.cpu(2), LOCKP)).toBe(true);
  });

  test('cannot be tried by whoever comes while another waits', () => {
    ticketLock(machine.cpu(0), LOCKP);
    expect(() => ticketLock(machine.cpu(1), LOCKP)).toThrow(waits);
    ticketUnlock(machine.cpu(0), LOCKP);
    expect(ticketTrylock(machine.cpu(2), LOCKP)).toBe(false);
  });
});

describe('the queue lock', () => {
  test('hands over in the order of arrival', () => {
    const [a, b, c] = machine.cpus as [never, never, never];
    const order: number[] = [];
    mcsLock(a, LOCKP);
    // b queues and waits; meanwhile c queues behind it; then a lets go.
    const waitOf = (id: number): number => machine.cpu(id).block + PERCPU.mcs + MCS_NODE.waiting;
    machine.meanwhile(1, 'wait', waitOf(1), () => {
      machine.meanwhile(2, 'wait', waitOf(2), () => {
        order.push(mcsNodeOwner(peek(machine.cpu(0).block + PERCPU.mcs + MCS_NODE.next)));
        order.push(mcsNodeOwner(peek(machine.cpu(1).block + PERCPU.mcs + MCS_NODE.next)));
        mcsUnlock(a, LOCKP);
        expect(mcsTrylock(a, LOCKP)).toBe(false);
        expect([peek(waitOf(1)), peek(waitOf(2))]).toEqual([0, 1]);
        mcsUnlock(b, LOCKP);
      });
      mcsLock(c, LOCKP);
      order.push(2);
      mcsUnlock(c, LOCKP);
    });
    mcsLock(b, LOCKP);
    expect(order).toEqual([1, 2, 2]);
    expect(peek(LOCKP)).toBe(0);
    expect(mcsTrylock(c, LOCKP)).toBe(true);
  });

  test('released while somebody has queued but not yet linked waits for the link', () => {
    const [a, b] = [machine.cpu(0), machine.cpu(1)];
    mcsLock(a, LOCKP);
    const next = a.block + PERCPU.mcs + MCS_NODE.next;
    machine.meanwhile(1, 'store', next, () => {
      expect(() => mcsUnlock(a, LOCKP)).toThrow(waits);
    });
    expect(() => mcsLock(b, LOCKP)).toThrow(waits);
    expect(machine.unplayed()).toEqual([]);
    mcsUnlock(a, LOCKP);
    expect(peek(b.block + PERCPU.mcs + MCS_NODE.waiting)).toBe(0);
  });

  test('has a node for each lock held, given back in any order', () => {
    const cpu = machine.cpu(0);
    const locks = Array.from({ length: MCS_DEPTH_MAX }, (_, i) => LOCKP + i);
    for (const lockp of locks) mcsLock(cpu, lockp);
    expect(new Set(locks.map((lockp) => peek(lockp))).size).toBe(MCS_DEPTH_MAX);
    expect(() => mcsTrylock(cpu, LOCKP + MCS_DEPTH_MAX)).toThrow('queue locks at a time');
    for (const lockp of [locks[3]!, ...locks.toSpliced(3, 1).reverse()]) mcsUnlock(cpu, lockp);
    expect(locks.map((lockp) => peek(lockp))).toEqual(locks.map(() => 0));
    expect(mcsTrylock(cpu, LOCKP)).toBe(true);
  });

  test('gives its node back when a try fails', () => {
    mcsLock(machine.cpu(0), LOCKP);
    for (let i = 0; i < 2 * MCS_DEPTH_MAX; i++)
      expect(mcsTrylock(machine.cpu(1), LOCKP)).toBe(false);
  });

  test('is not released by whoever does not hold it', () => {
    mcsLock(machine.cpu(0), LOCKP);
    expect(() => mcsUnlock(machine.cpu(1), LOCKP)).toThrow('released by its holder');
  });
});

const BIT = 1 << LOCK.ptl;

describe.each([
  ['ttas', 0, 0],
  ['ticket', BIT, 0],
  ['mcs', 0, BIT],
])('a spinlock of class ptl with %s', (_name, ticket, mcs) => {
  beforeEach(() => configureSpinlocks(ticket, mcs));

  const record = (cpu: number, offset: number): number =>
    peek(machine.cpu(cpu).block + PERCPU.locks + LOCK.ptl * LOCK_RECORD.sizeWords + offset);

  test('excludes, and is free again', () => {
    const [a, b] = [machine.cpu(0), machine.cpu(1)];
    spinLock(a, LOCKP, LOCK.ptl);
    expect(spinTrylock(b, LOCKP, LOCK.ptl)).toBe(false);
    expect(() => spinLock(b, LOCKP, LOCK.ptl)).toThrow(waits);
  });

  test('counts acquisitions, failed tries and waits', () => {
    const [a, b] = [machine.cpu(0), machine.cpu(1)];
    spinLock(a, LOCKP, LOCK.ptl);
    spinTrylock(b, LOCKP, LOCK.ptl);
    spinUnlock(a, LOCKP, LOCK.ptl);
    expect(spinTrylock(b, LOCKP, LOCK.ptl)).toBe(true);
    expect(record(0, LOCK_RECORD.acquisitions)).toBe(1);
    expect([1, 0, 1].map((_, i) => record(1, i))).toEqual([1, 0, 1]);
  });

  test('that was waited for is counted as contended, and then held', () => {
    const [a, b] = [machine.cpu(0), machine.cpu(1)];
    spinLock(a, LOCKP, LOCK.ptl);
    const waited = mcs !== 0 ? b.block + PERCPU.mcs + MCS_NODE.waiting : LOCKP;
    machine.meanwhile(1, 'wait', waited, () => spinUnlock(a, LOCKP, LOCK.ptl));
    spinLock(b, LOCKP, LOCK.ptl);
    expect(record(1, LOCK_RECORD.contended)).toBe(1);
    expect(spinTrylock(a, LOCKP, LOCK.ptl)).toBe(false);
  });
});

describe('what a CPU holds', () => {
  const held = (cpu: number): number[] => {
    const { block } = machine.cpu(cpu);
    const depth = peek(block + PERCPU.heldCount);
    return Array.from({ length: depth }, (_, i) => peek(block + PERCPU.held + i));
  };

  test('is known, outermost first, released in any order', () => {
    const cpu = machine.cpu(0);
    spinLock(cpu, LOCKP, LOCK.pml);
    spinLockNested(cpu, OTHER, LOCK.ptl, SINGLE_DEPTH_NESTING);
    spinLock(cpu, OTHER + 16, LOCK.zone);
    expect(held(0)).toEqual([LOCKP, OTHER, OTHER + 16]);
    spinUnlock(cpu, LOCKP, LOCK.pml);
    expect(held(0)).toEqual([OTHER, OTHER + 16]);
    spinUnlock(cpu, OTHER + 16, LOCK.zone);
    spinUnlock(cpu, OTHER, LOCK.ptl);
    expect(held(0)).toEqual([]);
  });

  test('may be more than there is room to name', () => {
    const cpu = machine.cpu(0);
    for (let i = 0; i < HELD_MAX + 2; i++) spinLock(cpu, LOCKP + i, LOCK.ptl);
    for (let i = HELD_MAX + 1; i >= 0; i--) spinUnlock(cpu, LOCKP + i, LOCK.ptl);
    expect(peek(cpu.block + PERCPU.heldCount)).toBe(0);
    // The counters begin behind the list.
    expect(peek(cpu.block + PERCPU.counters)).toBe(0);
  });

  test('forbids sleeping', () => {
    const cpu = machine.cpu(0);
    mightSleep(cpu);
    expect(machine.facts()).toEqual([]);
    spinLock(cpu, LOCKP, LOCK.ptl);
    mightSleep(cpu);
    expect(machine.facts()).toEqual(['sleepInAtomic']);
  });
});
