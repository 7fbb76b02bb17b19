/** A replay word says the same when it is read as when it was written, and survives a shell. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { property } from '#base/property.suite';
import { UserError } from '#base/user-error';
import { formatReplayWord, isReplayWord, parseReplayWord } from './replay-word.ts';
import { NOT_REDUCED } from './smaller/reduction.ts';

const name = fc.stringMatching(/^[a-z][a-z-]{0,20}$/);
const words = fc.record({
  scenario: fc.oneof(name, fc.string({ minLength: 1 })),
  protocol: name,
  broken: fc.option(name),
  settings: fc.dictionary(name, fc.string({ minLength: 1 })),
  reduction: fc.constant(NOT_REDUCED),
  schedule: fc.record({
    stretches: fc.array(fc.record({ cpu: fc.nat(9), steps: fc.option(fc.nat(999)) })),
    choices: fc.array(fc.nat(9)),
  }),
  check: name,
});

property([words])('is read as it was written', (word) => {
  const text = formatReplayWord(word);
  expect(isReplayWord(text)).toBe(true);
  expect(parseReplayWord(text)).toEqual({ ...word, settings: { ...word.settings } });
  // Nothing that a shell would take for its own.
  expect(text).toMatch(/^[\w:/%.,=~-]+$/);
});

test.each([
  '',
  'pt1:',
  'pt2:a:b::::0.1:c',
  'pt1:a:b:::0.1:c',
  'pt1:a:b::x::0.1:c',
  'pt1:a:b:::z:0.1:c',
])('%j is none', (text) => {
  expect(() => parseReplayWord(text)).toThrow(UserError);
});
