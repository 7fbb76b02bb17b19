/** Rendezvous: where they may stand, who meets there, and what may be expected of their phases. */
import { describe, expect, test } from 'vitest';
import { buildPlan, type PlanRequest } from './build-plan.ts';
import type { Plan } from './plan.ts';
import { requestOf } from './request.suite.ts';
import { parseScenario } from './scenario.ts';

const TEXT = `question: Is it so?
source: a test
setup: [sleep: 1ms]
columns:
  - cpu: 0
    do:
      - { loop: 2, do: [sleep: 2ms] }
      - rendezvous: built
      - sleep: 3ms
      - rendezvous: freed
  - cpu: [1, 2]
    do:
      - rendezvous: built
      - rendezvous: freed
      - { loop: 3, do: [sleep: 4ms] }
expect:
  any: [{ figure: phaseSeconds, max: 3, phase: built }, { figure: vmpteKiB, min: 1 }]
`;

function planWith(was = '', becomes = '', changes: Partial<PlanRequest> = {}): Plan {
  expect(TEXT).toContain(was);
  const scenario = parseScenario({
    path: 'x.yaml',
    text: TEXT.replaceAll(was, () => becomes),
  });
  return buildPlan(scenario, requestOf(changes));
}

test('all CPUs meet, and those without a column come for nothing else', () => {
  const built = { op: 'rendezvous', phase: 'built' };
  const freed = { op: 'rendezvous', phase: 'freed' };
  const { columns } = planWith('', '', { cpus: 5 });
  expect(columns[0]).toMatchObject([{ op: 'loop' }, built, { op: 'sleep', ms: 3 }, freed]);
  expect(columns[2]).toMatchObject([built, freed, { op: 'loop' }]);
  expect(columns[3]).toEqual([built, freed]);
  expect(columns[4]).toEqual([built, freed]);
});

test('a figure may be of a phase; a time is that of the main phase by default', () => {
  expect(planWith().expectations).toEqual([
    { figure: 'phaseSeconds', phase: 'built', min: null, max: 3 },
    { figure: 'vmpteKiB', phase: null, min: 1, max: null },
  ]);
  const phases = (becomes: string): (string | null)[] =>
    planWith(', phase: built', becomes).expectations.map(({ phase }) => phase);
  expect(phases('')).toEqual(['main', null]);
  expect(phases(', phase: setup')).toEqual(['setup', null]);
});

describe('a mistake is told with its place', () => {
  const inLoop = '{ loop: 2, do: [sleep: 2ms] }';
  const outermost = 'only an outermost operation of a column may be a rendezvous';
  const same = 'all columns have the same rendezvous in the same order; ';

  test.each([
    ['setup: [sleep', 'setup: [rendezvous: early, sleep', `setup.0.rendezvous: ${outermost}`],
    [
      inLoop,
      '{ loop: 2, do: [rendezvous: early] }',
      `x.yaml:7:37: columns.0.do.0.do.0.rendezvous: ${outermost}`,
    ],
    [
      inLoop,
      '{ mix: 2, choices: [{ weight: 1, do: [rendezvous: early] }] }',
      `columns.0.do.0.choices.0.do.0.rendezvous: ${outermost}`,
    ],
    [
      '      - sleep: 3ms\n      - rendezvous: freed\n',
      '',
      `x.yaml:12:21: columns.1.do.1.rendezvous: ${same}here: built, freed; in the first c`,
    ],
    [
      '      - rendezvous: freed\n      - { loop: 3',
      '      - { loop: 3',
      `x.yaml:13:7: columns.1.do: ${same}here: built; in the first column: built, f`,
    ],
    [
      '      - rendezvous: built\n      - rendezvous: freed\n',
      '      - rendezvous: freed\n      - rendezvous: built\n',
      `x.yaml:13:21: columns.1.do.0.rendezvous: ${same}here: freed, built; in the first column: `,
    ],
    ['built', 'fair', 'x.yaml:8:21: columns.0.do.1.rendezvous: every run has a phase "fair"; cho'],
    ['freed', 'built', 'x.yaml:10:21: columns.0.do.3.rendezvous: there is a phase "built" already'],
    [
      '- rendezvous: freed\n',
      ['a', 'b', 'c', 'd'].map((name) => `- rendezvous: ${name}\n`).join('      '),
      'x.yaml:13:21: columns.0.do.6.rendezvous: a column has at most 4 rendezvous',
    ],
    ['rendezvous: built', 'rendezvous: $built', '"$built" is not a name: a lower-case letter, '],
    ['phase: built', 'phase: bilt', 'no phase "bilt"; phases: setup, main, fair, built, freed'],
    [
      'min: 1',
      'min: 1, phase: sleep',
      'x.yaml:17:92: expect.any.1.phase: no phase "sleep"; phases: setup, main',
    ],
    [
      'figure: phaseSeconds',
      'figure: rssKiB',
      'x.yaml:17:35: expect.any.0.phase: "rssKiB" is not of a phase; figures that are: vmpteKiB,',
    ],
  ])('%s -> %s', (was, becomes, complaint) => {
    expect(() => planWith(was, becomes)).toThrow(complaint);
  });
});
