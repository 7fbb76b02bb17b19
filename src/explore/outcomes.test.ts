/** Each outcome has its bit, and is read from the place that its meaning names. */
import { describe, expect, test } from 'vitest';
import { bindArena } from '#arena/arena';
import type { CpuRef } from '#arena/gate';
import { CONTROL } from '#arena/layout/control';
import { FRAME, frameState, PTDESC } from '#arena/layout/ptdesc';
import { arenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import { OUTCOME_NAMES } from '#scenario/outcomes';
import type { OutcomeName } from '#scenario/plan';
import { COUNTER } from '#trace/counters';
import { countRace } from '#trace/race';
import { ACTOR, RACES } from '#trace/vocabulary';
import { bitOf, OUTCOMES, outcomesOf } from './outcomes.ts';
import { TINY } from './small.suite.ts';

const map = arenaMap(TINY);

/** What is found in an arena that is blank but for what `write` writes. */
function found(write: (words: Words, lastCpu: number) => void): OutcomeName[] {
  const words: Words = new Int32Array(new SharedArrayBuffer(4 * map.sizeWords));
  words[CONTROL.tableFresh] = 4;
  write(words, map.percpu + (TINY.cpus - 1) * map.percpuWords);
  const bits = outcomesOf(words, map);
  return OUTCOMES.filter((outcome) => (bits & bitOf(outcome)) !== 0);
}

/** Table 3 in the given state with so many entries. */
function withTable(state: number, level: number, entries: number): OutcomeName[] {
  return found((words) => {
    const at = map.ptdescs + 3 * PTDESC.sizeWords;
    words[at + PTDESC.state] = frameState(state, level, 1);
    words[at + PTDESC.use] = entries;
  });
}

test('the kinds of races come first, under their own numbers', () => {
  expect(OUTCOMES).toEqual(OUTCOME_NAMES);
  expect(OUTCOMES.slice(0, RACES.length)).toEqual(RACES);
});

test('a blank arena has none', () => {
  expect(found(() => {})).toEqual([]);
});

test.each(RACES.map((name, kind) => [name, kind] as const))('%s, by any CPU', (name, kind) => {
  const counted = (words: Words, block: number): void => {
    bindArena(words.buffer, TINY, 0);
    countRace({ id: TINY.cpus - 1, block } as CpuRef, kind, ACTOR.fault);
  };
  expect(found(counted)).toEqual([name]);
});

test.each([
  ['reclaimed', COUNTER.tablesReclaimed],
  ['flushWaited', COUNTER.ipisSent],
  ['overlap', COUNTER.pwcOverlaps],
  ['oom', COUNTER.oom],
] as const)('%s, by its counter', (outcome, counter) => {
  expect(
    found((words, block) => {
      words[block + counter] = 2;
    }),
  ).toEqual([outcome]);
});

describe('tableKept', () => {
  test('is an empty PTE table in use', () => {
    expect(withTable(FRAME.table, 0, 0)).toEqual(['tableKept']);
  });

  test.each([
    ['a table with an entry', FRAME.table, 0, 1],
    ['a PMD table', FRAME.table, 1, 0],
    ['an unhooked table', FRAME.unhooked, 0, 0],
    ['a free frame', FRAME.free, 0, 0],
  ])('is not %s', (_, state, level, entries) => {
    expect(withTable(state, level, entries)).toEqual([]);
  });

  test('is not looked for beyond the frames that were used', () => {
    const beyond = found((words) => {
      words[CONTROL.tableFresh] = 3;
      words[map.ptdescs + 3 * PTDESC.sizeWords + PTDESC.state] = frameState(FRAME.table, 0, 1);
    });
    expect(beyond).toEqual([]);
  });
});
