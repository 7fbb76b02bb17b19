/** Broken versions for tests, by name. */
import type { LineEdit } from '#derive/apply-edit';
import { type BrokenVersion, lineEditOf } from './broken-version.ts';
import { CATALOGUE } from './catalogue.ts';

export function brokenVersion(name: string): BrokenVersion {
  const found = CATALOGUE.find((version) => version.name === name);
  if (found === undefined) throw new Error(`no broken version "${name}"`);
  return found;
}

/** Its edit of the source; throws where a setting is the flaw. */
export function editNamed(name: string): LineEdit {
  const edit = lineEditOf(brokenVersion(name));
  if (edit === null) throw new Error(`"${name}" edits no line`);
  return edit;
}
