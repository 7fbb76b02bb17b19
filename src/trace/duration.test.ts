/** Facts about durations in two words: they add up beyond what one word holds. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { bindArena } from '#arena/arena';
import { CONTROL } from '#arena/layout/control';
import { arenaMap } from '#arena/map';
import { boundWords } from '#arena/word';
import { property } from '#base/property.suite';
import { addDuration, durationIn, peekDuration, pokeDuration, raiseDuration } from './duration.ts';

const GEOMETRY = {
  ...{ cpus: 1, ptrsShift: 3, levels: 2, tables: 4, bodies: 4, pages: 4, vmas: 4 },
  ...{ gatherPages: 4, batch: 2, backing: 'fixed' as const },
};
const AT = CONTROL.torture;
/** Up to a quarter of an hour; many whole seconds among them. */
const nanoseconds = fc.oneof(
  fc.integer({ min: 0, max: 2_000_000_000 }),
  fc.integer({ min: 0, max: 900 }).map((seconds) => seconds * 1e9),
  fc.integer({ min: 1, max: 900 }).map((seconds) => seconds * 1e9 - 1),
);

beforeEach(() => {
  bindArena(new SharedArrayBuffer(4 * arenaMap(GEOMETRY).sizeWords), GEOMETRY, 0);
});

property([fc.array(nanoseconds)])('the sum is that of all, and the longest the longest', (all) => {
  for (const at of [AT, AT + 2]) pokeDuration(at, 0);
  for (const ns of all) {
    addDuration(AT, ns);
    raiseDuration(AT + 2, ns);
  }
  expect(peekDuration(AT)).toBe(all.reduce((sum, ns) => sum + ns, 0));
  expect(peekDuration(AT + 2)).toBe(Math.max(0, ...all));
  expect(durationIn(boundWords(), AT)).toBe(peekDuration(AT));
});

test('both words stay whole numbers of one word', () => {
  for (let i = 0; i < 5000; i++) addDuration(AT, 999_999_999);
  expect(peekDuration(AT)).toBe(5000 * 999_999_999);
});
