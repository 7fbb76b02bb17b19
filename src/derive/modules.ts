/**
 * A set of modules: path relative to the tree's root (`mm/vma.js`) -> JavaScript. Everything in
 * this room above the file layer is a pure function over such a set.
 *
 * The set is complete in itself: `#room/name` and relative imports lead to other modules of the
 * set, and an import of anything else is a problem, because a tree written elsewhere could not load
 * it.
 */

import { type Program, parse } from 'acorn';

export type Modules = ReadonlyMap<string, string>;

export interface Module {
  readonly path: string;
  readonly text: string;
  readonly ast: Program;
}

/** What is wrong, where in the emitted JavaScript, and what to write instead. */
export interface Problem {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** All problems of one derivation at once. */
export class DerivationError extends Error {
  override readonly name = 'DerivationError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], heading = '') {
    super([...(heading ? [heading] : []), ...problems.map(problemText)].join('\n'));
    this.problems = problems;
  }
}

function problemText({ path, line, message }: Problem): string {
  return `${path}:${line}: ${message}`;
}

/** Parses all modules; throws one `DerivationError` with every syntax error. */
export function parseModules(modules: Modules): Module[] {
  const problems: Problem[] = [];
  const parsed: Module[] = [];
  for (const [path, text] of modules) {
    try {
      const ast = parse(text, { ecmaVersion: 'latest', sourceType: 'module', locations: true });
      parsed.push({ path, text, ast });
    } catch (error) {
      const { message, loc } = error as SyntaxError & { loc?: { line: number; column: number } };
      problems.push({ path, line: loc?.line ?? 1, column: loc?.column ?? 0, message });
    }
  }
  if (problems.length > 0) throw new DerivationError(problems);
  return parsed;
}

/** First folder of a path: the room. */
export function roomOf(path: string): string {
  return path.slice(0, path.indexOf('/'));
}

/** The path that `specifier` means in the module `from`; null if it leaves the tree. */
export function resolveSpecifier(from: string, specifier: string): string | null {
  if (specifier.startsWith('#')) return `${specifier.slice(1)}.js`;
  if (!specifier.startsWith('./') && !specifier.startsWith('../')) return null;
  const parts = from.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..' && parts.pop() === undefined) return null;
    if (part !== '.' && part !== '..') parts.push(part);
  }
  return parts.join('/');
}

/** The specifier by which the module `from` reaches the module `to`. */
export function relativeSpecifier(from: string, to: string): string {
  const source = from.split('/').slice(0, -1);
  const target = to.split('/');
  let shared = 0;
  while (shared < source.length && source[shared] === target[shared]) shared++;
  const ups = source.length - shared;
  return `${ups === 0 ? './' : '../'.repeat(ups)}${target.slice(shared).join('/')}`;
}
