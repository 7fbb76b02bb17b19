/**
 * What the documents invite to try: their replay words were made by this version of the tested
 * code, and show what their broken versions are known for.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { CATALOGUE } from '#catalogue/catalogue';
import type { Replayed } from '#explore/replay';
import { parseReplayWord } from '#explore/replay-word';
import { EXIT } from './exit-code.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PROGRAM = `${ROOT}dist/src/cli/main.js`;
const PAGES = readdirSync(`${ROOT}scenarios`).filter((name) => name.endsWith('.md'));
const DOCUMENTS = ['README.md', ...PAGES.map((name) => `scenarios/${name}`)];

const WORDS = DOCUMENTS.flatMap((path) => {
  const words = readFileSync(ROOT + path, 'utf8').match(/(?<=pttorture replay )pt\d+:\S+/g) ?? [];
  return words.map((word) => [parseReplayWord(word).broken, path, word] as const);
});

test('documents have words', () => {
  expect(new Set(WORDS.map(([, path]) => path)).size).toBeGreaterThan(1);
});

test.concurrent.each(WORDS)('%s of %s replays', async (broken, _, word) => {
  const { code, stdout } = await run('replay', word, '--format', 'json');
  const { difference, verdicts }: Replayed = JSON.parse(stdout);
  expect([code, difference]).toEqual([EXIT.found, null]);
  const { oracle } = CATALOGUE.find(({ name }) => name === broken)!;
  expect(verdicts.map(({ kind }) => kind)).toContain(oracle);
});

function run(...words: string[]): Promise<{ code: number; stdout: string }> {
  return new Promise((resolve) => {
    execFile(execPath, [PROGRAM, ...words], { maxBuffer: 1 << 26 }, (error, stdout) => {
      resolve({ code: Number(error?.code ?? 0), stdout });
    });
  });
}
