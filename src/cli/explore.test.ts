/** What `explore` and `replay` ask of the engine, print, and exit with; on a made-up engine. */
import { describe, expect, test } from 'vitest';
import { lineEditOf } from '#catalogue/broken-version';
import { parseReplayWord } from '#explore/replay-word';
import { BROKEN, say } from './fake.suite.ts';

describe('explore', () => {
  test('takes scenario, protocol and parameters from a broken version', async () => {
    const { code, explored, stdout } = await say(['explore', '--broken', BROKEN.name]);
    expect(code).toBe(1);
    const [request] = explored;
    expect(request!.plan).toMatchObject({
      ...{ scenario: 'churn', protocol: 'pt-reclaim', broken: BROKEN.name },
      parameters: { size: '8MiB' },
    });
    expect(request).toMatchObject({
      edit: lineEditOf(BROKEN),
      executionsMax: null,
      durationMs: 60_000,
    });
    expect(stdout).toMatch(/lost-entry: an entry is lost/);
  });

  test('ends with the command that replays what it found', async () => {
    const words = ['explore', '--broken', BROKEN.name, '--seed', '7', '-p', 'size=4MiB'];
    const { stdout, explored } = await say([
      ...words,
      '--no-split-locks',
      '--lock',
      'ptl=mcs,pml=mcs',
    ]);
    const [, word] = /\npttorture replay (\S+)\n$/.exec(stdout) ?? [];
    const again = await say(['replay', word!]);
    expect(again.code).toBe(1);
    const { settings } = parseReplayWord(word!);
    expect(settings).toMatchObject({ '-seed': '7', size: '4MiB' });
    const { plan } = explored[0]!;
    const { protocol, broken, splitLocks, locks, parameters } = again.replayed[0]!.plan;
    expect({ protocol, broken, splitLocks, locks, parameters }).toEqual({
      ...{ protocol: plan.protocol, broken: plan.broken, splitLocks: false },
      ...{ locks: plan.locks, parameters: plan.parameters },
    });
  });

  test('is well when nothing was found', async () => {
    const { code, stdout, explored } = await say(['explore', 'churn', '--executions', '50']);
    expect([code, explored[0]!.executionsMax, explored[0]!.durationMs]).toEqual([0, 50, null]);
    expect(stdout).not.toContain('replay');
  });

  test.each([
    [[], 'pos'],
    [['--exhaust'], 'dpor'],
    [['--exhaust', '--strategy', 'dfs', '--bound', '1'], 'dfs'],
  ])('with %j searches by %s', async (flags, name) => {
    const { explored } = await say(['explore', 'churn', ...flags]);
    expect(explored[0]!.strategy.name).toBe(name);
  });

  test('writes a document that replay reads', async () => {
    const { files } = await say(['explore', '--broken', BROKEN.name, '--json', 'e.json']);
    const stage = { files: { 'e.json': files.get('e.json')! } };
    const { code, replayed } = await say(['replay', 'e.json', '--threads', '--times', '3'], stage);
    expect(code).toBe(1);
    expect(replayed[0]).toMatchObject({
      ...{ schedule: '0.3', history: [0, 0, 192, 1], check: null, times: 3, onThreads: true },
      edit: lineEditOf(BROKEN),
    });
  });

  test.each(['markdown', 'json'])('prints %s', async (format) => {
    const { stdout } = await say(['explore', '--broken', BROKEN.name, '--format', format]);
    if (format === 'json') expect(JSON.parse(stdout)).toMatchObject({ kind: 'exploration' });
    else expect(stdout).toMatch(/^## churn under pt-reclaim, broken by no-recheck\n/);
  });

  test.each<[string[], RegExp]>([
    [['explore'], /^no scenario given/],
    [
      ['explore', 'churn', '--protocol', 'pt-reclame'],
      /^unknown protocol "pt-reclame"; did you mean/,
    ],
    [['explore', 'churn', '--strategy', 'luck'], /^unknown strategy "luck"/],
    [['explore', 'churn', '--strategy', 'pct', '--exhaust'], /^--exhaust: pct draws by chance/],
    [
      ['explore', 'churn', '--bound', '2'],
      /^--bound is no option of the strategy pos, but of dfs\n/,
    ],
    [['explore', 'churn', '--exhaust', '--executions', '5'], /exclude each other/],
    [['replay', 'pt1:churn'], /^"pt1:churn" is no replay word/],
    [['replay', 'pt1:churn:none::::0.x:s'], /^"0.x" is no schedule/],
    [['replay', 'pt1:churm:none:::::s'], /^unknown scenario "churm"; did you mean "churn"/],
    [['replay', 'missing.json'], /^cannot read "missing.json"/],
  ])('%j is refused in one line', async (words, message) => {
    const { code, stderr, stdout } = await say(words);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).not.toContain('\n');
  });
});

describe('replay', () => {
  const word = 'pt1:churn:pt-reclaim:no-recheck:::0.3:sum';

  test('that does other than was recorded says where, and fails', async () => {
    const difference = 'replay diverged at step 4: expected a, found b';
    const { code, stdout } = await say(['replay', word], {
      replay: (request) => ({ ...base(request.times), difference }),
    });
    expect([code, stdout]).toEqual([3, `${difference}\n`]);
  });

  test('that is interrupted says nothing', async () => {
    const signal = AbortSignal.abort();
    const never = (): Promise<never> => new Promise(() => {});
    const { code, stdout } = await say(['replay', word], { replay: never, signal });
    expect([code, stdout]).toEqual([130, '']);
  });

  test('of what goes well is well', async () => {
    const { code } = await say(['replay', word], {
      replay: (request) => ({ ...base(request.times), verdicts: [] }),
    });
    expect(code).toBe(0);
  });

  test.each([
    ['do something else', { kind: 'other', why: 'replay diverged at step 1' } as const],
    [
      'find something else',
      { kind: 'same', verdicts: [{ kind: 'deadlock', message: '' }] } as const,
    ],
  ])('on threads that %s fails', async (_, threads) => {
    const { code } = await say(['replay', word, '--threads'], {
      replay: (request) => ({ ...base(request.times), threads }),
    });
    expect(code).toBe(3);
  });

  test('that is not alike each time fails', async () => {
    const { code } = await say(['replay', word, '--times', '9'], {
      replay: () => base(8),
    });
    expect(code).toBe(3);
  });
});

function base(alike: number) {
  return {
    verdicts: [{ kind: 'lost-entry', message: 'an entry is lost' }],
    ...{ steps: 7, alike, difference: null, threads: null },
    interleaving: {
      ...{ columns: [], rows: [], waits: [], verdict: null, raced: null, closing: '', steps: 7 },
    },
  };
}

test('more CPUs than a search can tell apart are refused', async () => {
  const { code, stderr } = await say(['explore', 'churn', '--cpus', '17']);
  expect([code, stderr]).toEqual([2, '17 CPUs cannot be explored; allowed: up to 16\n']);
});
