/** `explore --broken all` on a made-up engine: what it asks for, and what it makes of it. */
import { describe, expect, test } from 'vitest';
import { lineEditOf } from '#catalogue/broken-version';
import type { CatalogueReport } from '#result/catalogue';
import { catalogueSchema } from '#result/catalogue-schema';
import { EXIT } from './exit-code.ts';
import { sampleExplored, sampleReplayed } from './explored.suite.ts';
import { BROKEN, type Stage, say } from './fake.suite.ts';

const WORDS = ['explore', '--broken', 'all'];

async function report(words: readonly string[], stage: Stage = {}) {
  const spoken = await say([...WORDS, ...words, '--json', 'all.json'], stage);
  const text = spoken.files.get('all.json')!;
  return { ...spoken, document: JSON.parse(text) as CatalogueReport };
}

describe('the whole catalogue', async () => {
  const spoken = await report(['--duration', '7s']);
  const { document, explored, replayed } = spoken;

  test('is explored as each broken version is, and what is found replayed on threads too', () => {
    expect(spoken.code).toBe(EXIT.well);
    const [asked] = explored;
    expect(asked).toMatchObject({ edit: lineEditOf(BROKEN), durationMs: 7000, kind: 'lost-entry' });
    expect(asked!.plan).toMatchObject({ broken: BROKEN.name, parameters: { size: '8MiB' } });
    expect(replayed[0]).toMatchObject({ times: 100, onThreads: true, history: [0, 0, 192, 1] });
  });

  test('is a document of its schema, with the command for each', () => {
    expect(catalogueSchema.safeParse(document).error).toBe(undefined);
    const [entry] = document.entries;
    expect(entry).toMatchObject({ outcome: 'found', replays: { alike: 100, threads: 'same' } });
    expect(entry!.exploration.command).toBe('pttorture explore --broken no-recheck');
    expect(document.controls).toEqual([]);
  });

  test('is told line by line', () => {
    expect(spoken.stdout).toMatch(/^K-30 no-recheck: found\n {2}lost-entry after 1.00k executions/);
    expect(spoken.stdout).toContain('1 of 1 broken version found as named, 1 replayed every time');
  });

  test('can be replayed by its numbers', async () => {
    const files = { 'all.json': JSON.stringify(document) };
    const again = await say(['replay', 'all.json', '--violation', '1'], { files });
    expect([again.code, again.replayed[0]!.schedule]).toEqual([EXIT.found, '0.3']);
    const none = await say(['replay', 'all.json', '--violation', '2'], { files });
    expect([none.code, none.stderr]).toEqual([
      EXIT.wrong,
      '"all.json" has 1 violation; --violation 2 is none of them\n',
    ]);
  });
});

describe('with controls', () => {
  test('the same is searched without the flaw, under its conditions', async () => {
    const { code, explored, document } = await report(['--controls']);
    expect(code).toBe(EXIT.well);
    const [broken, twin] = explored;
    expect(twin!.edit).toBe(null);
    expect(twin!.plan).toEqual({ ...broken!.plan, broken: null, noise: 0 });
    expect(document.controls[0]!.of).toEqual([BROKEN.name]);
    const { command } = document.controls[0]!.exploration;
    expect(command).toBe('pttorture explore churn --protocol pt-reclaim -p size=8MiB');
  });

  test('a control that finds something is a failure', async () => {
    const { violations } = sampleExplored({ ...(await report([])).explored[0]! });
    const explore: Stage['explore'] = (request) => ({ ...sampleExplored(request), violations });
    const { code, stdout } = await report(['--controls'], { explore });
    expect(code).toBe(EXIT.found);
    expect(stdout).toContain('0 of 1 controls silent');
  });
});

describe('it is a failure', () => {
  test('that nothing was found', async () => {
    const explore: Stage['explore'] = (request) => sampleExplored({ ...request, edit: null });
    const { code, document } = await report([], { explore });
    expect([code, document.entries[0]!.outcome]).toEqual([EXIT.found, 'silent']);
    expect(document.entries[0]!.replays).toBe(null);
  });

  test('that another oracle fired', async () => {
    const explore: Stage['explore'] = (request) => {
      const explored = sampleExplored(request);
      return { ...explored, violations: [{ ...explored.violations[0]!, kind: 'livelock' }] };
    };
    const { code, document } = await report([], { explore });
    expect([code, document.entries[0]!.outcome]).toEqual([EXIT.found, 'other']);
  });

  test.each([
    [{ alike: 99 }, { alike: 99, threads: 'same' }],
    [{ difference: 'another step' }, { alike: 0, threads: 'same' }],
    [{ threads: { kind: 'other', why: 'no end' } as const }, { alike: 100, threads: 'no end' }],
    [
      { threads: { kind: 'same', verdicts: [] } as const },
      { alike: 100, threads: 'no lost-entry, but nothing' },
    ],
  ])('that the replay is another: %o', async (differs, told) => {
    const replay: Stage['replay'] = (request) => ({ ...sampleReplayed(request), ...differs });
    const { code, document } = await report([], { replay });
    expect([code, document.entries[0]!.replays]).toEqual([EXIT.found, { times: 100, ...told }]);
  });
});

test('Markdown has a table, and a section with each diagram', async () => {
  const { stdout } = await say([...WORDS, '--controls', '--format', 'markdown']);
  expect(stdout).toContain('| K-30 | [no-recheck](#k-30-no-recheck) | churn | pt-reclaim |');
  expect(stdout).toContain('## K-30 no-recheck\n\nThe fault does not look at the pmd again.');
  expect(stdout).toMatch(/ {4}pttorture replay pt1:churn:pt-reclaim:no-recheck/);
  expect(stdout).toContain('| no-recheck | silent, 1.00k executions');
});

test.each([
  [['churn'], '--broken all says what is explored; leave out the scenario "churn"\n'],
  [['--cpus', '3', '-p', 'a=1'], '--broken all says what is explored; leave out --cpus, -p\n'],
])('%j beside it is refused', async (words, message) => {
  const { code, stderr } = await say([...WORDS, ...words]);
  expect([code, stderr]).toEqual([EXIT.wrong, message]);
});

test('controls belong to all', async () => {
  const { code, stderr } = await say(['explore', 'churn', '--controls']);
  expect([code, stderr]).toEqual([EXIT.wrong, '--controls belongs to --broken all\n']);
});
