import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { type Modules, relativeSpecifier, resolveSpecifier } from './modules.ts';
import { deriveForms } from './rewrite.ts';
import { writeTree } from './tree.ts';

const GATE_JS = `let gate = null;
export function setGate(next) { gate = next; }
export function passGate(cpu, op, at, seen) {
    return gate !== null && gate.pass(cpu, op, at, seen);
}
`;
const WORD_JS = `import { passGate } from './gate.js';
const words = new Int32Array(8);
export function load(cpu, at) {
    passGate(cpu, 0, at, 0);
    return Atomics.load(words, at);
}
export function store(cpu, at, value) {
    passGate(cpu, 1, at, 0);
    Atomics.store(words, at, value);
}
export function peek(at) { return words[at]; }
`;

/** The stepped form of one mm module beside the two arena modules. */
function stepped(body: string, more: Record<string, string> = {}): string {
  return deriveForms(tree(body, more)).stepped.get('mm/a.js')!;
}

function tree(body: string, more: Record<string, string> = {}): Modules {
  return new Map([
    ['arena/gate.js', GATE_JS],
    ['arena/word.js', WORD_JS],
    ['mm/a.js', body],
    ...Object.entries(more),
  ]);
}

describe('what becomes a generator', () => {
  test('a passage is asked inline and yields only when told to', () => {
    const text = deriveForms(tree('')).stepped.get('arena/word.js')!;
    expect(text).toContain(
      'export function* load(cpu, at) {\n    if (passGate(cpu, 0, at, 0)) yield;',
    );
    expect(text).toContain('export function peek');
    expect(text).toContain('return Atomics.load(words, at);');
  });

  test('the gate itself stays a function', () => {
    expect(deriveForms(tree('')).stepped.get('arena/gate.js')).toBe(GATE_JS);
  });

  test('taint spreads through functions, classes, static methods and object literals', () => {
    const text = stepped(`import { load } from '#arena/word';
class A {
    m(cpu) { return load(cpu, 1); }
    static s(cpu) { return new A().m(cpu); }
    #p(cpu) { A.s(cpu); }
    q(cpu) { this.#p(cpu); }
    quiet(cpu) { return cpu.id; }
}
const o = {
    hook(cpu, a) { a.q(cpu); },
};
function top(cpu) { o.hook(cpu, new A()); }
function calm(cpu) { return new A().quiet(cpu); }
`);
    for (const part of ['*m(cpu)', 'static *s(cpu)', '*#p(cpu)', '*q(cpu)', '*hook(cpu, a)'])
      expect(text).toContain(part);
    expect(text).toContain('function* top(cpu) { yield* o.hook(cpu, new A()); }');
    expect(text).toContain('return (yield* new A().m(cpu));');
    expect(text).toContain('function calm(cpu) { return new A().quiet(cpu); }');
    expect(text).toContain('    quiet(cpu) {');
  });

  test('an empty hook of a stepped name becomes a generator, in another module too', () => {
    const text = stepped('export const none = { hook() { }, other(cpu) { } };\n', {
      'mm/b.js': `import { load } from '#arena/word';
export const p = { hook(cpu) { load(cpu, 1); } };
`,
    });
    expect(text).toContain('{ *hook() { }, other(cpu) { } }');
  });

  test('recursion is found', () => {
    const text = stepped(`import { load } from '#arena/word';
function even(cpu, n) { return n === 0 ? load(cpu, 0) : odd(cpu, n - 1); }
function odd(cpu, n) { return even(cpu, n - 1); }
`);
    expect(text).toContain('function* even');
    expect(text).toContain('? (yield* load(cpu, 0)) : (yield* odd(cpu, n - 1))');
  });
});

describe('where yield* goes', () => {
  const head = `import { load } from '#arena/word';\nconst o = { load };\n`;
  const inside = (statement: string): string =>
    stepped(`${head}function f(cpu) {\n${statement}\n}\n`).split('\n')[3]!;

  test.each([
    ['load(cpu, 1);', 'yield* load(cpu, 1);'],
    ['const x = load(cpu, 1) + 2;', 'const x = (yield* load(cpu, 1)) + 2;'],
    ['if (!load(cpu, 1)) return;', 'if (!(yield* load(cpu, 1))) return;'],
    ['return load(cpu, load(cpu, 1));', 'return (yield* load(cpu, (yield* load(cpu, 1))));'],
    ['while (load(cpu, 1) === 0) { }', 'while ((yield* load(cpu, 1)) === 0) { }'],
    ['load(cpu, 1).load(cpu);', 'yield* (yield* load(cpu, 1)).load(cpu);'],
    ['for (const x of load(cpu, 1)) { }', 'for (const x of (yield* load(cpu, 1))) { }'],
    ['const { a = load(cpu, 1) } = cpu;', 'const { a = (yield* load(cpu, 1)) } = cpu;'],
  ])('%s', (plain, expected) => {
    expect(inside(plain)).toBe(expected);
  });

  test('a passage without braces catches no else', () => {
    const text = stepped(
      `import { passGate } from '#arena/gate';
function f(cpu, x) { if (x) passGate(cpu, 0, 1, 2); else x = 1; return x; }
`,
    );
    expect(text).toContain('if (x) passGate(cpu, 0, 1, 2) && (yield); else x = 1;');
  });
});

describe('imports', () => {
  test('both forms reach other rooms by relative paths', () => {
    const forms = deriveForms(
      tree(`import { load } from '#arena/word';\nexport { b } from './deep/b.js';\n`, {
        'mm/deep/b.js': `export * from '#mm/c';\nexport const b = 1;\n`,
        'mm/c.js': 'export const c = 1;\n',
      }),
    );
    for (const form of [forms.plain, forms.stepped]) {
      expect(form.get('mm/a.js')).toContain(`from '../arena/word.js'`);
      expect(form.get('mm/a.js')).toContain(`from './deep/b.js'`);
      expect(form.get('mm/deep/b.js')).toContain(`from '../c.js'`);
    }
    expect(forms.plain.get('arena/word.js')).toBe(WORD_JS);
  });

  const folder = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 });
  test.prop([folder, folder])('a relative specifier leads where it should', (from, to) => {
    const [source, target] = [[...from, 'x.js'].join('/'), [...to, 'y.js'].join('/')];
    expect(resolveSpecifier(source, relativeSpecifier(source, target))).toBe(target);
  });
});

/** A program with branches, loops, methods and nested calls; its coefficients are random. */
const program = (
  a: number,
  b: number,
  n: number,
): string => `import { load, store } from '#arena/word';
class Cell {
    constructor(at) { this.at = at; }
    get(cpu) { return load(cpu, this.at); }
    set(cpu, value) { store(cpu, this.at, value | 0); return this; }
}
export function run(cpu) {
    const cells = [new Cell(0), new Cell(1), new Cell(2)];
    store(cpu, 0, ${a}); store(cpu, 1, ${b}); store(cpu, 2, 0);
    for (let i = 0; i < ${n}; i++) {
        const cell = cells[i % 3];
        if (cell.get(cpu) % 2 === 0) cell.set(cpu, cell.get(cpu) + i).set(cpu, mix(cpu, i));
        else cells[(cell.get(cpu) >>> 0) % 3].set(cpu, mix(cpu, cell.get(cpu)));
    }
    return [load(cpu, 0), load(cpu, 1), load(cpu, 2)];
}
function mix(cpu, x) {
    return x < 1 ? load(cpu, 1) : (load(cpu, 0) ^ load(cpu, 2)) + mix(cpu, x >> 2);
}
`;

test.prop([fc.integer(), fc.integer(), fc.nat(20)], { numRuns: 20 })(
  'a derived program that never switches ends as the plain one does',
  async (a, b, n) => {
    const folder = mkdtempSync(join(tmpdir(), 'derive-'));
    try {
      const forms = deriveForms(tree(program(a, b, n)));
      writeTree(join(folder, 'plain'), forms.plain, folder);
      writeTree(join(folder, 'stepped'), forms.stepped, folder);
      const load = (path: string) => import(pathToFileURL(join(folder, path)).href);
      const plain = await load('plain/mm/a.js');
      const derived = await load('stepped/mm/a.js');
      const gate = await load('stepped/arena/gate.js');
      const cpu = { id: 0 };
      const expected = plain.run(cpu);
      expect(finish(derived.run(cpu))).toEqual({ value: expected, yields: 0 });
      // The same when every passage yields and the same CPU goes on.
      let passages = 0;
      gate.setGate({ pass: () => ++passages > 0 });
      const { value, yields } = finish(derived.run(cpu));
      expect(value).toEqual(expected);
      expect(yields).toBe(passages);
      expect(yields).toBeGreaterThanOrEqual(6);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

function finish(coroutine: Generator): { value: unknown; yields: number } {
  let yields = 0;
  for (;;) {
    const { done, value } = coroutine.next();
    if (done) return { value, yields };
    yields++;
  }
}
