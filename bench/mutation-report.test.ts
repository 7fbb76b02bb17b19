/** The figures of a campaign: what counts as found, and of what. */
import { expect, test } from 'vitest';
import type { Mutation } from '#derive/mutations';
import { ARGUMENTS } from './mutation-arguments.ts';
import { reportOf, summaryOf, tallyOf } from './mutation-report.ts';
import type { Trial } from './mutation-trial.ts';

const ARGUED = Object.entries(ARGUMENTS);
const [EQUIVALENT] = ARGUED.find(([, { verdict }]) => verdict === 'equivalent')!;

function trial(id: string, by: string | null): Trial {
  const mutation: Mutation = {
    ...{ id, kind: 'unlock', path: 'mm/a.js', inside: 'f', line: 7, occurrence: 0 },
    ...{ before: 'spinUnlock(\n  cpu | 1);', after: ';' },
  };
  const found = by === null ? null : { by, message: 'a | b', on: 'churn --protocol none' };
  return { mutation, found, cases: 3, executions: 40, seconds: 1.25 };
}

const TRIALS = [trial('mm/a/f/unlock-1', 'deadlock'), trial(EQUIVALENT, null), trial('x', null)];

test('the share found is of those that are not argued to be equivalent', () => {
  expect(tallyOf(TRIALS)).toEqual({ found: 1, equivalent: 1, survived: 1, notArgued: 1 });
  expect(summaryOf(TRIALS)).toBe(
    '3 mutations: 1 equivalent, 1 of the other 2 found (50.0 %), 1 survived, 1 of them not argued',
  );
});

test('the report has a row for each, with bars and line ends out of the way', () => {
  const control = { executions: 10, complaints: [] };
  const report = reportOf({
    ...{ seed: 1, sites: 9, cases: 3, control, budgetMs: 60_000, trials: TRIALS },
  });
  expect(report).toContain(
    '| `mm/a/f/unlock-1` | 7 | `spinUnlock( cpu \\| 1);` goes | **deadlock**: a \\| b | ' +
      '`churn --protocol none` | 40 | 1.3 |',
  );
  expect(report).toContain(
    `| \`${EQUIVALENT}\` | 7 | \`spinUnlock( cpu \\| 1);\` goes | equivalent |`,
  );
  expect(report).toContain('| **not argued** |');
});

test('every argument is a sentence of one line', () => {
  for (const [id, { because }] of ARGUED) {
    expect(id).toMatch(/^(sync|mm|reclaim)\/[\w/-]+-[0-9a-f]{6}(\.\d+)?$/);
    expect(because).toMatch(/^[^\n|]+\.$/);
  }
});
