/** What is sampled is bounded, true at the moment of the look, and a whole where it says so. */
import { afterEach, describe, expect, test } from 'vitest';
import { enterActor, enterOperation } from '#arch/cpu';
import { setClock } from '#arena/clock';
import { CONTROL, PHASE } from '#arena/layout/control';
import { EVENTS_MAX, PERCPU } from '#arena/layout/percpu';
import type { Plan, Region } from '#scenario/plan';
import { planOf, TestMachine } from '#tasks/machine.suite';
import { ACT, actWord } from '#trace/act';
import { EVENT, recordEvent } from '#trace/ring';
import { ACTOR } from '#trace/vocabulary';
import { OccupancySampler } from './occupancy.ts';
import { Sampler } from './sampler.ts';
import { Samples } from './samples.ts';
import { TimelineSampler } from './timeline.ts';

afterEach(() => setClock(null));

test('a series stays within its bound, keeps its first sample and its last, and its order', () => {
  const samples = new Samples<number>(8, 10);
  let taken = 0;
  for (let ms = 0; ms < 1000; ms++) {
    if (!samples.isDue(ms)) continue;
    samples.add(ms, ms);
    taken = ms;
    expect(samples.kept.length).toBeLessThanOrEqual(8);
    expect([samples.kept[0], samples.kept.at(-1)]).toEqual([0, taken]);
  }
  const gaps = samples.kept.slice(1).map((ms, i) => ms - samples.kept[i]!);
  expect(new Set(gaps).size).toBe(1);
});

test('a sample that took long is followed by a pause', () => {
  const samples = new Samples<number>(8, 10);
  samples.add(5, 5, 200);
  expect([samples.isDue(204), samples.isDue(205)]).toEqual([false, true]);
});

describe('the occupancy', () => {
  const region = (name: string, pages: number, gapPages = 0): Region => ({
    ...{ name, pages, gapPages, flags: [] },
  });
  /** `heap` has the slots 8 to 15, and `tail` shares the last of them and has the next. */
  const REGIONS = [region('heap', 60), region('tail', 10), region('far', 16, 58)];

  function machineWith(protocol = 'pt-reclaim'): { machine: TestMachine; take: () => string[] } {
    const machine = new TestMachine({ protocol, regions: REGIONS });
    machine.mmap(0, 64, 134);
    machine.mmap(0, 192, 208);
    const sampler = new OccupancySampler(machine.plan, machine.words, machine.map);
    const take = (): string[] => {
      const { live, empty, unhooked, unplaced } = sampler.take(0);
      return [...[live, empty, unhooked].map((counts) => counts.join('')), `${unplaced}`];
    };
    return { machine, take };
  }

  test('has a bucket for each slot of the regions; those that share a slot are one span', () => {
    const { machine } = machineWith();
    const sampler = new OccupancySampler(machine.plan, machine.words, machine.map);
    expect(sampler.document([])).toEqual({
      ...{ slotKiB: 32, slotsPerBucket: 1, slotStep: 1, samples: [] },
      spans: [
        { name: 'heap, tail', firstSlot: 8, slots: 9, buckets: 9 },
        { name: 'far', firstSlot: 24, slots: 2, buckets: 2 },
      ],
    });
  });

  test('tells tables with an entry from those without, each in its place', () => {
    const { machine, take } = machineWith('none');
    expect(take()).toEqual(['00000000000', '00000000000', '00000000000', '0']);
    machine.store(0, 64, 1);
    machine.store(0, 66, 1);
    machine.store(0, 133, 1);
    machine.store(0, 200, 1);
    expect(take()).toEqual(['10000000101', '00000000000', '00000000000', '0']);
    machine.dontneed(0, 64, 72);
    expect(take()).toEqual(['00000000101', '10000000000', '00000000000', '0']);
  });

  test('knows where an unhooked table stood until it is free, or its ring forgets it', () => {
    const { machine, take } = machineWith();
    machine.store(0, 72, 1);
    machine.store(0, 192, 1);
    machine.dontneed(0, 72, 80);
    machine.dontneed(0, 192, 200);
    expect(take()).toEqual(['00000000000', '00000000000', '01000000010', '0']);
    for (let i = 0; i < EVENTS_MAX; i++) recordEvent(machine.cpu(0), EVENT.hook, 1, 1);
    expect(take()).toEqual(['00000000000', '00000000000', '00000000000', '2']);
    machine.settle();
    expect(take()).toEqual(['00000000000', '00000000000', '00000000000', '0']);
  });

  test('of a large address space has no more buckets than it may, and none is lost', () => {
    const regions = [region('a', 8 * 300), region('b', 8 * 100, 8), region('c', 8, 8)];
    const plan = planOf({ regions });
    const machine = new TestMachine(plan);
    machine.mmap(0, 64, 64 + 2400);
    for (let page = 64; page < 64 + 2400; page += 80) machine.store(0, page, 1);
    const sampler = new OccupancySampler(plan, machine.words, machine.map);
    const { live } = sampler.take(0);
    const { spans, slotsPerBucket } = sampler.document([])!;
    expect(live.length).toBeLessThanOrEqual(256);
    expect(live.length).toBe(spans.reduce((sum, { buckets }) => sum + buckets, 0));
    expect(spans.every(({ slots, buckets }) => buckets * slotsPerBucket >= slots)).toBe(true);
    expect(live.reduce((sum, count) => sum + count, 0)).toBe(30);
  });

  test('of a plan without regions there is none', () => {
    const machine = new TestMachine();
    expect(new OccupancySampler(machine.plan, machine.words, machine.map).document([])).toBe(null);
  });
});

describe('the timeline', () => {
  const note = (machine: TestMachine, cpu: number, act: number): void => {
    enterOperation(machine.cpu(cpu));
    recordEvent(machine.cpu(cpu), actWord(EVENT.operation, act, 0, 0), 0, 1);
  };
  const samplerOf = (machine: TestMachine): TimelineSampler =>
    new TimelineSampler({ ...machine.plan, cpus: 3 }, machine.words, machine.map);

  test('tells the latest operation of each CPU, as whom it acts, and whether it waits', () => {
    const machine = new TestMachine();
    note(machine, 0, ACT.touchWrite);
    recordEvent(machine.cpu(0), EVENT.hook, 7, 7);
    note(machine, 1, ACT.dontneed);
    enterActor(machine.cpu(1), ACTOR.madvise);
    machine.words[machine.cpu(1).block + PERCPU.waitAt] = machine.map.mm;
    machine.words[machine.cpu(2).block + PERCPU.waitAt] = CONTROL.round;
    const sampler = samplerOf(machine);
    const { acts, actors } = sampler.document([]);
    const { act, actor, waits } = sampler.take(3);
    expect(act.map((i) => acts[i] ?? null)).toEqual(['touch write', 'dontneed', null]);
    expect(actor.map((i) => actors[i])).toEqual(['access', 'madvise', 'access']);
    expect(waits).toEqual([0, 1, 2]);
  });

  test('of the latest time has each operation from its begin to the next one', () => {
    let ms = 2147483 - 20;
    setClock(() => ms);
    const machine = new TestMachine();
    note(machine, 0, ACT.touchWrite);
    ms += 10;
    note(machine, 1, ACT.mmap);
    ms += 20;
    note(machine, 0, ACT.dontneed);
    recordEvent(machine.cpu(0), EVENT.unhook, 7, 7);
    ms += 5;
    note(machine, 1, ACT.sleep);
    const sampler = samplerOf(machine);
    sampler.copyRings(4);
    expect(sampler.document([]).latest).toEqual({
      ...{ endMs: 4, us: 35_000 },
      columns: [
        {
          ...{ cpu: 0, role: 'cpu', tables: [[EVENT.unhook, 30_000, 7]] },
          operations: [
            [ACT.touchWrite, 0, 30_000],
            [ACT.dontneed, 30_000, null],
          ],
        },
        {
          ...{ cpu: 1, role: 'cpu', tables: [] },
          operations: [
            [ACT.mmap, 10_000, 35_000],
            [ACT.sleep, 35_000, null],
          ],
        },
        { cpu: 2, role: 'cpu', operations: [], tables: [] },
      ],
    });
  });

  test('begins the window where no ring has lost anything, within its bound', () => {
    let us = 1000;
    setClock(() => us / 1000);
    const machine = new TestMachine();
    note(machine, 1, ACT.mmap);
    for (let i = 0; i < 2 * EVENTS_MAX; i++, us += 10) note(machine, 0, ACT.touchWrite);
    const sampler = samplerOf(machine);
    sampler.copyRings(4);
    const { us: length, columns } = sampler.document([]).latest!;
    expect(length).toBe(159 * 10);
    expect(columns[0]!.operations).toHaveLength(160);
    expect(columns[0]!.operations[0]).toEqual([ACT.touchWrite, 0, 10]);
    expect(columns[1]!.operations).toEqual([[ACT.mmap, 0, null]]);
  });
});

const SAMPLED: Partial<Plan> = {
  regions: [{ name: 'heap', pages: 64, flags: [], gapPages: 0 }],
};

test('the address space is looked at the more rarely the longer a look takes', () => {
  let ms = 0;
  const machine = new TestMachine(SAMPLED);
  const sampler = new Sampler(machine.plan, machine.words, machine.map, 20);
  setClock(() => ms++);
  for (const at of [0, 20, 49, 50, 70]) sampler.sample(at, PHASE.main);
  expect(sampler.document().occupancy!.samples.map((each) => each.ms)).toEqual([0, 50]);
});

test('after the fair phase nothing more is sampled', () => {
  const machine = new TestMachine(SAMPLED);
  const sampler = new Sampler(machine.plan, machine.words, machine.map, 20);
  // Looks take no time.
  setClock(() => 0);
  sampler.sample(0, PHASE.main);
  sampler.sample(5, PHASE.main);
  sampler.sample(20, PHASE.fair);
  sampler.sampleEnd(25);
  sampler.sample(80, PHASE.fair);
  sampler.sample(80, PHASE.done);
  const { vmpteKiB, rssKiB, occupancy, timeline } = sampler.document();
  expect(
    [vmpteKiB, rssKiB, occupancy!.samples, timeline!.samples].map((each) => each.length),
  ).toEqual([3, 3, 3, 1]);
  expect(vmpteKiB.map(([ms]) => ms)).toEqual([0, 20, 25]);
});
