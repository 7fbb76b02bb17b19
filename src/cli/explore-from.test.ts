/** `explore --from`: what it takes from a result, refuses beside it, and ends in. */
import { describe, expect, test } from 'vitest';
import { lineEditOf } from '#catalogue/broken-version';
import { sampleResult, sampleRun } from '#result/sample.suite';
import { BROKEN, say } from './fake.suite.ts';

const { plans } = await say(['run', '--broken', BROKEN.name]);
const violations = [{ kind: 'lost-entry', message: 'gone', cpus: [1], replay: null }];
const lastActs = {
  ...{ options: { delayMs: 7 }, slots: [512] },
  columns: [
    {
      ...{ cpu: 1, isInFlight: true },
      acts: [{ act: 'dontneed', count: 0, region: 0, page: 0, pages: 4 }],
    },
  ],
};
const RUN = sampleRun({ protocol: 'pt-reclaim', violations, lastActs });
const MORE = { plan: plans[0], broken: BROKEN.name };
const FILES = {
  'r.json': JSON.stringify(sampleResult([sampleRun(), RUN], MORE)),
  'clean.json': JSON.stringify(sampleResult([sampleRun()], MORE)),
  'bare.json': JSON.stringify(sampleResult([RUN])),
};
const from = (...words: string[]) => say(['explore', '--from', ...words], { files: FILES });

describe('explore --from', () => {
  test('takes plan, protocol, options and edit from the result', async () => {
    const { code, explored, stdout } = await from('r.json', '--json', 'e.json');
    expect(code).toBe(1);
    expect(explored[0]).toMatchObject({
      ...{ edit: lineEditOf(BROKEN), durationMs: 60_000, strategy: { name: 'pos' } },
      plan: { scenario: 'churn', protocol: 'pt-reclaim', options: { delayMs: 7 }, seed: 1 },
    });
    expect(stdout).toMatch(/\npttorture replay e\.json\n$/);
  });

  test('without a file says how to come to one', async () => {
    const { stdout } = await from('r.json');
    const command = 'pttorture explore --from r.json --json race.json; pttorture replay race.json';
    expect(stdout.endsWith(`\n${command}\n`)).toBe(true);
  });

  test('writes the document that replay reads', async () => {
    const { files } = await from('r.json', '--json', 'e.json');
    const stage = { files: { 'e.json': files.get('e.json')! } };
    expect((await say(['replay', 'e.json'], stage)).code).toBe(1);
    const { stdout } = await from('r.json', '--json', '-');
    expect(JSON.parse(stdout).violations).toEqual(JSON.parse(files.get('e.json')!).violations);
  });

  test('takes another seed, a strategy and limits', async () => {
    const words = ['--seed', '9', '--strategy', 'pct', '--executions', '50'];
    const { explored } = await from('r.json', ...words);
    expect(explored[0]).toMatchObject({
      ...{ plan: { seed: 9 }, strategy: { name: 'pct' }, executionsMax: 50, durationMs: null },
    });
  });

  test.each<[string[], RegExp]>([
    [['clean.json'], /^"clean.json" has no violation to look for/],
    [['bare.json'], /^"bare.json" has no plan to go by/],
    [['missing.json'], /^cannot read "missing.json"/],
    [['r.json', 'churn', '--cpus', '2'], /leave out the scenario "churn", --cpus$/],
    [['r.json', '--protocol', 'none', '--broken', 'x', '-p', 'a=1'], /--protocol, --broken, -p$/],
    [['r.json', '--no-split-locks', '--exhaust'], /leave out --no-split-locks, --exhaust$/],
  ])('%j is refused in one line', async (words, message) => {
    const { code, stderr, stdout } = await from(...words);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.trimEnd()).toMatch(message);
    expect(stderr.trimEnd()).not.toContain('\n');
  });
});
