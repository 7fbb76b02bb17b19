#!/usr/bin/env node
/**
 * The program: the only reader of arguments and environment, and the only exit. The first Ctrl-C
 * (or SIGTERM, or a terminal that closes) ends the run with the results so far, the second ends the
 * program at once.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommandLine } from './command-line.ts';
import { EXIT } from './exit-code.ts';
import { processIo } from './process-io.ts';
import { realEngine } from './real-engine.ts';

const interruption = new AbortController();

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (interruption.signal.aborted) process.exit(EXIT.interrupted);
    interruption.abort();
  });
}

// A reader that has seen enough (`| head`) is no failure: what runs ends, and no more is written.
let isStdoutLost = false;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  isStdoutLost ||= error.code !== 'EPIPE';
  interruption.abort();
});
process.stderr.on('error', () => {});

// A profiler's preload flags must not land in every thread, where they overwrite one file.
delete process.env['NODE_OPTIONS'];

const root = packageRoot();
const code = await runCommandLine({
  io: processIo(root),
  engine: realEngine(root),
  signal: interruption.signal,
  words: process.argv.slice(2),
});
// What was written to a pipe may still be on its way; an error is known one turn later.
process.stdout.write('', () =>
  setImmediate(() => {
    if (isStdoutLost) process.stderr.write('cannot write to stdout\n');
    process.exit(isStdoutLost ? EXIT.failed : code);
  }),
);

/** The nearest folder above this file that is a package. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}
