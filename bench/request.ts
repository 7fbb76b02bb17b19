/** What the command line of the bench asks for. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from '#base/user-error';
import { parseFlags } from './flags.ts';
import { chosenGroups } from './groups.ts';
import type { BenchOptions } from './harness.ts';

export interface Request extends BenchOptions {
  readonly groups: readonly string[];
  /** Files to write; null: not that one. */
  readonly json: string | null;
  readonly markdown: string | null;
}

/** So that each group takes less than two minutes. */
const ROUNDS = '5';
const MS = '1200';

export function readRequest(args: string[]): Request {
  const { values, positionals } = parseFlags(args, ['rounds', 'ms', 'json', 'markdown']);
  return {
    groups: chosenGroups(positionals),
    rounds: readCount('rounds', values.rounds ?? ROUNDS),
    ms: readCount('ms', values.ms ?? MS),
    json: readPath('json', values.json),
    markdown: readPath('markdown', values.markdown),
  };
}

function readCount(flag: string, text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new UserError(`--${flag} "${text}" is not a whole number from 1 to 9999999`);
}

/** A file that can be written; that it cannot is better known before the measurements. */
function readPath(flag: string, path: string | undefined): string | null {
  if (path === undefined) return null;
  try {
    accessSync(existsSync(path) ? path : dirname(path), constants.W_OK);
  } catch (error) {
    throw new UserError(
      `--${flag}: cannot write ${path}: ${(error as NodeJS.ErrnoException).code}`,
    );
  }
  if (existsSync(path) && statSync(path).isDirectory())
    throw new UserError(`--${flag}: ${path} is a folder; name a file`);
  return path;
}
