/**
 * Named edits: a label in a trailing comment finds the line, and the edit says what it becomes.
 *
 *     if (!pmdSame(pmdval, again)) { // @recheck-pmd
 *
 * A line may carry several labels (`// @a @b`). The label must occur exactly once in the tree, so
 * that an edit can neither miss silently nor change two places. Line numbers stay what they were.
 */

import type { Edit } from './edits.ts';
import { DerivationError, type Modules, parseModules } from './modules.ts';

/** What the derivation needs of an edit; generated mutations have no more than this. */
export type LineEdit = Pick<Edit, 'name' | 'label' | 'becomes'>;

export interface Edited {
  readonly modules: Modules;
  readonly path: string;
  readonly line: number;
}

const LABELLED = /^(\s*)(.*?)\s*\/\/((?:\s*@[\w-]+)+)\s*$/;

/**
 * The set with one line changed. In `becomes`, `$&` stands for the line's code without its labels;
 * an empty `becomes` deletes the line (a deleted statement leaves `;`, in case it was the body of
 * an `if`).
 */
export function applyEdit(modules: Modules, edit: LineEdit): Edited {
  const found = findLabel(modules, edit.label);
  if (found.length !== 1) throw new Error(countMessage(edit, found));
  const { path, line } = found[0]!;
  const lines = modules.get(path)!.split('\n');
  const [, indentation, code] = LABELLED.exec(lines[line - 1]!)!;
  const deleted = code!.endsWith(';') ? ';' : '';
  lines[line - 1] = indentation + (edit.becomes.split('$&').join(code) || deleted);
  const text = lines.join('\n');
  try {
    parseModules(new Map([[path, text]]));
  } catch (error) {
    throw error instanceof DerivationError ? inEdit(error, edit, path, line) : error;
  }
  return { modules: new Map(modules).set(path, text), path, line };
}

/** The same problems under a heading that names the edit and its line. */
export function inEdit(
  error: DerivationError,
  { name, label, becomes }: LineEdit,
  path: string,
  line: number,
): DerivationError {
  const heading = `edit "${name}" at ${path}:${line} (@${label}) becomes \`${becomes}\`:`;
  return new DerivationError(error.problems, heading);
}

/** Where a label stands. */
export function findLabel(modules: Modules, label: string): { path: string; line: number }[] {
  const found: { path: string; line: number }[] = [];
  for (const [path, text] of modules) {
    if (!text.includes(`@${label}`)) continue;
    text.split('\n').forEach((content, index) => {
      const labels = LABELLED.exec(content)?.[3]?.trim().split(/\s*@/).slice(1);
      if (labels?.includes(label)) found.push({ path, line: index + 1 });
    });
  }
  return found;
}

function countMessage(edit: LineEdit, found: readonly { path: string; line: number }[]): string {
  const places = found.map(({ path, line }) => `${path}:${line}`).join(', ');
  const count = found.length === 0 ? '0' : `${found.length}: ${places}`;
  return `edit "${edit.name}": label @${edit.label} must match exactly one line, found ${count}`;
}
