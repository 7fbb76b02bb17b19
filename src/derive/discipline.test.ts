import { describe, expect, test } from 'vitest';
import { DerivationError } from './modules.ts';
import { deriveForms } from './rewrite.ts';

const GROUND: Record<string, string> = {
  'arena/gate.js': 'export function passGate(cpu, op, at, seen) { return false; }\n',
  'arena/word.js': `import { passGate } from './gate.js';
export const GATE = { load: 0 };
export function load(cpu, at) {
    passGate(cpu, GATE.load, at, 0);
}
export function peek(at) { return at; }
`,
};
const IMPORT = `import { load } from '#arena/word';\n`;

/** The problems of a module `mm/a.js` beside a small ground floor. */
function problems(text: string, more: Record<string, string> = {}): string[] {
  try {
    deriveForms(new Map(Object.entries({ ...GROUND, 'mm/a.js': text, ...more })));
    return [];
  } catch (error) {
    if (!(error instanceof DerivationError)) throw error;
    return error.message.split('\n');
  }
}

const BREACHES: readonly (readonly [what: string, line: string, message: RegExp])[] = [
  [
    'an arrow function',
    'function f(cpu, l) { l.map((x) => load(cpu, x)); }',
    /in an arrow function; write a loop/,
  ],
  [
    'a function expression',
    'const f = function (cpu) { load(cpu, 1); };',
    /in a function expression/,
  ],
  [
    'a default parameter',
    'function f(cpu, x = load(cpu, 1)) { return x; }',
    /default parameter; call it in the body/,
  ],
  ['a class field', 'class A { x = load(cpu, 1); }', /in a class field initialiser/],
  ['a static block', 'class A { static { load(cpu, 1); } }', /in a static block/],
  ['module level', 'load(cpu, 1);', /at module level; call it/],
  [
    'a constructor',
    'class A { constructor(cpu) { load(cpu, 1); } }',
    /in a constructor; do it in "initialize"/,
  ],
  [
    'a getter',
    'class A { get size() { return load(this.cpu, 1); } }',
    /"size" .* cannot be a getter/,
  ],
  ['a setter', 'const o = { set size(cpu) { load(cpu, 1); } };', /"size" .* cannot be a setter/],
  ['an async function', 'async function f(cpu) { load(cpu, 1); }', /"f" .* cannot be async/],
  ['a generator', 'function* f(cpu) { load(cpu, 1); }', /"f" .* cannot be a generator/],
  [
    'a computed method name',
    'const o = { [x](cpu) { load(cpu, 1); } };',
    /needs a name that is not computed/,
  ],
  ['a default export', 'export default function f(cpu) { load(cpu, 1); }', /export it by name/],
  ['keeping the function', 'const keep = load;', /"load" .* can only be called/],
  ['passing the function on', 'function f(cpu) { g(load); }', /"load" .* can only be called/],
  [
    'keeping a method',
    'const o = { m(cpu) { load(cpu, 1); } }; const k = o.m;',
    /"m" .* can only be called/,
  ],
  ['a key of another name', 'const o = { peek: load };', /its key must have the same name/],
  [
    'a key that holds an arrow',
    'const o = { load: (cpu) => 1 };',
    /write it as a method: load\(cpu/,
  ],
  ['a field that holds an arrow', 'class A { load = () => 1; }', /write it as a method/],
  [
    'an alias of a quiet function',
    'const o = { m(cpu) { load(cpu, 1); } }, p = { m: o };',
    /"m" is the name of something/,
  ],
  [
    'a variable of the module',
    'const o = { m(cpu) { load(cpu, 1); } }; const m = 1;',
    /rename this variable/,
  ],
  [
    'a hidden callee',
    'function f(cpu, load) { load(cpu, 1); }',
    /variable "load" hides the function/,
  ],
  [
    'no cpu in the definition',
    'function f(mm) { load(mm.cpu, 1); }',
    /make "cpu" its first parameter/,
  ],
  [
    'a namesake',
    'class A { load(at) { return at + 1; } }',
    /"load" is the name of something .* rename it/,
  ],
  ['a call without cpu', 'function f(set) { set.load(1); }', /pass cpu first/],
  ['a call without arguments', 'function f(o) { o.load(); }', /pass cpu first/],
  [
    'a method of the language',
    'function f(cpu, set) { set.load(cpu); }',
    /as a function: import it/,
  ],
  ['an optional call', 'function f(cpu, o) { o?.load(cpu, 1); }', /without "\?\."/],
  ['a computed callee', 'function f(cpu, t) { t[1](cpu); }', /computed callee/],
  ['a dynamic import', `function f() { import('./b.js'); }`, /no import\(\)/],
];

describe('the discipline', () => {
  test.each(BREACHES)('%s is a problem', (_what, line, message) => {
    const found = problems(`${IMPORT}${line}\n`);
    expect(found.join('\n')).toMatch(message);
    expect(found[0]).toMatch(/^mm\/a\.js:2: /);
  });

  test('an import under another name', () => {
    const found = problems(`import { load as fetch } from '#arena/word';\n`);
    expect(found).toEqual([
      'mm/a.js:1: "fetch" passes the gate under the name "load"; import it without renaming',
    ]);
  });

  test('an export under another name', () => {
    expect(problems(`${IMPORT}export { load as fetch };\n`).join()).toMatch(/export it without/);
  });

  test('a gate passage that is not a statement', () => {
    const text = `import { passGate } from '#arena/gate';\n`;
    expect(problems(`${text}function f(cpu) { return passGate(cpu, 0, 1, 0); }\n`)).toEqual([
      'mm/a.js:2: passGate(…) must be a statement of its own',
    ]);
    expect(problems(`${text}const g = passGate;\n`).join()).toMatch(/can only be called/);
  });

  test('an import that leaves the tree', () => {
    expect(problems(`import fs from 'node:fs';\n`).join()).toMatch(/"node:fs" leaves the/);
    expect(problems(`import { x } from '#mm/missing';\n`).join()).toMatch(
      /mm\/missing.js is not in/,
    );
    expect(problems(`import { x } from '../../other.js';\n`).join()).toMatch(/leaves the/);
  });

  test('a stepped function in a room that is not stepped', () => {
    const more = { 'trace/ring.js': `${IMPORT}export function note(cpu) { load(cpu, 1); }\n` };
    expect(problems('', more).join()).toMatch(/trace\/ring.js:1: room trace is not stepped/);
    const whole = `import * as w from '#arena/word';\nfunction note(cpu) { w.load(cpu, 1); }\n`;
    expect(problems('', { 'trace/r.js': whole }).join()).toMatch(/room trace is not stepped/);
  });

  test('a namesake in a room that is not stepped', () => {
    const more = { 'base/b.js': 'export function f(x) { return x; }\n' };
    const text = `${IMPORT}import { f } from '#base/b';\nclass A { f(cpu) { load(cpu, 1); } }\n`;
    expect(problems(text, more).join()).toMatch(/"f" of base\/b.js has the name of/);
    const method = { 'base/b.js': 'export class B { load(x) { return x; } }\n' };
    expect(problems('', method).join()).toMatch(/base\/b.js:1: "load" is the name of/);
  });

  test('a namesake of what the gate calls', () => {
    const gate = { 'arena/gate.js': 'export function passGate(cpu) { return gate.pass(cpu); }\n' };
    const text = `${IMPORT}class A { pass(cpu) { load(cpu, 1); } }\n`;
    expect(problems(text, gate).join()).toMatch(/arena\/gate.js:1: "pass" is what passGate calls/);
    expect(problems(text, gate).length).toBe(1);
  });

  test('a call without cpu spreads no taint to its caller', () => {
    const text = `${IMPORT}function f(set) { set.load(1); }\nfunction g(set) { f(set); }\n`;
    expect(problems(text).length).toBe(1);
  });

  test('all problems are reported at once, in order', () => {
    const found = problems(`${IMPORT}const a = load;\nload(cpu, 1);\nconst b = load;\n`);
    expect(found.map((line) => line.split(':')[1])).toEqual(['2', '3', '4']);
  });

  test('a syntax error names its file and line', () => {
    expect(problems('\nconst = 1;\n')[0]).toMatch(/^mm\/a\.js:2: Unexpected token/);
  });
});

describe('what the discipline allows', () => {
  test.each([
    ['a local variable of the name', 'function f(cpu, load) { return load + 1; }'],
    ['a constant table with the name as key', 'const OP = { load: 3 }; const x = OP.load;'],
    ['the language itself', 'function f(words) { return Atomics.load(words, 1); }'],
    ['a shorthand', 'const o = { load }; function f(cpu) { o.load(cpu, 1); }'],
    ['a key of the same name', 'const o = { load: load };'],
    ['an arrow that stays quiet', 'function f(cpu, l) { load(cpu, l.map((x) => x + 1)); }'],
    ['an empty hook without parameters', 'const o = { load() { return true; } };'],
    ['a constructor that takes cpu', 'class A extends B { constructor(cpu) { super(cpu); } }'],
    ['an unused cpu', 'const o = { load(_cpu, at) { return at; } };'],
  ])('%s', (_what, line) => {
    expect(problems(`${IMPORT}${line}\n`)).toEqual([]);
  });
});
