/** Facts about the life of a CPU, on machines of one CPU that run on this thread. */

import { describe, expect, test } from 'vitest';
import { mkPmd } from '#arch/pmd';
import { CONTROL, PHASE } from '#arena/layout/control';
import { PERCPU } from '#arena/layout/percpu';
import { peek, poke } from '#arena/word';
import { mapOf } from '#scenario/map-op.suite';
import type { Op, Plan, Region } from '#scenario/plan';
import { cpuExit, cpuMain } from './cpu-main.ts';
import { kthreadEnd, kthreadPass } from './kthread.ts';
import { TestMachine } from './machine.suite.ts';

const REGIONS: Region[] = [
  { name: 'heap', pages: 128, flags: [], gapPages: 0 },
  { name: 'other', pages: 20, flags: ['hugepage'], gapPages: 4 },
];
const all = { region: 0, share: 'all' } as const;
const WRITE: Op = { op: 'touch', access: 'write', pages: 'every', extent: 'whole', ...all };
const DONTNEED: Op = { op: 'dontneed', extent: 'whole', ...all };
const MMAP: Op = mapOf(0);

function makeOne(plan: Partial<Plan>): TestMachine {
  return new TestMachine({ cpus: 1, regions: REGIONS, ...plan }, { cpus: 1 }, false);
}

/** A machine that has lived through `column`, and what the CPU said. */
function live(column: Op[], plan: Partial<Plan> = {}): TestMachine {
  const machine = makeOne({ setup: [MMAP], columns: [column], ...plan });
  expect(cpuMain(machine.cpu(0), machine.machine)).toBe('done');
  return machine;
}

describe('a CPU', () => {
  test('passes all phases, and the end of the process leaves nothing', () => {
    const machine = live([WRITE, DONTNEED, { op: 'sleep', ms: 1 }]);
    expect([peek(CONTROL.phase), machine.nrPtes()]).toEqual([PHASE.exit, 16]);
    expect(cpuExit(machine.cpu(0), machine.machine)).toBe('done');
    expect([peek(CONTROL.phase), machine.nrPtes()]).toEqual([PHASE.done, 0]);
    expect(['tables', 'bodies', 'pages'].map((kind) => machine.inUse(kind as 'pages'))).toEqual([
      0, 0, 0,
    ]);
    expect(machine.facts()).toEqual([]);
  });

  test.each(['qsbr', 'announced'] as const)('ends its process in the %s form', (rcu) => {
    const munmap: Op = { op: 'munmap', extent: 'whole', ...all };
    const machine = live([WRITE, munmap], { rcu });
    expect(cpuExit(machine.cpu(0), machine.machine)).toBe('done');
    expect(machine.inUse('tables')).toBe(0);
  });

  test('counts rounds over its outermost loops only', () => {
    const inner: Op = { op: 'loop', times: 4, do: [DONTNEED] };
    const machine = live([{ op: 'loop', times: null, do: [inner] }], { opsMax: 3 });
    expect(machine.counter('opDontneed')).toBe(12);
  });

  test('sweeps its share in chunks', () => {
    const touch: Op = { ...WRITE, extent: 'chunk' } as Op;
    const dontneed: Op = { ...DONTNEED, extent: 'chunk' } as Op;
    const sweep: Op = { op: 'sweep', ...all, pages: 24, do: [touch, dontneed] };
    const machine = live([sweep], { protocol: 'pt-reclaim' });
    expect(machine.counters()).toMatchObject({ opTouch: 6, faultsWrite: 128, pagesZapped: 128 });
    expect(machine.nrPtes()).toBe(0);
  });

  test('draws the choices of a mix by their weights', () => {
    const choices = [
      { weight: 3, do: [DONTNEED] },
      {
        weight: 1,
        do: [{ op: 'scan', untilIdle: false } as Op, { ...WRITE, pages: 'one-per-slot' } as Op],
      },
      { weight: 0, do: [MMAP] },
    ];
    const machine = live([{ op: 'mix', times: 400, choices }]);
    const [dontneed, touch] = [machine.counter('opDontneed'), machine.counter('opTouch')];
    expect(dontneed! + touch!).toBe(400);
    expect(dontneed).toBeGreaterThan(250);
    expect(dontneed).toBeLessThan(350);
    expect(machine.counter('opMmap')).toBe(1);
  });

  test('punches single pages by chance', () => {
    const machine = live([WRITE, { op: 'punch', percent: 50, extent: 'whole', ...all }]);
    const zapped = machine.counter('pagesZapped');
    expect(zapped).toBeGreaterThan(30);
    expect(zapped).toBeLessThan(98);
    expect(machine.counter('rss')).toBe(128 - zapped);
  });

  test('compares what it reads with what it wrote', () => {
    const read: Op = { ...WRITE, access: 'read' } as Op;
    const machine = live([WRITE, read, DONTNEED, read]);
    expect(machine.counters()).toMatchObject({ dataCompared: 256 });
    expect(machine.facts()).toEqual([]);
  });

  test('maps regions with their flags, and a second one beside the first', () => {
    const other: Op = {
      op: 'touch',
      access: 'write',
      pages: 'every',
      extent: 'whole',
      region: 1,
      share: 'all',
    };
    const machine = live([mapOf(1), other]);
    expect([machine.counter('rss'), machine.counters().segv]).toEqual([20, undefined]);
    expect(machine.nrPtes()).toBe(3);
  });

  test('scans in the fair phase until nothing is left', () => {
    const options = { delayMs: 1e6, sizePages: 8, where: 'kthread' };
    const machine = live([WRITE, DONTNEED], { protocol: 'async-scanner', options });
    expect([machine.nrPtes(), machine.counter('tablesReclaimed')]).toEqual([0, 16]);
  });

  test('that is told to stop does nothing new', () => {
    const machine = makeOne({ setup: [MMAP], columns: [[WRITE]] });
    machine.meanwhile(0, 'load', CONTROL.round, () => poke(CONTROL.stop, 1));
    expect(cpuMain(machine.cpu(0), machine.machine)).toBe('done');
    expect([machine.counter('opMmap'), machine.counter('opTouch')]).toEqual([1, 0]);
  });

  test('says so when the machine halts', () => {
    const machine = makeOne({ setup: [MMAP, WRITE], columns: [[WRITE]] });
    machine.meanwhile(0, 'load', CONTROL.round, () => {
      const body = machine.tree().ptes.get(8)!;
      expect(body).toBeGreaterThan(0);
      const table = [...machine.tree().ptes.values()][0]!;
      for (let at = machine.map.bodies; at < machine.map.sizeWords; at++)
        if (peek(at) >>> 7 === table && (peek(at) & 3) === 1) poke(at, mkPmd(0, 0));
    });
    expect(cpuMain(machine.cpu(0), machine.machine)).toBe('halted');
    expect(machine.facts()).toEqual(['tableZero']);
  });

  test('counts its operations, in a given seed the same ones', () => {
    const touch: Op = { ...WRITE, extent: 'slots', pages: 5 } as Op;
    const part: Op = { ...DONTNEED, extent: 'part' } as Op;
    const column: Op[] = [{ op: 'loop', times: 50, do: [touch, part] }];
    const first = live(column);
    const counters = first.counters();
    expect(peek(first.cpu(0).block + PERCPU.operation)).toBe(101);
    expect(live(column).counters()).toEqual(counters);
  });
});

describe('a kernel thread', () => {
  test('makes a scanner pass, and drains its callbacks at its end', () => {
    const machine = new TestMachine({ protocol: 'async-scanner', options: { sizePages: 80 } });
    machine.mmap(0, 64, 128);
    for (let page = 64; page < 128; page += 8) machine.load(0, page);
    machine.dontneed(0, 64, 128);
    expect(kthreadPass(machine.cpu(2), machine.machine, 'scanner')).toBe(8);
    kthreadEnd(machine.cpu(2));
    expect([machine.nrPtes(), machine.inUse('tables')]).toEqual([0, 3]);
  });

  test('advances grace periods only where CPUs have reported', () => {
    const machine = new TestMachine({ protocol: 'pt-reclaim' });
    machine.mmap(0, 64, 128);
    machine.store(0, 64, 1);
    machine.dontneed(0, 64, 72);
    expect(kthreadPass(machine.cpu(2), machine.machine, 'rcu')).toBe(1);
    expect(kthreadPass(machine.cpu(2), machine.machine, 'rcu')).toBe(0);
  });

  test('ends its pass when the machine has halted', () => {
    const machine = new TestMachine({ protocol: 'async-scanner', options: { sizePages: 80 } });
    machine.mmap(0, 64, 128);
    machine.load(0, 64);
    const body = machine.map.bodies;
    for (let at = body; at < machine.map.sizeWords; at++)
      if ((peek(at) & 3) === 1) poke(at, mkPmd(0, 0));
    expect(kthreadPass(machine.cpu(2), machine.machine, 'scanner')).toBe(0);
    expect(peek(CONTROL.halt)).toBe(1);
  });
});
