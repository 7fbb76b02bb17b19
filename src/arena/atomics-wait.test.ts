/** Facts about asynchronous waiting, in its native and its polling form. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { waitAsync } from './atomics-wait.ts';
import type { Words } from './word.ts';

const hasNative = typeof (Atomics as { waitAsync?: unknown }).waitAsync === 'function';
const FORMS = [
  ['native', true],
  ['polling', false],
].filter(([, native]) => hasNative || !native) as [string, boolean][];

const freshWords = (): Words => new Int32Array(new SharedArrayBuffer(16));

/** Runs `body` in a process of its own, in which `waitAsync` and `words` stand ready. */
async function inProcess(body: string): Promise<string> {
  const file = new URL('../../dist/src/arena/atomics-wait.js', import.meta.url).href;
  const code = `import(${JSON.stringify(file)}).then(async ({ waitAsync }) => {
    const words = new Int32Array(new SharedArrayBuffer(16));
    ${body}
  });`;
  return (await promisify(execFile)(process.execPath, ['-e', code], { timeout: 20_000 })).stdout;
}

describe.each(FORMS)('in its %s form', (_name, native) => {
  test('a wait on another value is over at once', async () => {
    expect(await waitAsync(freshWords(), 1, 5, 10_000, native)).toBe('not-equal');
  });

  test('a wait ends when the word is changed and notified', async () => {
    const words = freshWords();
    const wait = waitAsync(words, 1, 0, 10_000, native);
    setTimeout(() => {
      Atomics.store(words, 1, 1);
      Atomics.notify(words, 1);
    }, 5);
    expect(await wait).toBe('ok');
  });

  test('a wait ends after its time', async () => {
    const before = performance.now();
    expect(await waitAsync(freshWords(), 1, 0, 20, native)).toBe('timed-out');
    expect(performance.now() - before).toBeGreaterThanOrEqual(18);
  });

  test('a wait of no time is over at once', async () => {
    expect(await waitAsync(freshWords(), 1, 0, 0, native)).toBe('timed-out');
  });

  test('the event loop turns meanwhile', async () => {
    const words = freshWords();
    let turns = 0;
    const timer = setInterval(() => {
      if (++turns < 3) return;
      Atomics.store(words, 1, 1);
      Atomics.notify(words, 1);
    }, 1);
    expect(await waitAsync(words, 1, 0, 10_000, native)).toBe('ok');
    clearInterval(timer);
    expect(turns).toBeGreaterThan(2);
  });

  test('a pending wait keeps the process alive', async () => {
    const body = `console.log(await waitAsync(words, 0, 0, 150, ${native}));`;
    expect(await inProcess(body)).toBe('timed-out\n');
  });

  test('an ended wait lets the process end', async () => {
    const body = `
      setTimeout(() => { words[0] = 1; Atomics.notify(words, 0); }, 10);
      console.log(await waitAsync(words, 0, 0, 1e9, ${native}));`;
    expect(await inProcess(body)).toBe('ok\n');
  });
});
