/** The process as an `Io`: its streams, its files, the machine it runs on. */
import {
  closeSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { arch, availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { UserError } from '#base/user-error';
import type { Io, PendingFile, Stream } from './io.ts';

/** `root` is the package's own folder. */
export function processIo(root: string): Io {
  return {
    stdout: streamOf(process.stdout),
    stderr: streamOf(process.stderr),
    version: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version,
    machine: {
      node: process.version,
      platform: `${process.platform} ${arch()}`,
      cores: availableParallelism(),
      memoryGiB: Math.round(totalmem() / 2 ** 20) / 2 ** 10,
    },
    readText: (path) => readFile(path).toString('utf8'),
    readBytes: readFile,
    readAsset: (name) => readFileSync(join(root, 'dist', name), 'utf8'),
    openPending,
  };
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw fileError('read', path, error);
  }
}

/** Width of what does not say how wide it is. */
const COLUMNS = 80;

function streamOf(stream: NodeJS.WriteStream): Stream {
  const isTerminal = stream.isTTY === true;
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  const isForced = FORCE_COLOR !== undefined && FORCE_COLOR !== '0' && FORCE_COLOR !== '';
  return {
    write: (text) => void stream.write(text),
    isTerminal,
    get columns() {
      return (isTerminal && stream.columns) || COLUMNS;
    },
    isColoured: isForced || (isTerminal && !NO_COLOR && TERM !== 'dumb'),
  };
}

/**
 * A sibling takes the text and is renamed at the end. What exists and is no plain file (a pipe, a
 * terminal, /dev/null) cannot be replaced, so it is written directly.
 */
function openPending(given: string): PendingFile {
  let path = given;
  try {
    path = realpathSync(given);
    const found = statSync(path);
    if (found.isDirectory()) throw new UserError(`cannot write "${given}": it is a directory`);
    if (!found.isFile()) return direct(given);
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (codeOf(error) !== 'ENOENT') throw fileError('write', given, error);
  }
  const sibling = `${path}.${process.pid}.tmp`;
  try {
    closeSync(openSync(sibling, 'w'));
  } catch (error) {
    throw fileError('write', given, error);
  }
  const discard = (): void => rmSync(sibling, { force: true });
  process.once('exit', discard);
  return {
    commit(text) {
      try {
        writeText(sibling, text);
        renameSync(sibling, path);
      } catch (error) {
        throw fileError('write', given, error);
      }
    },
    discard() {
      process.removeListener('exit', discard);
      discard();
    },
  };
}

function direct(path: string): PendingFile {
  return {
    commit(text) {
      try {
        writeText(path, text);
      } catch (error) {
        throw fileError('write', path, error);
      }
    },
    discard() {},
  };
}

function writeText(path: string, text: Parameters<PendingFile['commit']>[0]): void {
  const file = openSync(path, 'w');
  try {
    const isWhole = typeof text === 'string' || text instanceof Uint8Array;
    for (const piece of isWhole ? [text] : text) writeFileSync(file, piece);
  } finally {
    closeSync(file);
  }
}

export function fileError(verb: 'read' | 'write', path: string, error: unknown): UserError {
  const code = codeOf(error);
  return new UserError(`cannot ${verb} "${path}": ${REASONS[code] ?? code}`);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is no directory',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  ENAMETOOLONG: 'the name is too long',
};
