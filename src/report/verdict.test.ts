/** What outweighs what. */
import { describe, expect, test } from 'vitest';
import type { Run } from '#result/result';
import { sampleResult, sampleRun } from '#result/sample.suite';
import { verdictOf, verdictSentence, worstVerdict } from './verdict.ts';

const violation = { kind: 'lost-entry', message: 'm', cpus: [0], replay: null };
const unmet = { figure: 'pteTables', phase: null, min: null, max: 1, found: 2, met: false };

const cases: [name: string, run: Partial<Run>, kind: string][] = [
  ['a clean run', {}, 'pass'],
  ['a violation', { exit: 'violation', violations: [violation] }, 'violated'],
  ['a violation before the deadline', { exit: 'deadline', violations: [violation] }, 'violated'],
  ['an unmet expectation', { expectations: [unmet] }, 'unmet'],
  [
    'an unmet expectation, called a violation',
    { exit: 'violation', expectations: [unmet] },
    'unmet',
  ],
  ['a deadline', { exit: 'deadline', expectations: [unmet] }, 'deadline'],
  ['an interruption', { exit: 'interrupted', expectations: [unmet] }, 'interrupted'],
];

describe('the verdict', () => {
  test.each(cases)('of %s', (_name, more, kind) => {
    const run = sampleRun(more);
    const verdict = verdictOf(run);
    expect(verdict.kind).toBe(kind);
    expect(verdictSentence(verdict, run)).toMatch(/^\S+: .*\.$/);
  });

  test('of several runs is that of the worst', () => {
    const pass = sampleRun();
    const violated = sampleRun({ violations: [violation] });
    const late = sampleRun({ exit: 'deadline' });
    const stopped = sampleRun({ exit: 'interrupted' });
    expect(worstVerdict(sampleResult([]))).toBeNull();
    expect(worstVerdict(sampleResult([pass, pass]))).toBe('pass');
    expect(worstVerdict(sampleResult([pass, late]))).toBe('deadline');
    expect(worstVerdict(sampleResult([late, violated, pass]))).toBe('violated');
    expect(worstVerdict(sampleResult([violated, stopped]))).toBe('interrupted');
  });
});
