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

const COMPILERS = ['cc', 'gcc', 'clang'];
const FLAGS = ['-std=c11', '-O2', '-pthread'];

/** Compiles `bench/native/NAME.c` into `folder`, or says in one sentence what is missing. */
export function compileNative(
  name: 'twin' | 'live',
  folder: string = inPackage('dist', 'bench-native'),
): Native {
  const compiler = findCompiler();
  if (compiler === null) {
    return { missing: `no C compiler (${COMPILERS.join(', ')}): ${name}.c is left out` };
  }
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  const source = inPackage('bench', 'native', `${name}.c`);
  const { status, stderr } = spawnSync(compiler, [...FLAGS, source, '-o', path], {
    encoding: 'utf8',
  });
  if (status === 0) return { path };
  const complaint = stderr?.split('\n').find((line) => /error/.test(line)) ?? `status ${status}`;
  return { missing: `${compiler} does not compile ${name}.c: ${complaint}` };
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
