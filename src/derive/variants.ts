/**
 * Where the two forms of the tested wing lie, for the living source and for each edit of it.
 *
 * The living source: `dist/src` is the plain form, `dist/stepped` the stepped one, both made by the
 * build. An edit's variant is made when it is first asked for, in a cache folder whose name carries
 * a hash of every byte in it; it appears by one rename, so that processes can race for it and
 * nothing half-written stays.
 */

import { createHash, randomUUID } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { applyEdit, inEdit, type LineEdit } from './apply-edit.ts';
import { DerivationError, type Modules } from './modules.ts';
import { deriveForms, type Forms } from './rewrite.ts';
import { packageRoot, readModules, withLockSites, writeTree } from './tree.ts';

/** File URLs of the two trees; each ends in `/`. */
export interface TreeRoots {
  readonly plain: URL;
  readonly stepped: URL;
}

/** What is in them. A variant's plain form can keep lock statistics, where it is told to. */
interface Trees {
  readonly plain: Modules;
  readonly stepped: Modules;
}

/** The trees to load the tested wing from; null means the living source. */
export async function treeRoots(edit: LineEdit | null): Promise<TreeRoots> {
  if (edit !== null) return ensureVariant(edit);
  const dist = join(packageRoot(), 'dist');
  if (!existsSync(join(dist, 'stepped')))
    throw new Error(`${join(dist, 'stepped')} is missing; run "npm run build"`);
  return { plain: folderUrl(join(dist, 'src')), stepped: folderUrl(join(dist, 'stepped')) };
}

/** Both forms with the edit applied, made if they are not there yet. */
export async function ensureVariant(edit: LineEdit, root = packageRoot()): Promise<TreeRoots> {
  const maps = join(root, 'dist', 'src');
  const { counted, lockSites, stepped } = deriveVariant(readModules(root), edit);
  const trees = { plain: withLockSites(counted, lockSites, maps), stepped };
  const name = `${edit.name.replace(/[^\w.-]/g, '_')}-${hashOf(trees)}`;
  const folder =
    place(join(root, 'dist', 'variants'), name, trees, maps) ??
    place(privateFolder(), name, trees, maps);
  if (folder === null) throw new Error(`cannot write the variant "${edit.name}" in ${tmpdir()}`);
  return { plain: folderUrl(join(folder, 'plain')), stepped: folderUrl(join(folder, 'stepped')) };
}

/** Both forms of an edited set of modules; every problem names the edit and its line. */
export function deriveVariant(modules: Modules, edit: LineEdit): Forms {
  const edited = applyEdit(modules, edit);
  try {
    return deriveForms(edited.modules);
  } catch (error) {
    if (!(error instanceof DerivationError)) throw error;
    throw inEdit(error, edit, edited.path, edited.line);
  }
}

function hashOf({ plain, stepped }: Trees): string {
  const hash = createHash('sha256');
  for (const tree of [plain, stepped])
    for (const [path, text] of tree) hash.update(`${path}\0${text}\0`);
  return hash.digest('hex').slice(0, 16);
}

/** The variant's folder below `cache`; null where that cannot be written. */
function place(cache: string, name: string, trees: Trees, maps: string): string | null {
  const target = join(cache, name);
  if (existsSync(target)) return target;
  const temporary = `${target}.${randomUUID()}.tmp`;
  try {
    mkdirSync(cache, { recursive: true });
    writeTree(join(temporary, 'plain'), trees.plain, maps);
    writeTree(join(temporary, 'stepped'), trees.stepped, maps);
    renameSync(temporary, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== undefined && /^(EACCES|EROFS|EPERM)$/.test(code)) return null;
    // Another process was faster: its bytes are ours, as the hash is the same.
    if (!existsSync(target)) throw error;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return target;
}

/** A cache of this user's own below the folder for temporary files; nobody else may write there. */
function privateFolder(): string {
  const { uid, username } = userInfo();
  const folder = join(tmpdir(), `pttorture-${uid >= 0 ? uid : username}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || (uid >= 0 && found.uid !== uid))
    throw new Error(`${folder} belongs to someone else; remove it, or make dist/ writable`);
  chmodSync(folder, 0o700);
  return folder;
}

function folderUrl(folder: string): URL {
  return pathToFileURL(`${folder}/`);
}
