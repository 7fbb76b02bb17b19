/**
 * Facts about the rings of a trace, written as CPUs write them and read as the main thread does:
 * whatever happens, and however little the rings hold, the file is one that viewers understand.
 */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bindArena } from '#arena/arena';
import { setClock } from '#arena/clock';
import type { CpuRef } from '#arena/gate';
import { CONTROL, PHASE } from '#arena/layout/control';
import { LOCK_MODE } from '#arena/layout/lock-stat';
import { MM } from '#arena/layout/mm';
import { type ArenaMap, arenaMap } from '#arena/map';
import { boundWords, poke } from '#arena/word';
import { property } from '#base/property.suite';
import { eventsOf, fileOf, problemsOf } from '#report/trace/trace-file.suite';
import type { RunTrace, TraceEvent } from '#result/run-trace';
import { planOf, TestMachine } from '#tasks/machine.suite';
import { actWord, NO_REGION } from '#trace/act';
import { EVENT } from '#trace/ring';
import * as tracing from '#trace/tracing';
import { ACTOR, LOCK, RACE } from '#trace/vocabulary';
import { beginTrace, harvestTrace } from './harvest-trace.ts';
import { TraceSampler } from './trace-sampler.ts';

const CPUS = 2;
const RING = 16;
const GEOMETRY = {
  ...{ cpus: CPUS, ptrsShift: 3, levels: 2, tables: 8, bodies: 8, pages: 8, vmas: 4 },
  ...{ gatherPages: 4, batch: 2, backing: 'fixed' as const, traceEvents: RING },
};
const PLAN = planOf({ cpus: CPUS, traceEvents: RING });
const SITES = [{ function: 'someFunction', path: 'mm/some.ts', line: 7 }];
const map: ArenaMap = arenaMap(GEOMETRY);
const cpus = Array.from({ length: CPUS }, (_, id) => ({
  ...{ id, block: map.percpu + id * map.percpuWords },
}));
const [cpu] = cpus as [(typeof cpus)[0]];
let sampler: TraceSampler;
let nowNs = 0;

beforeEach(() => begin());
afterEach(() => setClock(null));

function begin(): void {
  nowNs = 0;
  setClock(() => nowNs / 1e6);
  bindArena(new SharedArrayBuffer(4 * map.sizeWords), GEOMETRY, 0);
  sampler = new TraceSampler(boundWords(), map, 1);
  beginTrace(boundWords(), map, sampler.madeNs);
  tracing.bindTracing();
  nowNs += 1000;
  tracing.tracePhase(PHASE.setup);
}

function harvest(): RunTrace {
  const sources = { plan: PLAN, lockSites: SITES, sampler, verdicts: [] };
  return harvestTrace(boundWords(), map, sources);
}

const ptl = (table: number): number => map.ptdescs + 4 * table;

describe('a ring', () => {
  test('keeps the latest, and knows how many are gone and since when none is', () => {
    for (let i = 0; i < 3 * RING + 5; i++) {
      nowNs = 1000 * (i + 1);
      tracing.traceRace(cpu, RACE.pmdGone, ACTOR.fault, ACTOR.madvise);
    }
    const [track, other] = harvest().tracks;
    expect(track).toMatchObject({ name: 'CPU 0', dropped: 2 * RING + 5 });
    expect(track!.events.map(({ ns }) => ns / 1000)).toEqual(
      Array.from({ length: RING }, (_, i) => 2 * RING + 6 + i),
    );
    expect(track!.sinceNs).toBe(track!.events[0]!.ns);
    expect(other).toMatchObject({ name: 'CPU 1', events: [], dropped: 0, sinceNs: 0 });
  });

  test.each([0, 1, RING - 1, RING])('that has taken %i records has dropped none', (records) => {
    for (let i = 0; i < records; i++) tracing.traceEnter(cpu, ACTOR.gup);
    expect(harvest().tracks[0]).toMatchObject({ dropped: 0, sinceNs: 0 });
    expect(harvest().tracks[0]!.events).toHaveLength(records);
  });

  test('takes nothing more once the main phase is over', () => {
    tracing.traceEnter(cpu, ACTOR.fault);
    poke(CONTROL.phase, PHASE.main);
    tracing.traceLeave(cpu, ACTOR.fault);
    poke(CONTROL.phase, PHASE.fair);
    tracing.traceEnter(cpu, ACTOR.exit);
    tracing.traceGraceOver(7);
    const { tracks, gracePeriods } = harvest();
    expect(tracks[0]!.events.map(({ kind }) => kind)).toEqual(['enter', 'leave']);
    expect(gracePeriods.events).toEqual([]);
  });

  test('of the grace periods is written by all CPUs, and keeps the latest too', () => {
    for (let epoch = 1; epoch <= RING; epoch++) {
      nowNs += 10;
      tracing.traceGraceWanted(epoch);
      tracing.traceGraceOver(epoch);
    }
    const { gracePeriods } = harvest();
    expect(gracePeriods.dropped).toBe(RING);
    const epochs = gracePeriods.events.map(({ epoch }) => epoch);
    expect([epochs[0], epochs.length, epochs.at(-1)]).toEqual([RING / 2 + 1, RING, RING]);
  });

  test('has no record of a grace period that somebody wanted before', () => {
    poke(CONTROL.rcuWanted, 5);
    tracing.traceGraceWanted(5);
    tracing.traceGraceWanted(6);
    expect(harvest().gracePeriods.events).toMatchObject([{ kind: 'wanted', epoch: 6 }]);
  });
});

describe('names', () => {
  test('tell locks apart by what they are of', () => {
    const places: [lockClass: number, place: number, name: string][] = [
      [LOCK.ptl, ptl(5), 'ptl of table 5'],
      [LOCK.pml, ptl(3), 'pml of table 3'],
      [LOCK.ptl, map.mm + MM.pageTableLock, 'page-table lock as ptl'],
      [LOCK.pageTable, map.mm + MM.pageTableLock, 'page-table lock'],
      [LOCK.mmap, map.mm + MM.mmapLock, 'mmap lock'],
      [LOCK.vma, 2, 'lock of VMA 2'],
      [LOCK.refSwitch, CONTROL.refSwitchLock, 'switch lock of the percpu refs'],
    ];
    for (const [lockClass, place] of places)
      tracing.traceAcquired(cpu, place, lockClass, LOCK_MODE.shared, 1);
    const site = 'someFunction (mm/some.ts:7)';
    expect(harvest().tracks[0]!.events).toMatchObject(
      places.map(([, , name]) => ({ kind: 'acquired', lock: { name }, isShared: true, site })),
    );
  });

  test('tell operations by their acts and places', () => {
    tracing.traceEvent(cpu, actWord(EVENT.operation, 0, 0, NO_REGION), 0, 0);
    tracing.traceRound(cpu, tracing.ROUND.lock);
    expect(harvest().tracks[0]!.events).toMatchObject([
      { kind: 'operation', operation: { act: 'touch write', where: null } },
      { kind: 'operation', operation: { act: 'locktorture', where: null } },
    ]);
  });
});

describe('a machine', () => {
  const machineOf = (): TestMachine =>
    new TestMachine({ traceEvents: 256, protocol: 'pt-reclaim' }, { traceEvents: 256 });
  const told = ({ words, map: whole, plan }: TestMachine): readonly TraceEvent[] =>
    harvestTrace(words, whole, { plan, lockSites: [], sampler, verdicts: [] }).tracks[0]!.events;

  /** What CPU 0 does in `act`, in a line each. */
  function during(machine: TestMachine, act: () => void): string[] {
    const before = told(machine).length;
    act();
    return told(machine)
      .slice(before)
      .map((event) => {
        if ('lock' in event) return `${event.kind} ${event.lock.class}`;
        if (event.kind === 'table') return `${event.event} table`;
        return 'actor' in event ? `${event.kind} ${event.actor}` : event.kind;
      });
  }

  test('tells of a fault what it does, in order', () => {
    const machine = machineOf();
    machine.mmap(0, 0, 16);
    machine.store(0, 1, 17);
    expect(during(machine, () => machine.store(0, 2, 17))).toEqual([
      ...['enter fault', 'acquired vma', 'section', 'acquired ptl'],
      ...['released ptl', 'sectionEnd', 'released vma', 'leave fault'],
    ]);
  });

  test('tells of a table that goes, and of its grace period', () => {
    const machine = machineOf();
    machine.mmap(0, 0, 16);
    machine.store(0, 1, 17);
    const lines = during(machine, () => machine.dontneed(0, 0, 8));
    const order = ['enter madvise', 'acquired pml', 'acquired ptl', 'unhook table', 'released pml'];
    expect(lines.filter((line) => order.includes(line))).toEqual(expect.arrayContaining(order));
    expect(lines.slice(-1)).toEqual(['leave madvise']);
    expect(lines.indexOf('unhook table')).toBeLessThan(lines.lastIndexOf('released pml'));
    expect(lines).toContain('defer table');
  });

  test('without a trace has no room for one and tells nothing', () => {
    const machine = new TestMachine();
    machine.mmap(0, 0, 16);
    machine.store(0, 1, 17);
    expect(machine.map.trace).toBe(machine.map.sizeWords);
  });
});

/** Something that a CPU tells, and how much later than what was told before. */
interface Told {
  readonly cpu: number;
  readonly what: number;
  readonly which: number;
  readonly laterNs: number;
}

const TELLING: readonly ((cpu: CpuRef, which: number) => void)[] = [
  (cpu, which) => tracing.traceEnter(cpu, 1 + which),
  (cpu, which) => tracing.traceLeave(cpu, 1 + which),
  (cpu, which) => tracing.traceRound(cpu, which),
  (cpu) => tracing.traceOperationEnd(cpu),
  (cpu, which) => tracing.traceLockWait(cpu, ptl(which), LOCK.ptl, 1),
  (cpu, which) => tracing.traceLockWaitEnd(cpu, ptl(which), LOCK.ptl),
  (cpu, which) => tracing.traceAcquired(cpu, ptl(which), LOCK.ptl, LOCK_MODE.exclusive, 1),
  (cpu, which) => tracing.traceReleased(cpu, ptl(which), LOCK.ptl),
  (cpu, which) => tracing.traceAcquired(cpu, which, LOCK.vma, which & 1),
  (cpu, which) => tracing.traceReleased(cpu, which, LOCK.vma),
  (cpu) => tracing.traceReleasedAll(cpu, LOCK.vma),
  (cpu, which) => tracing.traceWordWait(cpu, which),
  (cpu, which) => tracing.traceWordWaitEnd(cpu, which),
  (cpu) => tracing.traceSection(cpu, 0),
  (cpu) => tracing.traceSectionEnd(cpu, 0),
  (cpu, which) => tracing.traceRace(cpu, which, ACTOR.fault, ACTOR.scanner),
  (cpu, which) => tracing.traceFact(cpu, which),
  (cpu, which) => tracing.traceEvent(cpu, EVENT.unhook, which, 7),
];

const anything: fc.Arbitrary<Told[]> = fc.array(
  fc.record({
    cpu: fc.nat(CPUS - 1),
    what: fc.nat(TELLING.length + 1),
    which: fc.nat(3),
    laterNs: fc.oneof(fc.constant(0), fc.nat(50)),
  }),
  { maxLength: 6 * RING, size: 'max' },
);
/** When it begins: what is exact near zero is not after hours. */
const anyTime = fc.oneof(
  fc.constant(0),
  fc.nat(10_000_000_000),
  fc.nat(2 ** 31 - 1).map((n) => n * 1e4),
);

/** Tells all of it; how many records each CPU has made. */
function tell(all: readonly Told[]): number[] {
  const records = cpus.map(() => 0);
  let epoch = 0;
  for (const { cpu: id, what, which, laterNs } of all) {
    nowNs += laterNs;
    if (what === TELLING.length) tracing.traceGraceWanted(epoch + 1 + (which & 1));
    else if (what === TELLING.length + 1) tracing.traceGraceOver(++epoch);
    else {
      TELLING[what]!(cpus[id]!, which);
      records[id]!++;
    }
  }
  return records;
}

property([anything, anyTime], { numRuns: 500 })(
  'whatever is told in whatever order, the file is balanced and ordered, and says what it lacks',
  (all, later) => {
    begin();
    nowNs += later;
    const records = tell(all);
    const trace = harvest();
    const file = fileOf(trace);
    expect(problemsOf(file)).toEqual([]);
    for (const [id, { events, dropped, sinceNs }] of trace.tracks.entries()) {
      expect(events.length + dropped).toBe(records[id]!);
      expect(events.length).toBe(Math.min(RING, records[id]!));
      expect(sinceNs).toBe(dropped === 0 ? 0 : events[0]!.ns);
      const ours = eventsOf(file, 'X').filter(({ pid }) => pid === 100 * (id + 1));
      for (const { ts } of ours) expect(Math.round(ts * 1000)).toBeGreaterThanOrEqual(sinceNs);
    }
  },
);

/** What a sound CPU does: all that begins ends, and locks go in any order. */
interface Doing {
  readonly actor: number;
  readonly locks: readonly number[];
  readonly releases: readonly number[];
  readonly inner: readonly Doing[];
}

function doingOf(depth: number): fc.Arbitrary<Doing> {
  return fc.record({
    actor: fc.integer({ min: 1, max: 5 }),
    locks: fc.uniqueArray(fc.nat(3), { maxLength: 3 }),
    releases: fc.array(fc.nat(2), { minLength: 3, maxLength: 3 }),
    inner: depth === 0 ? fc.constant([]) : fc.array(doingOf(depth - 1), { maxLength: 2 }),
  });
}

function act(who: CpuRef, { actor, locks, releases, inner }: Doing): void {
  const step = (): void => {
    nowNs += 1;
  };
  tracing.traceEnter(who, actor);
  for (const lock of locks) {
    step();
    tracing.traceAcquired(who, ptl(lock), LOCK.ptl, LOCK_MODE.exclusive);
  }
  for (const each of inner) {
    step();
    act(who, each);
  }
  const held = [...locks];
  for (let i = 0; held.length > 0; i++) {
    step();
    const [lock] = held.splice(releases[i]! % held.length, 1);
    tracing.traceReleased(who, ptl(lock!), LOCK.ptl);
  }
  step();
  tracing.traceLeave(who, actor);
}

const countOf = (all: readonly Doing[], count: (one: Doing) => number): number =>
  all.reduce((sum, one) => sum + count(one) + countOf(one.inner, count), 0);

property([fc.array(doingOf(3), { maxLength: 8 })], { numRuns: 500 })(
  'what a sound CPU does is there as it was, or the latest of it',
  (all) => {
    begin();
    for (const one of all) {
      nowNs += 3;
      act(cpu, one);
    }
    const trace = harvest();
    const file = fileOf(trace);
    expect(problemsOf(file)).toEqual([]);
    const slices = eventsOf(file, 'X').filter(({ cat }) => cat === 'actor' || cat === 'lock');
    if (trace.tracks[0]!.dropped === 0) {
      expect(slices).toHaveLength(countOf(all, ({ locks }) => 1 + locks.length));
      for (const { args } of slices) expect(args).toBeUndefined();
    }
    // Everything has ended, and what began before the ring does begins with it.
    for (const { args } of slices) expect(args?.['unfinished']).toBeUndefined();
    const ends = trace.tracks[0]!.events.filter(({ kind }) => /^(leave|released)$/.test(kind));
    expect(slices).toHaveLength(ends.length);
  },
);
