/** `--html`: every command that has a report writes it as a page, whole or not at all. */
import { describe, expect, test } from 'vitest';
import { sampleResult } from '#result/sample.suite';
import { EXIT } from './exit-code.ts';
import { BROKEN, say } from './fake.suite.ts';

const SAVED = { 'r.json': JSON.stringify(sampleResult()) };

describe('a page is written', () => {
  test('by run, beside the report', async () => {
    const { code, stdout, files } = await say('run churn --html r.html'.split(' '));
    expect(code).toBe(EXIT.well);
    expect(stdout).toContain('protocols compared');
    expect(files.get('r.html')).toMatch(/^<!doctype html>\n/);
    expect(files.get('r.html')).toContain('<h1>churn</h1>');
    expect([...files.keys()]).toEqual(['r.html']);
  });

  test('by profile', async () => {
    const { code, files } = await say('profile churn --cpus 1,2 --html p.html'.split(' '));
    expect(code).toBe(EXIT.well);
    expect(files.get('p.html')).toContain('Throughput by number of CPUs');
  });

  test('beside a document, of which it says the same', async () => {
    const { files } = await say('run churn --html r.html --json r.json'.split(' '));
    const again = await say('report r.json --html again.html'.split(' '), {
      files: { 'r.json': files.get('r.json')! },
    });
    expect(again.files.get('again.html')).toBe(files.get('r.html'));
  });

  test.each([
    ['an exploration', ['explore', '--broken', BROKEN.name], 'exploration of interleavings'],
    ['a catalogue', ['explore', '--broken', 'all'], '<h1>The catalogue</h1>'],
  ])('by explore, of %s, and again from its document', async (_, words, part) => {
    const first = await say([...words, '--html', 'e.html', '--json', 'e.json']);
    expect(first.files.get('e.html')).toContain(part);
    const files = { 'e.json': first.files.get('e.json')! };
    const again = await say(['report', 'e.json', '--html', 'e.html'], { files });
    expect([again.code, again.stdout]).toEqual([EXIT.well, '']);
    expect(again.files.get('e.html')).toBe(first.files.get('e.html'));
    const printed = await say(['report', 'e.json'], { files });
    expect(printed.stdout).toContain('lost-entry');
  });

  test('with the hash of what the build has made, and what oracles mean', async () => {
    const { files } = await say(['explore', '--broken', BROKEN.name, '--html', 'e.html']);
    // The SHA-256 of `/* report-page.js */`.
    expect(files.get('e.html')).toContain(
      'script-src &#39;sha256-uvVD9p5hJ8QNkqJOOcvDe/UJXCakSLxDIn1MHD62DQU=&#39;',
    );
    expect(files.get('e.html')).toContain('An entry is out of reach.');
  });
});

describe('nothing is left behind', () => {
  test('when no run came to an end', async () => {
    const { files, discarded } = await say('run churn --html r.html --json r.json'.split(' '), {
      run() {
        throw new Error('boom');
      },
    });
    expect(files.size).toBe(0);
    expect(discarded).toEqual(['r.json', 'r.html']);
  });

  test('when the document is none', async () => {
    const { code, files, discarded, stderr } = await say('report r.json --html r.html'.split(' '), {
      files: { 'r.json': '{ "kind": "exploration" }' },
    });
    expect([code, files.size, discarded]).toEqual([EXIT.wrong, 0, ['r.html']]);
    expect(stderr).toMatch(/^r\.json: pttorture: [^\n]*\n$/);
  });

  test.each([
    ['run churn --html /nowhere/r.html --json r.json', /^cannot write "\/nowhere\/r.html"/],
    ['run churn --html -', /^--html writes a file; stdout is for --json\n$/],
    ['run churn --html r --json r', /^--html and --json name the same file "r"\n$/],
    ['profile churn --html /nowhere/r.html', /^cannot write "\/nowhere\/r.html"/],
    ['explore churn --html /nowhere/r.html', /^cannot write "\/nowhere\/r.html"/],
    ['explore --broken all --html /nowhere/r.html', /^cannot write "\/nowhere\/r.html"/],
    ['report r.json --html /nowhere/r.html', /^cannot write "\/nowhere\/r.html"/],
  ])('nor begun, by %s', async (line, message) => {
    const spoken = await say(line.split(' '), { files: SAVED });
    expect(spoken.code).toBe(EXIT.wrong);
    expect(spoken.stderr).toMatch(message);
    expect([spoken.plans, spoken.explored, [...spoken.files]]).toEqual([[], [], []]);
  });
});
