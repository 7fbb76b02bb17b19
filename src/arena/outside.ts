/** What the main thread, which is no CPU and has bound no arena, says to a machine. */
import type { Words } from './word.ts';

/** Stores `value` at `at` for all CPUs to see, and wakes whoever sleeps on it. */
export function tell(words: Words, at: number, value: number): void {
  Atomics.store(words, at, value);
  Atomics.notify(words, at);
}
