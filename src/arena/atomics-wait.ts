/**
 * Asynchronous waiting on a word, in the role of the package `atomics-wait-polyfill` (which does
 * not exist): a kernel thread sleeps without blocking its event loop, and so can still answer
 * calls.
 *
 * Uses `Atomics.waitAsync` where the runtime has it, else looks at the word every few milliseconds.
 * In both forms a pending wait keeps the process alive, which the native one alone does not
 * (nodejs/node#61941).
 */
import type { Words } from './word.ts';

export type WaitOutcome = 'ok' | 'not-equal' | 'timed-out';

/** How often the fallback looks at the word, in milliseconds. */
const POLL_MS = 2;

/**
 * Waits until `words[at]` is changed and notified, or `timeoutMs` have passed; at once if it is not
 * `value`.
 */
export function waitAsync(
  words: Words,
  at: number,
  value: number,
  timeoutMs: number,
  native: boolean = typeof Atomics.waitAsync === 'function',
): Promise<WaitOutcome> {
  if (Atomics.load(words, at) !== value) return Promise.resolve('not-equal');
  return native
    ? waitNatively(words, at, value, timeoutMs)
    : waitByPolling(words, at, value, timeoutMs);
}

async function waitNatively(
  words: Words,
  at: number,
  value: number,
  timeoutMs: number,
): Promise<WaitOutcome> {
  const keepAlive = setInterval(() => {}, 1 << 30);
  try {
    return await Atomics.waitAsync(words, at, value, timeoutMs).value;
  } finally {
    clearInterval(keepAlive);
  }
}

async function waitByPolling(
  words: Words,
  at: number,
  value: number,
  timeoutMs: number,
): Promise<WaitOutcome> {
  for (let left = timeoutMs; left > 0; left -= POLL_MS) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(left, POLL_MS)));
    if (Atomics.load(words, at) !== value) return 'ok';
  }
  return 'timed-out';
}
