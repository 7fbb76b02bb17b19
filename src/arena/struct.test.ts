/** Facts about layouts: their arithmetic, the places that matter, and that V8 keeps them fast. */
import { setFlagsFromString } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { property } from '#base/property.suite';
import { COUNTERS } from '#trace/counters';
import { FACTS } from '#trace/fact';
import { ACTORS, LOCKS, RACES } from '#trace/vocabulary';
import { CONTROL } from './layout/control.ts';
import { MM, VMA } from './layout/mm.ts';
import { PAGE, PAGE_DESC_SHIFT } from './layout/page.ts';
import {
  ACTORS_MAX,
  COUNTERS_MAX,
  LOCKS_MAX,
  MCS_NODE,
  PERCPU,
  RACES_MAX,
} from './layout/percpu.ts';
import { PTDESC, PTDESC_SHIFT } from './layout/ptdesc.ts';
import { LINE_WORDS, linedStruct, roundUpToLine, struct } from './layout/struct.ts';

/** Field lists; integer-like names would change an object's order. */
const fields = fc.dictionary(
  fc.stringMatching(/^[a-z]{1,6}$/).filter((name) => name !== 'sizeWords'),
  fc.integer({ min: 1, max: 70 }),
  { maxKeys: 40, noNullPrototype: true },
);

property([fields])('a struct lays its fields out in order without gaps', (sizes) => {
  const offsets = struct(sizes) as Record<string, number>;
  let at = 0;
  for (const [name, size] of Object.entries(sizes)) {
    expect(offsets[name]).toBe(at);
    at += size;
  }
  expect(offsets['sizeWords']).toBe(at);
  expect(Object.keys(offsets)).toHaveLength(Object.keys(sizes).length + 1);
});

property([fields])('a lined struct gives each field whole lines of its own', (sizes) => {
  const offsets = linedStruct(sizes) as Record<string, number>;
  const entries = Object.entries(sizes);
  for (const [i, [name, size]] of entries.entries()) {
    const at = offsets[name]!;
    const next = i + 1 < entries.length ? offsets[entries[i + 1]![0]]! : offsets['sizeWords']!;
    expect(at % LINE_WORDS).toBe(0);
    expect(next - at).toBe(roundUpToLine(size));
    expect(next - at).toBeGreaterThanOrEqual(size);
  }
});

test('a layout cannot be changed', () => {
  expect(() => Object.assign(struct({ a: 1 }), { a: 5 })).toThrow(TypeError);
});

describe('V8 keeps fast properties for', () => {
  setFlagsFromString('--allow-natives-syntax');
  const isFast = new Function('o', 'return %HasFastProperties(o)') as (o: object) => boolean;
  const layouts = { CONTROL, PERCPU, MM, VMA, PTDESC, PAGE };

  test.each(Object.entries(layouts))('%s', (_name, layout) => {
    expect(isFast(layout)).toBe(true);
  });

  test('but not for an object filled key by key: the test can fail', () => {
    const filled: Record<string, number> = {};
    for (const key of Object.keys(PERCPU)) filled[`${key}${Object.keys(filled).length}`] = 1;
    for (const key of Object.keys(filled).slice(0, 5)) delete filled[key];
    expect(isFast(filled)).toBe(false);
  });
});

describe('layouts', () => {
  test('descriptors have the size that their shift says', () => {
    expect(PTDESC.sizeWords).toBe(1 << PTDESC_SHIFT);
    expect(PAGE.sizeWords).toBe(1 << PAGE_DESC_SHIFT);
    expect(VMA.sizeWords).toBe(LINE_WORDS);
  });

  test('what other CPUs read often stands on lines of its own', () => {
    expect(PERCPU.rcuSeen % LINE_WORDS).toBe(0);
    expect(PERCPU.waitAt % LINE_WORDS).toBe(0);
    expect(PERCPU.ipiWanted - PERCPU.rcuSeen).toBe(LINE_WORDS);
    expect(PERCPU.waitAt - PERCPU.ipiWanted).toBe(LINE_WORDS);
    expect(PERCPU.held % LINE_WORDS).toBe(0);
    expect(PERCPU.mcs % LINE_WORDS).toBe(0);
    expect(MCS_NODE.sizeWords).toBe(LINE_WORDS);
  });

  test('the numbered things fit into their room', () => {
    expect(COUNTERS.length).toBeLessThanOrEqual(COUNTERS_MAX);
    expect(RACES.length).toBeLessThanOrEqual(RACES_MAX);
    expect(ACTORS.length).toBeLessThanOrEqual(ACTORS_MAX);
    expect(LOCKS.length).toBeLessThanOrEqual(LOCKS_MAX);
    expect(new Set(FACTS).size).toBe(FACTS.length);
  });

  test('word 0 of the arena belongs to nobody', () => {
    expect(CONTROL.trap).toBe(0);
    expect(CONTROL.halt).toBe(LINE_WORDS);
  });
});
