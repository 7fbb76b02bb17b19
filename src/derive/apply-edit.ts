/**
 * Named edits: a label in a trailing comment finds the line, and the edit says what it becomes.
 *
 *     if (!pmdSame(pmdval, again)) { // @recheck-pmd
 *
 * A line may carry several labels (`// @a @b`). The label must occur exactly once in the tree, so
 * that an edit can neither miss silently nor change two places. Line numbers stay what they were.
 */

import { DerivationError, type Modules, parseModules } from './modules.ts';

/** What the derivation needs of an edit: its place, by label or by text, and what it becomes. */
export type LineEdit = { readonly name: string; readonly becomes: string } & (
  | { readonly label: string }
  | { readonly text: TextPlace }
);

/** The place of a generated edit: some occurrence (0: the first) of a text in a module. */
export interface TextPlace {
  readonly path: string;
  readonly text: string;
  readonly occurrence: number;
}

export interface Edited {
  readonly modules: Modules;
  readonly path: string;
  readonly line: number;
}

const LABELLED = /^(\s*)(.*?)\s*\/\/((?:\s*@[\w-]+)+)\s*$/;

/**
 * The set with one line or text changed. In `becomes`, `$&` stands for the line's code without its
 * labels; an empty `becomes` deletes the line (a deleted statement leaves `;`, in case it was the
 * body of an `if`).
 */
export function applyEdit(modules: Modules, edit: LineEdit): Edited {
  const { path, line, text } =
    'label' in edit ? changedLine(modules, edit) : changedText(modules, edit);
  try {
    parseModules(new Map([[path, text]]));
  } catch (error) {
    throw error instanceof DerivationError ? inEdit(error, edit, path, line) : error;
  }
  return { modules: new Map(modules).set(path, text), path, line };
}

interface Changed {
  readonly path: string;
  readonly line: number;
  /** Of the whole module. */
  readonly text: string;
}

function changedLine(modules: Modules, edit: LineEdit & { readonly label: string }): Changed {
  const found = findLabel(modules, edit.label);
  if (found.length !== 1) throw new Error(countMessage(edit, found));
  const { path, line } = found[0]!;
  const lines = modules.get(path)!.split('\n');
  const [, indentation, code] = LABELLED.exec(lines[line - 1]!)!;
  const deleted = code!.endsWith(';') ? ';' : '';
  lines[line - 1] = indentation + (edit.becomes.split('$&').join(code) || deleted);
  return { path, line, text: lines.join('\n') };
}

function changedText(modules: Modules, edit: LineEdit & { readonly text: TextPlace }): Changed {
  const { path, text, occurrence } = edit.text;
  const parts = modules.get(path)?.split(text) ?? [];
  if (parts.length <= occurrence + 1)
    throw new Error(`edit "${edit.name}": ${path} has no such text`);
  const before = parts.slice(0, occurrence + 1).join(text);
  const after = parts.slice(occurrence + 1).join(text);
  const lines = (each: string): string[] => each.split('\n').slice(1);
  const kept = '\n'.repeat(Math.max(0, lines(text).length - lines(edit.becomes).length));
  const line = before.split('\n').length;
  return { path, line, text: before + edit.becomes + kept + after };
}

/** The same problems under a heading that names the edit and its line. */
export function inEdit(
  error: DerivationError,
  edit: LineEdit,
  path: string,
  line: number,
): DerivationError {
  const { name, becomes } = edit;
  const place = 'label' in edit ? `(@${edit.label})` : `\`${edit.text.text}\``;
  const heading = `edit "${name}" at ${path}:${line} ${place} becomes \`${becomes}\`:`;
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

function countMessage(
  edit: LineEdit & { readonly label: string },
  found: readonly { path: string; line: number }[],
): string {
  const places = found.map(({ path, line }) => `${path}:${line}`).join(', ');
  const count = found.length === 0 ? '0' : `${found.length}: ${places}`;
  return `edit "${edit.name}": label @${edit.label} must match exactly one line, found ${count}`;
}
