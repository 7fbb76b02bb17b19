/**
 * Build step: derives `dist/stepped`, `dist/free` and `dist/lock-stat` from what tsc emitted into
 * `dist/src`, and makes the page of HTML reports. Silent if all is well; otherwise it prints every
 * breach of the discipline, at its line in the TypeScript source, and the build fails.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freeForm } from './free-form.ts';
import { DerivationError, type Problem } from './modules.ts';
import { writeReportPage } from './report-page.ts';
import { deriveForms } from './rewrite.ts';
import { sourcePlace } from './source-place.ts';
import { packageRoot, readModules, withLockSites, writeTree } from './tree.ts';

const root = packageRoot();
const emitted = join(root, 'dist', 'src');
try {
  const { plain, stepped, counted, lockSites } = deriveForms(readModules(root));
  writeTree(join(root, 'dist', 'stepped'), stepped, emitted);
  mkdirSync(join(root, 'dist', 'free'), { recursive: true });
  writeFileSync(join(root, 'dist', 'free', 'entry.js'), await freeForm(plain));
  const lockStat = new Map(withLockSites(counted, lockSites, emitted));
  lockStat.set('free/entry.js', await freeForm(counted));
  writeTree(join(root, 'dist', 'lock-stat'), lockStat, emitted);
  await writeReportPage(root);
} catch (error) {
  if (!(error instanceof DerivationError)) throw error;
  for (const problem of error.problems) console.error(inSource(problem));
  process.exitCode = 1;
}

function inSource({ path, line, column, message }: Problem): string {
  const source = sourcePlace(emitted, path, line, column);
  if (source === null) return `dist/src/${path}:${line}: error: ${message}`;
  return `src/${source.path}:${source.line ?? '?'}: error: ${message}`;
}
