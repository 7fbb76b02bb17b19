/** The house rules hold, and each of them finds a planted breach. */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { blank, houseRules } from './tidy.ts';

test('the project keeps the house rules', () => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const sources = new Map<string, string>();
  for (const top of ['src', 'workers', 'bench'])
    for (const path of readdirSync(`${root}${top}`, { recursive: true, encoding: 'utf8' }).sort())
      if (path.endsWith('.ts'))
        sources.set(`${top}/${path}`, readFileSync(`${root}${top}/${path}`, 'utf8'));
  expect(sources.size).toBeGreaterThan(20);
  expect(houseRules(sources).join('\n')).toBe('');
});

/** Messages for one file in an otherwise clean project that imports it. */
function check(path: string, body: string): string[] {
  const name = path.replace(/^src\/|\.ts$/g, '');
  const specifier = name.startsWith('cli/') ? path.replace('src/cli', '.') : `#${name}`;
  const importer = `/** Doc. */\nimport '${specifier}';\n`;
  const sources = new Map([
    [path, `/** Doc. */\n${body}\n`],
    ['src/cli/main.ts', path.startsWith('src/') ? importer : '/** Doc. */\n'],
  ]);
  return houseRules(sources);
}

const many = (count: number, line: string): string => `${line}\n`.repeat(count);

const BREACHES: readonly (readonly [path: string, body: string, message: string])[] = [
  ['src/base/a.ts', `import { x } from '#arena/word';`, 'base may not import arena'],
  ['src/mm/a.ts', `import { x } from '#reclaim/none';`, 'mm may not import reclaim'],
  ['src/mm/a.ts', `export * from '#tasks/x';`, 'mm may not import tasks'],
  ['src/oracles/a.ts', `import {\n  x,\n} from '#mm/vma';`, 'oracles may not import mm'],
  ['src/explore/a.ts', `import { x } from '#mm/vma';`, 'explore may not import mm'],
  ['src/report/a.ts', `import type { X } from '#arena/word';`, 'report may not import arena'],
  ['src/mm/a.ts', `const x = import('#cli/main');`, 'mm may not import cli'],
  ['workers/a.ts', `import { x } from '#machine/pool';`, 'workers may not import machine'],
  ['bench/a.ts', `import { x } from '#cli/main';`, 'bench may not import cli'],
  ['src/odd/a.ts', 'export const x = 1;', 'room odd is not in the import table'],
  ['src/mm/a.ts', `import { x } from '../sync/lock.ts';`, 'leaves the room'],
  ['src/mm/a.ts', `import { x } from '#mm/b';`, 'from its own room'],
  ['src/sync/a.ts', `import fs from 'node:fs';`, 'sync may not import "node:fs"'],
  ['src/report/a.ts', `import fs from 'node:fs';`, 'report may not import "node:fs"'],
  ['src/arch/a.ts', `import { z } from 'zod';`, 'arch may not import the package "zod"'],
  ['src/report/a.ts', `import p from 'piscina';`, 'report may not import the package "piscina"'],
  ['src/mm/a.ts', 'Atomics.load(w, 0);', 'Atomics outside the arena'],
  ['src/mm/a.ts', `const s = \`\${Atomics.load(w, 0)}\`;`, 'Atomics outside the arena'],
  ['src/cli/a.ts', 'const x = Math.random();', 'Math.random'],
  ['src/sync/a.ts', 'const x = performance.now();', 'a clock'],
  ['src/report/a.ts', 'const x = Date.now();', 'a clock'],
  ['src/machine/a.ts', 'const x = process.argv[2];', 'the process outside'],
  ['src/explore/a.ts', 'process.exit(1);', 'the process outside'],
  ['src/mm/a.ts', 'const x = boundWords()[3];', 'raw indexing'],
  ['src/mm/a.ts', 'const words = boundWords();\nwords[3] = 1;', 'raw indexing'],
  ['src/mm/a.ts', 'export enum E { a }', 'enum or namespace'],
  ['src/mm/a.ts', 'namespace N {}', 'enum or namespace'],
  ['src/mm/a.ts', 'for (let i = 0; i < 512; i++) f(i);', 'a literal 512'],
  ['src/mm/a-utils.ts', 'export const x = 1;', '"utils" in a file name'],
  ['src/mm/helper.ts', 'export const x = 1;', '"helper" in a file name'],
  ['src/mm/a.ts', `// ${'x'.repeat(98)}`, 'longer than 100 columns'],
  ['src/mm/a.ts', many(400, 'f();'), 'a file of 402 lines'],
  ['src/mm/a.ts', `export function f(): void {\n${many(69, '  g();')}}`, 'a function of 71 lines'],
  ['src/mm/a.ts', `class A {\n  f(\n    x,\n  ) {\n${many(69, '    g();')}  }\n}`, 'a function of'],
  ['src/mm/a.ts', `const f = () => {\n${many(69, '  g();')}};`, 'a function of 71 lines'],
];

describe('a planted breach is found', () => {
  test.each(BREACHES)('in %s: $2', (path, body, message) => {
    const found = check(path, body);
    expect(found.length).toBe(1);
    expect(found[0]).toContain(message);
    expect(found[0]).toMatch(/^[\w/.-]+:\d+: error: .* \(see README, "Rooms"\)$/);
  });

  test('of the opening comment', () => {
    const found = houseRules(new Map([['src/cli/main.ts', 'export const x = 1;\n']]));
    expect(found.join()).toContain('src/cli/main.ts:1: error: a file opens with a doc comment');
  });

  test('of the rule that somebody imports each file', () => {
    const sources = new Map([
      ['src/mm/a.ts', '/** Doc. */\n'],
      ['src/mm/a.test.ts', `import './a.ts';\n`],
    ]);
    expect(houseRules(sources).join()).toContain('src/mm/a.ts:1: error: nobody imports this file');
  });

  test('at its line', () => {
    expect(check('src/mm/a.ts', '\n\nconst x = 512;')[0]).toMatch(/^src\/mm\/a.ts:4:/);
    expect(check('src/mm/a.ts', `\nimport {\n  x,\n} from '#tasks/a';`)[0]).toMatch(/a.ts:5:/);
  });
});

describe('what the rules allow', () => {
  test.each([
    ['src/mm/a.ts', `import { x } from '#sync/lock';\nimport type { W } from '#arena/word';`],
    ['src/explore/a.ts', `import type { x } from '#mm/vma';`],
    ['src/scenario/a.ts', `import { z } from 'zod';\nconst x = 512;`],
    ['src/report/html/page/a.ts', `import uPlot from 'uplot';\nimport { f } from '../data.ts';`],
    ['src/arena/a.ts', 'const x = Atomics.load(boundWords(), 0) + boundWords()[1];'],
    ['src/mm/a.ts', `// Atomics, Math.random and 512.\nconst s = 'Atomics 512';`],
    ['src/mm/a.ts', `const s = \`Atomics \${f({ a: \`\${1}\` })} Date.now\`;`],
    ['src/mm/a.ts', 'const r = /[/"]Atomics/;\nconst x = a / b; // 512\nconst y = c / d;'],
    ['src/mm/a.ts', `export function f(): void {\n${many(68, '  g();')}}`],
    ['src/machine/a.ts', 'const x = Date.now();\nprocess.exitCode = 1;'],
    ['workers/cpu.ts', `import { x } from '#machine/messages';\nimport { y } from '#tasks/run';`],
    ['bench/a.ts', 'const x = Atomics.load(w, 512);'],
  ])('in %s: %j', (path, body) => {
    expect(check(path, body)).toEqual([]);
  });

  test('blanking keeps every position', () => {
    const text = `a('x{', \`\${b /* c */}\`); // d\n/** e\n */ f(/[\`'/]/, "'");\n`;
    const { plain, code } = blank(text);
    expect(code).toBe(`a('  ', \`\${b        }\`);     \n     \n    f(/     /, " ");\n`);
    expect(plain.length).toBe(text.length);
    expect(code.length).toBe(text.length);
  });
});
