/** The free-running form: what is constant for a thread's life becomes a constant, nothing else. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { freeForm, specialise } from './free-form.ts';
import { packageRoot, readModules } from './tree.ts';

const MARK = '// constant at load';

describe('specialise', () => {
  test('a marked variable becomes a constant, and its assignments go', () => {
    const head = `let a = start.a; ${MARK}\nlet b = 1;`;
    const text = `${head}\nfunction bind(next) {\n    a = next;\n    b = next;\n}`;
    expect(specialise('x.js', text)).toBe(
      'const a = start.a;\nlet b = 1;\nfunction bind(next) {\n\n    b = next;\n}',
    );
  });

  test('a passage of the gate goes', () => {
    expect(specialise('x.js', '    passGate(cpu, GATE.load, at, 0);\n    f();')).toBe('\n    f();');
  });

  test('a module that is not there is an error that names it', () => {
    expect(() => specialise('x.js', undefined)).toThrow('x.js');
  });
});

describe('freeForm', () => {
  test('is one module without imports that exports what its entry exports', async () => {
    const modules = new Map([
      ['tasks/entry.js', `export { f } from '../arena/a.js';`],
      ['arena/a.js', `let base = globalThis.start; ${MARK}\nexport function f() { return base; }`],
    ]);
    const text = await freeForm(modules);
    expect(text).toContain('const base = globalThis.start');
    expect(text).not.toMatch(/^import /m);
    expect(text).toMatch(/export \{ f \}/);
  });

  test('calls of its small functions are inlined', async () => {
    const text = `const words = [1];\nfunction peek(at) { return words[at]; }\n`;
    const entry = `${text}export function f(at) { return peek(at); }`;
    expect(await freeForm(new Map([['tasks/entry.js', entry]]))).toContain('return (words[at]);');
  });

  test('the built form has bound every marked variable of the sources', () => {
    const dist = join(packageRoot(), 'dist');
    const built = readFileSync(join(dist, 'free', 'entry.js'), 'utf8');
    // Of what observes, the other form has none.
    const observing = readFileSync(join(dist, 'lock-stat', 'free', 'entry.js'), 'utf8');
    let marked = 0;
    for (const text of readModules(packageRoot()).values())
      for (const [, name] of text.matchAll(new RegExp(`^let (\\w+) = .*${MARK}$`, 'gm'))) {
        marked++;
        expect(observing, name).toMatch(new RegExp(`^const ${name}(\\$\\d+)? = `, 'm'));
        for (const form of [built, observing])
          expect(form, name).not.toMatch(new RegExp(`^\\s+${name} = next`, 'm'));
      }
    expect(marked).toBeGreaterThan(8);
    expect(built).not.toMatch(/^\s*passGate\(/m);
    expect(built).not.toMatch(/^\s*(trace|lockStat)[A-Z]\w*\(/m);
    expect(observing).toMatch(/^\s*traceAcquired\(/m);
  });
});
