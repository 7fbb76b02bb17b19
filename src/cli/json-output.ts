/** Where `--json` goes: stdout for `-`, else a file that appears whole or not at all. */
import type { SavedDocument } from '#result/saved';
import type { Io } from './io.ts';

export interface JsonOutput {
  write(document: SavedDocument): void;
  discard(): void;
}

/** Opens the target before the run, so that a path that cannot be written costs no run. */
export function openJsonOutput(io: Io, target: string): JsonOutput {
  if (target === '-') {
    return { write: (document) => io.stdout.write(documentJson(document)), discard() {} };
  }
  const file = io.openPending(target);
  return {
    write: (document) => file.commit(documentJson(document)),
    discard: () => file.discard(),
  };
}

/** Indented, but with each list of numbers on one line. */
export function documentJson(document: SavedDocument): string {
  const text = JSON.stringify(document, null, 2);
  // A line break cannot stand inside a JSON string, so this finds lists of numbers only.
  const onOneLine = text.replace(
    /\[\n\s+(?:(?:-?[\d.e+-]+|null),\n\s+)*(?:-?[\d.e+-]+|null)\n\s+\]/g,
    (list) => list.replace(/\n\s+/g, ' ').replace('[ ', '[').replace(' ]', ']'),
  );
  return `${onOneLine}\n`;
}
