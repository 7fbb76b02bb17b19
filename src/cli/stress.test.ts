/**
 * The short stress run: the built program as a person runs it. The living source loses nothing
 * while it races, and broken versions are caught on real threads by the oracle that they name: a
 * sample of them here, all of them in the stepped form (src/explore/edits.test.ts).
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { CATALOGUE } from '#catalogue/catalogue';
import { PROTOCOLS } from '#reclaim/registry';
import type { Result } from '#result/result';
import { EXIT } from './exit-code.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

/** Where the judgement needs the end of the run, a short one will do. */
const AUDITED = ['nr-ptes-not-decremented', 'rss-not-decremented', 'move-keeps-reference'];
/** One in so many; those that an audit catches are among them. */
const SAMPLED = 14;
const CATCHABLE = CATALOGUE.filter(({ rare }) => rare === undefined);
const SAMPLE = CATCHABLE.filter(({ name }, i) => i % SAMPLED === 0 || AUDITED.includes(name));

/** Runs, each with another seed, until a race is met: mostly one, unless the cores are busy. */
const TRIES = 20;
/** On a busy host a run of one second may take ten. */
const TRIES_MS = 240_000;

describe('churn', () => {
  test('loses nothing under any protocol', async () => {
    const { code, result } = await run('churn', '--protocol', 'all', '--duration', '500ms');
    expect(code).toBe(EXIT.well);
    expect(result.runs.map(({ protocol, violations }) => [protocol, violations])).toEqual([
      ...PROTOCOLS.map(({ name }) => [name, []]),
    ]);
  });

  test.each([
    ['none', 'pteChanged'],
    ['pt-reclaim', 'pmdChanged'],
  ])(
    'under %s meets the race %s',
    async (protocol, race) => {
      const met = new Set<string>();
      for (let seed = 1; seed <= TRIES && !met.has(race); seed++) {
        const flags = ['--protocol', protocol, '--duration', '1s', '--seed', `${seed}`];
        const { result } = await run('churn', ...flags);
        for (const { kind } of result.runs[0]!.races) met.add(kind);
      }
      expect([...met]).toContain(race);
    },
    TRIES_MS,
  );

  test('loses nothing with eight CPUs, one lock and noise', async () => {
    const flags = ['--cpus', '8', '--no-split-locks', '--noise', '20', '--duration', '2s'];
    const { code, result } = await run('churn', '--protocol', 'pt-reclaim', ...flags);
    expect([code, result.runs[0]!.violations]).toEqual([EXIT.well, []]);
  });
});

describe('a broken version', () => {
  test.each(SAMPLE.map(({ name, oracle }) => [name, oracle]))(
    '%s shows %s',
    async (name, oracle) => {
      const duration = AUDITED.includes(name) ? '1s' : '45s';
      const flags = ['--broken', name, '--duration', duration];
      let last = await run(...flags);
      for (let seed = 2; seed <= TRIES && last.code === EXIT.well; seed++)
        last = await run(...flags, '--seed', `${seed}`);
      const { code, result } = last;
      expect(code).toBe(EXIT.found);
      expect(result.runs[0]!.violations.map(({ kind }) => kind)).toContain(oracle);
    },
    TRIES_MS,
  );
});

async function run(...words: string[]): Promise<{ code: number; result: Result }> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [PROGRAM, 'run', ...words, '--json', '-'],
      { maxBuffer: 1 << 26, timeout: 75_000, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        const code = typeof error?.code === 'number' ? error.code : 0;
        if (stdout === '') reject(new Error(`no result; ${stderr}${error?.message ?? ''}`));
        else resolve({ code, result: JSON.parse(stdout) });
      },
    );
  });
}
