/**
 * What the documents invite to try: their replay words were made by this version of the tested
 * code, and show what their broken versions are known for.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { CATALOGUE } from '#catalogue/catalogue';
import type { Replayed } from '#explore/replay';
import { parseReplayWord } from '#explore/replay-word';
import { runCommandLine } from './command-line.ts';
import { EXIT } from './exit-code.ts';
import { processIo } from './process-io.ts';
import { realEngine } from './real-engine.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
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
  const { code, stdout } = await say('replay', word, '--format', 'json');
  const { difference, verdicts }: Replayed = JSON.parse(stdout);
  expect([code, difference]).toEqual([EXIT.found, null]);
  const { oracle } = CATALOGUE.find(({ name }) => name === broken)!;
  expect(verdicts.map(({ kind }) => kind)).toContain(oracle);
});

const engine = realEngine(ROOT);

async function say(...words: string[]): Promise<{ code: number; stdout: string }> {
  let said = '';
  const stdout = {
    ...{ isTerminal: false, columns: 80, isColoured: false },
    write(text: string) {
      said += text;
    },
  };
  const { signal } = new AbortController();
  const io = { ...processIo(ROOT), stdout };
  const code = await runCommandLine({ io, engine, words, signal });
  return { code, stdout: said };
}
