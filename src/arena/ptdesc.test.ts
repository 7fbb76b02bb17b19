/** Facts about the state word of a table frame. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { property } from '#base/property.suite';
import {
  FRAME,
  frameGenerationOf,
  frameLevelOf,
  frameState,
  frameStateOf,
} from './layout/ptdesc.ts';

const states = fc.constantFrom(...Object.values(FRAME));
const levels = fc.integer({ min: 0, max: 3 });
const generations = fc.integer({ min: 0, max: 2 ** 28 - 1 });

property([states, levels, generations])('a state word gives back its parts', (s, l, g) => {
  // As it stands in the arena: a signed word.
  const word = frameState(s, l, g) | 0;
  expect([frameStateOf(word), frameLevelOf(word), frameGenerationOf(word)]).toEqual([s, l, g]);
});

property([states, levels, generations])('generations wrap without touching the rest', (s, l, g) => {
  expect(frameState(s, l, g + 2 ** 28) | 0).toBe(frameState(s, l, g) | 0);
});
