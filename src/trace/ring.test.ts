/** Facts about event rings, the race matrix, counters and facts in a CPU's block. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { enterActor, enterOperation } from '#arch/cpu';
import { setClock } from '#arena/clock';
import { Halted } from '#arena/halt';
import { CONTROL } from '#arena/layout/control';
import { EVENTS_MAX, FACTS_MAX, PERCPU } from '#arena/layout/percpu';
import { peek } from '#arena/word';
import { TestMachine } from '#tasks/machine.suite';
import { COUNTER, count } from './counters.ts';
import { FACT, noteFact, panic } from './fact.ts';
import { countRace } from './race.ts';
import { EVENT, mergeRings, recordEvent } from './ring.ts';
import { ACTOR, RACE } from './vocabulary.ts';

let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine();
});
afterEach(() => setClock(null));

const merged = (): ReturnType<typeof mergeRings> =>
  mergeRings(
    machine.words,
    machine.cpus.map(({ block }) => block),
  );

describe('a ring', () => {
  test('keeps the latest events and no more', () => {
    const more = EVENTS_MAX + 37;
    for (let i = 0; i < more; i++) recordEvent(machine.cpu(0), EVENT.hook, i, -i);
    const events = merged();
    expect(events).toHaveLength(EVENTS_MAX);
    expect(events.map(({ a }) => a).sort((x, y) => x - y)[0]).toBe(more - EVENTS_MAX);
    expect(events.every(({ a, b, kind }) => b === -a && kind === 'hook')).toBe(true);
  });

  test('keeps the order of one CPU among events of the same time', () => {
    setClock(() => 5);
    for (let i = 0; i < 20; i++) recordEvent(machine.cpu(1), EVENT.free, i, 0);
    expect(merged().map(({ a }) => a)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  test('merges by time, across the wrap of the clock', () => {
    let us = 2 ** 31 - 3;
    setClock(() => us / 1000);
    for (const id of [2, 0, 1, 2, 0, 1]) {
      // The clock is read anew in each operation.
      enterOperation(machine.cpu(id));
      recordEvent(machine.cpu(id), EVENT.unhook, id, us);
      us++;
    }
    expect(merged().map(({ cpu }) => cpu)).toEqual([2, 0, 1, 2, 0, 1]);
    expect(merged().at(-1)!.timeUs).toBeLessThan(0);
  });
});

test('a race is counted in the cell of its kind, noticer and cause', () => {
  enterActor(machine.cpu(1), ACTOR.fault);
  enterActor(machine.cpu(2), ACTOR.scanner);
  countRace(machine.cpu(1), RACE.pmdChanged, ACTOR.madvise);
  countRace(machine.cpu(1), RACE.pmdChanged, ACTOR.madvise);
  countRace(machine.cpu(2), RACE.vmaLockFallback, ACTOR.exit);
  expect(machine.races()).toEqual({
    'pmdChanged: fault <- madvise': 2,
    'vmaLockFallback: scanner <- exit': 1,
  });
});

test('entering an actor gives back the one before', () => {
  enterActor(machine.cpu(0), ACTOR.access);
  expect(enterActor(machine.cpu(0), ACTOR.fault)).toBe(ACTOR.access);
  expect(enterActor(machine.cpu(0), ACTOR.access)).toBe(ACTOR.fault);
});

test('counters are summed over CPUs and may go down', () => {
  count(machine.cpu(0), COUNTER.rss, 5);
  count(machine.cpu(2), COUNTER.rss, -2);
  expect(machine.counter('rss')).toBe(3);
});

describe('facts', () => {
  test('beyond the room are counted, and the first are kept', () => {
    for (let i = 0; i < FACTS_MAX + 5; i++)
      noteFact(machine.cpu(0), FACT.lostEntry, i + 1, 2, 3, 4, 5);
    expect(peek(CONTROL.facts)).toBe(FACTS_MAX + 5);
    expect(peek(machine.cpu(0).block + PERCPU.factCount)).toBe(FACTS_MAX + 5);
    expect(machine.factWords()).toEqual([1, 2, 3, 4, 5]);
    // What stands behind the room is untouched.
    expect(peek(machine.cpu(0).block + PERCPU.eventCount)).toBe(0);
  });

  test('that leave memory in doubt halt the machine', () => {
    expect(() => panic(machine.cpu(1), FACT.tableZero, 0, 0, 0, 0, 0)).toThrow(Halted);
    expect(peek(CONTROL.halt)).toBe(1);
    expect(machine.facts()).toEqual(['tableZero']);
  });
});
