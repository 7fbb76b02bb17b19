/**
 * The C programs that the simulator is measured against. Without a compiler, or where one of them
 * does not compile (that of the live kernel needs Linux), the bench says so and goes on without.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inPackage } from '../root.ts';

export type Native = { readonly path: string } | { readonly missing: string };

/** A program of `bench/native`, and what it needs beside a compiler. */
export interface Source {
  /** Of the program, and of its file where `file` does not name another. */
  readonly name: string;
  readonly file?: string;
  readonly defines?: readonly string[];
  /** Libraries to link, as `-l` takes them, and what brings them with their headers. */
  readonly libraries?: readonly string[];
  readonly broughtBy?: string;
}

export const TWIN: Source = { name: 'twin' };
export const LIVE: Source = { name: 'live' };

const COMPILERS = ['cc', 'gcc', 'clang'];
const FLAGS = ['-std=c11', '-O2', '-pthread'];

/** Compiles `source` into `folder`, or says in one sentence what is missing. */
export function compileNative(
  source: Source,
  folder: string = inPackage('dist', 'bench-native'),
): Native {
  const { name, defines = [], libraries = [], broughtBy } = source;
  const file = `${source.file ?? name}.c`;
  const compiler = findCompiler();
  if (compiler === null) {
    return { missing: `no C compiler (${COMPILERS.join(', ')}): ${name} is left out` };
  }
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  const args = [
    ...[...FLAGS, ...defines.map((define) => `-D${define}`), inPackage('bench', 'native', file)],
    ...['-o', path, ...libraries.map((library) => `-l${library}`)],
  ];
  const { status, stderr } = spawnSync(compiler, args, { encoding: 'utf8' });
  if (status === 0) return { path };
  // From the word on: before it stands the path of the file.
  const complaint = /(fatal )?error.*/.exec(stderr ?? '')?.[0] ?? `status ${status}`;
  const way = broughtBy === undefined ? '' : ` (it needs ${broughtBy})`;
  return {
    missing: `${name} is left out: ${compiler} does not compile ${file}${way}: ${complaint}`,
  };
}

/** What the compiler says it is; null: there is none. */
export function compilerLine(): string | null {
  const compiler = findCompiler();
  if (compiler === null) return null;
  const { stdout } = spawnSync(compiler, ['--version'], { encoding: 'utf8' });
  return stdout.split('\n')[0].trim();
}

/** The first C compiler on the path that answers, or null. */
export function findCompiler(): string | null {
  const answers = (name: string): boolean => spawnSync(name, ['--version']).status === 0;
  return COMPILERS.find(answers) ?? null;
}

/** Runs a compiled program and reads its one JSON line. */
export async function runNative(path: string, args: readonly string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(path, args);
  return JSON.parse(stdout);
}
