import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lineEditOf } from '#catalogue/broken-version';
import { CATALOGUE } from '#catalogue/catalogue';
import { applyEdit, findLabel } from './apply-edit.ts';
import { deriveForms } from './rewrite.ts';
import { packageRoot, readModules, writeTree } from './tree.ts';
import { deriveVariant, ensureVariant, treeRoots } from './variants.ts';

const FILES: Record<string, string> = {
  'arena/gate.js': 'export function passGate(cpu) { return false; }\n',
  'mm/a.js': `import { passGate } from '#arena/gate';
import { used } from '#scenario/used';
export function f(cpu) {
    passGate(cpu);
    return used; // @result
}
`,
  'scenario/used.js': `export { used } from './deep.js';\n`,
  'scenario/deep.js': 'export const used = 1;\n',
  'scenario/unused.js': `import fs from 'node:fs';\n`,
  'mm/a.test.js': `import 'vitest';\n`,
  'cli/main.js': `import 'node:fs';\n`,
};
const EDIT = { name: 'wrong-result', label: 'result', becomes: 'return 2;' };
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'derive-'));
  for (const [path, text] of Object.entries(FILES)) put(`dist/src/${path}`, text);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, text: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
}

describe('reading', () => {
  test('takes the tested wing whole and of scenario what it imports', () => {
    expect([...readModules(root).keys()]).toEqual([
      'arena/gate.js',
      'mm/a.js',
      'scenario/deep.js',
      'scenario/used.js',
    ]);
  });

  test('passes over an emitted file whose source is gone', () => {
    for (const path of Object.keys(FILES)) put(`src/${path.replace('.js', '.ts')}`, '');
    put('dist/src/mm/gone.js', 'syntax error');
    expect(readModules(root).has('mm/gone.js')).toBe(false);
    put('src/mm/gone.ts', '');
    expect(readModules(root).has('mm/gone.js')).toBe(true);
  });
});

describe('writing', () => {
  test('removes what is no longer in the tree and points at the source map', () => {
    const folder = join(root, 'dist', 'stepped');
    put('dist/stepped/mm/old.js', '');
    const text = 'export const a = 1;\n//# sourceMappingURL=a.js.map';
    writeTree(folder, new Map([['mm/a.js', text]]), join(root, 'dist', 'src'));
    expect(readdirSync(join(folder, 'mm'))).toEqual(['a.js']);
    expect(readFileSync(join(folder, 'mm', 'a.js'), 'utf8')).toBe(
      'export const a = 1;\n//# sourceMappingURL=../../src/mm/a.js.map\n',
    );
  });
});

describe('a variant', () => {
  test('runs the edited line in both forms, and is made once', async () => {
    const { plain, stepped } = await ensureVariant(EDIT, root);
    expect((await import(new URL('mm/a.js', plain).href)).f({})).toBe(2);
    expect((await import(new URL('mm/a.js', stepped).href)).f({}).next().value).toBe(2);
    writeFileSync(new URL('mm/a.js', plain), '// kept');
    expect(await ensureVariant(EDIT, root)).toEqual({ plain, stepped });
    expect(readFileSync(new URL('mm/a.js', plain), 'utf8')).toBe('// kept');
  });

  test('changes its folder with the source and with the edit', async () => {
    const first = (await ensureVariant(EDIT, root)).plain.href;
    const second = (await ensureVariant({ ...EDIT, becomes: 'return 3;' }, root)).plain.href;
    put('dist/src/scenario/deep.js', 'export const used = 4;\n');
    const third = (await ensureVariant(EDIT, root)).plain.href;
    expect(new Set([first, second, third]).size).toBe(3);
  });

  test('survives a race of processes', async () => {
    const hrefs = await Promise.all([1, 2, 3, 4].map(async () => (await inProcess('')).href));
    expect(new Set(hrefs).size).toBe(1);
    expect(readdirSync(join(root, 'dist', 'variants')).length).toBe(1);
  });

  test('leaves nothing half-written when it fails', async () => {
    const patch = `
      const { renameSync } = fs;
      fs.renameSync = (from, to) => {
        if (from.endsWith('.tmp') && !to.includes('.tmp/')) throw new Error('disk full');
        renameSync(from, to);
      };`;
    await expect(inProcess(patch)).rejects.toThrow('disk full');
    expect(readdirSync(join(root, 'dist', 'variants'))).toEqual([]);
  });

  test('falls back to a private folder where dist cannot be written', async () => {
    const patch = `
      const { mkdirSync } = fs;
      fs.mkdirSync = (path, options) => {
        if (path.startsWith(process.argv[1]))
          throw Object.assign(new Error('read-only'), { code: 'EROFS' });
        return mkdirSync(path, options);
      };`;
    const elsewhere = mkdtempSync(join(tmpdir(), 'derive-tmp-'));
    const { href, result } = await inProcess(patch, { TMPDIR: elsewhere });
    const [folder] = readdirSync(elsewhere);
    expect(result).toBe(2);
    expect(href.startsWith(pathToFileURL(elsewhere).href)).toBe(true);
    expect(statSync(join(elsewhere, folder!)).mode & 0o777).toBe(0o700);
    expect(existsSync(join(root, 'dist', 'variants'))).toBe(false);
    rmSync(elsewhere, { recursive: true });
  });
});

/** Makes the variant in a process of its own, whose `fs` the patch may change, and runs it. */
async function inProcess(
  patch: string,
  env: Record<string, string> = {},
): Promise<{ href: string; result: number }> {
  const script = `
    import { syncBuiltinESMExports } from 'node:module';
    import fs from 'node:fs';
    ${patch}
    syncBuiltinESMExports();
    const { ensureVariant } = await import(process.argv[2]);
    const { plain } = await ensureVariant(JSON.parse(process.argv[3]), process.argv[1]);
    const { f } = await import(new URL('mm/a.js', plain).href);
    console.log(JSON.stringify({ href: plain.href, result: f({}) }));
  `;
  const module = pathToFileURL(join(packageRoot(), 'dist/src/derive/variants.js')).href;
  const args = ['--input-type=module', '-e', script, root, module, JSON.stringify(EDIT)];
  const options = { env: { ...process.env, ...env } };
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  return JSON.parse(stdout);
}

describe('the built trees', () => {
  test('the stepped tree is what the emitted modules give', () => {
    const { stepped } = deriveForms(readModules(packageRoot()));
    expect(stepped.size).toBeGreaterThan(10);
    const [path, text] = [...stepped].find(([name]) => name === 'arena/word.js')!;
    const built = readFileSync(join(packageRoot(), 'dist', 'stepped', path), 'utf8');
    const withoutMap = (code: string) => code.replace(/\/\/# sourceMappingURL.*\s*$/, '');
    expect(withoutMap(built)).toBe(withoutMap(text));
    expect(built).toContain('function* load(cpu');
  });

  test('no import leads out of the stepped tree, and it loads', async () => {
    const { stepped, plain } = await treeRoots(null);
    expect(plain.href.endsWith('/dist/src/')).toBe(true);
    const folder = fileURLToPath(stepped);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.js'),
    );
    expect(files.length).toBeGreaterThan(10);
    let imports = 0;
    for (const path of files) {
      const text = readFileSync(join(folder, path), 'utf8');
      for (const [, specifier] of text.matchAll(/\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)) {
        imports++;
        const target = new URL(specifier!, new URL(path, stepped));
        expect(target.href.startsWith(stepped.href), `${path}: ${specifier}`).toBe(true);
        expect(existsSync(target), `${path}: ${specifier}`).toBe(true);
      }
      await import(new URL(path, stepped).href);
    }
    expect(imports).toBeGreaterThan(10);
  });

  test('every label of the sources comes through tsc', () => {
    const modules = readModules(packageRoot());
    let labels = 0;
    for (const path of modules.keys()) {
      const source = join(packageRoot(), 'src', path.replace(/\.js$/, '.ts'));
      for (const [, text] of readFileSync(source, 'utf8').matchAll(/\/\/((?: @[\w-]+)+)$/gm)) {
        for (const label of text!.trim().split(' ')) {
          labels++;
          const found = findLabel(modules, label.slice(1));
          expect(
            found.map((place) => place.path),
            label,
          ).toEqual([path]);
        }
      }
    }
    expect(labels).toBeGreaterThan(0);
  });

  const edits = CATALOGUE.flatMap((version) => lineEditOf(version) ?? []);

  test('every broken version finds its line, once, and leaves no name undeclared', () => {
    const modules = readModules(packageRoot());
    for (const edit of edits) {
      const { path, line } = applyEdit(modules, edit);
      const before = modules.get(path)!.split('\n')[line - 1]!;
      const declared = /\b(?:const|let) (\w+)/.exec(before)?.[1];
      if (declared !== undefined && 'label' in edit)
        expect(edit.becomes, edit.name).toMatch(new RegExp(`\\b(const|let) ${declared}\\b`));
    }
  });

  // Each takes a while; all of them are derived when the catalogue is explored.
  test.each(edits.filter((_, i) => i % 6 === 0))('$name keeps the discipline', (edit) => {
    const { plain } = deriveVariant(readModules(packageRoot()), edit);
    expect(plain.size).toBeGreaterThan(10);
  });
});
