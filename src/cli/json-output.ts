/** Where `--json` goes: stdout for `-`, else a file that appears whole or not at all. */
import type { Result } from '#result/result';
import type { Io } from './io.ts';

export interface JsonOutput {
  write(result: Result): void;
  discard(): void;
}

/** Opens the target before the run, so that a path that cannot be written costs no run. */
export function openJsonOutput(io: Io, target: string): JsonOutput {
  if (target === '-') {
    return { write: (result) => io.stdout.write(resultJson(result)), discard() {} };
  }
  const file = io.openPending(target);
  return { write: (result) => file.commit(resultJson(result)), discard: () => file.discard() };
}

/** Indented, but with each point of a series on one line. */
export function resultJson(result: Result): string {
  const text = JSON.stringify(result, null, 2);
  // A line break cannot stand inside a JSON string, so this finds pairs of numbers only.
  return `${text.replace(/\[\n\s+(-?[\d.e+-]+),\n\s+(-?[\d.e+-]+)\n\s+\]/g, '[$1, $2]')}\n`;
}
