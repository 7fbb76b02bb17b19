/**
 * The file layer: reads the tested wing from `dist/src`, writes trees.
 *
 * A tree is a folder with the modules of the tested wing and a package.json that makes them ES
 * modules. It needs nothing from outside: not the package's `imports`, not node_modules.
 */

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collectFacts } from './facts.ts';
import type { LockSite } from './lock-sites.ts';
import { type Modules, parseModules, resolveSpecifier } from './modules.ts';
import { sourcePlace } from './source-place.ts';

/** Rooms that are in the tree as a whole. Of the other rooms it has only what these import. */
const WHOLE_ROOMS = ['base', 'arena', 'trace', 'arch', 'sync', 'mm', 'reclaim', 'tasks'];
const PACKAGE = `${JSON.stringify({ type: 'module' })}\n`;
/** In a tree that keeps lock statistics: its call sites of locks, in the order of their numbers. */
const LOCK_SITES = 'lock-sites.json';
const MAP_COMMENT = /\/\/# sourceMappingURL=.*\n?$/;

/** The folder of the nearest package.json above this file, be it in `src` or in `dist/src`. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    if (dirname(folder) === folder) throw new Error('no package.json above the derive room');
    folder = dirname(folder);
  }
  return folder;
}

/**
 * The modules of the tested wing as tsc emitted them. Where the sources are at hand, an emitted
 * file whose source is gone is passed over: tsc never deletes.
 */
export function readModules(root: string): Modules {
  const modules = new Map<string, string>();
  const from = join(root, 'dist', 'src');
  const add = (path: string): void => {
    if (modules.has(path) || !existsSync(join(from, path)) || isOrphan(root, path)) return;
    const text = readFileSync(join(from, path), 'utf8');
    modules.set(path, text);
  };
  for (const room of WHOLE_ROOMS) {
    if (!existsSync(join(from, room))) continue;
    for (const path of filesBelow(join(from, room)))
      if (/\.js$/.test(path) && !/\.(test|suite)\.js$/.test(path)) add(`${room}/${path}`);
  }
  // A Map's iteration visits what is added meanwhile, so this follows imports to the end.
  for (const [path, text] of modules)
    for (const target of importsOf(path, text)) if (!isWhole(target)) add(target);
  return new Map([...modules].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A call site of a lock as a reader of statistics is told of it; the line is of the source. */
export interface NamedLockSite {
  readonly function: string;
  readonly path: string;
  readonly line: number;
}

/** The tree `counted` with a table of its call sites. */
export function withLockSites(
  counted: Modules,
  sites: readonly LockSite[],
  mapsFrom: string,
): Modules {
  const named = sites.map(({ function: name, path, line, column }): NamedLockSite => {
    const source = sourcePlace(mapsFrom, path, line, column);
    return { function: name, path: source?.path ?? path, line: source?.line ?? line };
  });
  return new Map(counted).set(LOCK_SITES, `${JSON.stringify(named, null, 1)}\n`);
}

/** The table of the tree from which a thread loads `entry` (a file URL of tasks/entry.js). */
export function readLockSites(entry: string): NamedLockSite[] {
  return JSON.parse(readFileSync(new URL(`../${LOCK_SITES}`, entry), 'utf8'));
}

/** Makes `folder` hold exactly this tree, touching only files that differ; each appears whole. */
export function writeTree(folder: string, modules: Modules, mapsFrom: string): void {
  const files = new Map([['package.json', PACKAGE]]);
  for (const [path, text] of modules) files.set(path, withMap(folder, path, text, mapsFrom));
  for (const [path, text] of files) {
    const file = join(folder, path);
    if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
    mkdirSync(dirname(file), { recursive: true });
    const temporary = `${file}.${process.pid}.tmp`;
    writeFileSync(temporary, text);
    renameSync(temporary, file);
  }
  for (const path of filesBelow(folder))
    if (!files.has(path) && !path.endsWith('.tmp')) rmSync(join(folder, path));
}

function isWhole(path: string): boolean {
  return WHOLE_ROOMS.some((room) => path.startsWith(`${room}/`));
}

function isOrphan(root: string, path: string): boolean {
  const source = join(root, 'src');
  return existsSync(source) && !existsSync(join(source, path.replace(/\.js$/, '.ts')));
}

function importsOf(path: string, text: string): string[] {
  if (!/\b(import|from)\b/.test(text)) return [];
  const module = parseModules(new Map([[path, text]]))[0]!;
  return collectFacts(module).links.flatMap(({ source }) => {
    const target = source === null ? null : resolveSpecifier(path, source);
    return target === null ? [] : [target];
  });
}

/** Points the module at tsc's own source map: derivation moves columns, never lines. */
function withMap(folder: string, path: string, text: string, mapsFrom: string): string {
  const map = relative(dirname(join(folder, path)), join(mapsFrom, `${path}.map`));
  return text.replace(MAP_COMMENT, `//# sourceMappingURL=${map.split(sep).join('/')}\n`);
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}
