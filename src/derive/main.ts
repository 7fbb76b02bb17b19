/**
 * Build step: derives `dist/stepped` and `dist/free` from what tsc emitted into `dist/src`. Silent
 * if all is well; otherwise it prints every breach of the discipline, at its line in the TypeScript
 * source, and the build fails.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join } from 'node:path';
import { freeForm } from './free-form.ts';
import { DerivationError, type Problem } from './modules.ts';
import { deriveForms } from './rewrite.ts';
import { packageRoot, readModules, writeTree } from './tree.ts';

const root = packageRoot();
const emitted = join(root, 'dist', 'src');
try {
  const { plain, stepped } = deriveForms(readModules(root));
  writeTree(join(root, 'dist', 'stepped'), stepped, emitted);
  mkdirSync(join(root, 'dist', 'free'), { recursive: true });
  writeFileSync(join(root, 'dist', 'free', 'entry.js'), await freeForm(plain));
} catch (error) {
  if (!(error instanceof DerivationError)) throw error;
  for (const problem of error.problems) console.error(inSource(problem));
  process.exitCode = 1;
}

function inSource({ path, line, column, message }: Problem): string {
  const map = join(emitted, `${path}.map`);
  const source = `src/${path.replace(/\.js$/, '.ts')}`;
  if (!existsSync(map)) return `dist/src/${path}:${line}: error: ${message}`;
  const entry = new SourceMap(JSON.parse(readFileSync(map, 'utf8'))).findEntry(line - 1, column);
  const at = 'originalLine' in entry ? entry.originalLine + 1 : '?';
  return `${source}:${at}: error: ${message}`;
}
