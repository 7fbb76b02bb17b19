/** Inlining: what it does, and for each thing that would change the program, that it does not. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'acorn';
import { describe, expect, test } from 'vitest';
import { inlineCalls } from './inline.ts';
import { packageRoot } from './tree.ts';

const WORDS = `const words = [];
const PLACE = { a: 1, b: 2 };
const box = { value: 0 };
let n = 0;
function act() { n++; box.value++; return n; }
function peek(at) { return words[at]; }
function poke(at, value) { words[at] = value; }
function sum(a, b) { return a + b; }
function from(a, b) { return b - a; }
`;

/** What becomes of the text after `WORDS`. */
function inlined(text: string): string {
  const result = inlineCalls(WORDS + text);
  expect(() => parse(result, { ecmaVersion: 'latest', sourceType: 'module' })).not.toThrow();
  expect(result.startsWith(WORDS)).toBe(true);
  return result.slice(WORDS.length);
}

type Case = [what: string, text: string, becomes: string];

describe('a call is inlined', () => {
  test.each<Case>([
    ['of a value', 'peek(1)', '(words[(1)])'],
    ['with a name', 'peek(x)', '(words[x])'],
    ['with a member', 'peek(PLACE.a)', '(words[PLACE.a])'],
    ['with arithmetic', 'peek(x + 1)', '(words[(x + 1)])'],
    ['in a call', 'peek(peek(x))', '(words[(words[x])])'],
    ['with a call that comes first', 'peek(act())', '(words[(act())])'],
    ['with a count that goes on', 'peek(x++)', '(words[(x++)])'],
    ['with a call after a member of a constant', 'from(act(), PLACE.a)', '(PLACE.a - (act()))'],
    ['with calls in their order', 'sum(act(), act())', '((act()) + (act()))'],
    ['with a call after what stays', 'sum(x, act())', '(x + (act()))'],
  ])('%s', (_what, call, becomes) => {
    expect(inlined(`function f(x) { return ${call}; }`)).toBe(
      `function f(x) { return ${becomes}; }`,
    );
  });

  test.each<Case>([
    ['a statement', 'poke(x, 1);', '(words[x] = (1));'],
    [
      'a statement of a statement',
      'if (x) poke(x, 1); else act();',
      'if (x) (words[x] = (1)); else act();',
    ],
    ['what two statements do', 'two(x);', '(words[x] = (1), words[(x + 1)] = (2));'],
    ['a field that is read before anything acts', 'raise(x.y);', '(words[x.y] = words[x.y] + 1);'],
    [
      'in a method',
      'const a = class { m() { return peek(this.a); } };',
      'const a = class { m() { return (words[this.a]); } };',
    ],
    ['in a closure', 'const a = () => peek(1);', 'const a = () => (words[(1)]);'],
  ])('%s', (_what, call, becomes) => {
    const functions = `function two(at) { poke(at, 1); poke(at + 1, 2); }
function raise(at) { words[at] = words[at] + 1; }
`;
    const text = inlined(`${functions}function f(x) { ${call} }`);
    expect(text).toContain(`function f(x) { ${becomes} }`);
  });

  test('through functions that call functions, from the inside out', () => {
    const chain = `function a(x) { return b(x, 2); }
function b(x, y) { return peek(c(x) + y); }
function c(x) { return x * 2; }
function f(x) { return a(x); }`;
    expect(inlined(chain)).toContain('function f(x) { return (words[((x * 2) + (2))]); }');
  });

  test('of an exported function, and inside one', () => {
    const text = 'export function a(x) { return x; }\nexport function f(x) { return a(x); }';
    expect(inlined(text)).toContain('function f(x) { return (x); }');
  });
});

/** Texts in which nothing may be inlined. */
function stays(cases: [what: string, text: string][]): void {
  test.each(cases)('%s', (_what, text) => {
    expect(inlined(text)).toBe(text);
  });
}

/** A function of `a` and `b`, and one of `x` that calls it. */
function pair(body: string, call: string, head = ''): string {
  return `${head}function g(a, b) { return ${body}; }\nfunction f(x) { ${call}; }`;
}

describe('what a call evaluates stays as often as it was', () => {
  stays([
    ['used twice', pair('a + a', 'return g(act(), 0)')],
    ['used once more later', pair('a - n - a', 'return g(act(), 0)')],
    ['not used', pair('b', 'return g(act(), 0)')],
    ['perhaps used, after &&', pair('b && a', 'return g(act(), 0)')],
    ['perhaps used, after ?', pair('b ? a : 1', 'return g(act(), 0)')],
    ['perhaps used, after ??=', pair('b.c ??= a', 'return g(act(), x)')],
    ['arithmetic used three times', pair('a + a + a', 'return g(x + 1, 0)')],
    ['an object used twice', pair('a === a', 'return g({}, 0)')],
    ['a pattern used twice', pair('a === a', 'return g(/x/, 0)')],
  ]);
});

describe('what a call evaluates stays in its order', () => {
  stays([
    ['calls the other way round', pair('b - a', 'return g(act(), act())')],
    ['a call after a call', pair('act() - a', 'return g(act(), 0)')],
    ['a call after arithmetic of a call', pair('act() + b - a', 'return g(act(), 0)')],
    ['a call after a variable', pair('n - a', 'return g(act(), 0)')],
    ['a call after a field', pair('box.value - a', 'return g(act(), 0)')],
    ['a call after an element', pair('words[0] - a', 'return g(act(), 0)')],
    ['a call after the place of a method', pair('box.value(a)', 'return g(act(), 0)')],
    ['a call after the old value', pair('words[b] += a', 'return g(act(), 0)')],
    ['a call after a field that is an argument', pair('b - a', 'return g(act(), x.y)')],
    ['a field before a call that is an argument', pair('b - a', 'return g(x.y, act())')],
    ['a field after a call', pair('act() - a', 'return g(x.y, 0)')],
    [
      'a field of a constant that is written',
      pair('act() - a', 'return g(LATE.a, 0)', 'const LATE = { a: 1 };\nLATE.a = 2;\n'),
    ],
    ['a field after an assignment', pair('(words[b] = 1) - a', 'return g(x.y, 0)')],
    ['an element after an assignment', pair('(words[b] = 1) - a', 'return g(words[x], 0)')],
    [
      'a field of what is not constant by its name',
      pair('act() - a', 'return g(late.a, 0)', 'const late = { a: 1 };\n'),
    ],
    [
      'a variable assigned in a pattern',
      pair('act() - a', 'return g(late, 0)', 'let late = 1;\nfunction h() { [late] = [2]; }\n'),
    ],
    ['a name of nobody', pair('act() - a', 'return g(elsewhere, 0)')],
    ['a variable after a call', pair('act() - a', 'return g(n, 0)')],
    ['arithmetic of a variable after a call', pair('act() - a', 'return g(n + 1, 0)')],
    [
      'a local that a closure assigns',
      pair('act() - a', 'const c = () => { x = 1; }; return g(x, c)'),
    ],
    ['a local that the next argument assigns', pair('b - a', 'return g(x, x = 2)')],
    ['a local that the next argument counts up', pair('b - a', 'return g(x, x++)')],
    ['an element read twice', pair('a - a', 'return g(words[x], 0)')],
  ]);

  test('a field after what may act in the branch before', () => {
    const text = pair('(b ? act() : 1) - a', 'return g(x.y, 0)');
    expect(inlined(text)).toBe(text);
    const reading = pair('(b ? n : 1) - a', 'return g(x.y, 0)');
    expect(inlined(reading)).toContain('return (((0) ? n : 1) - x.y);');
  });

  test('a field in the second of two statements', () => {
    const text = 'function g(a) { poke(0, 1); poke(1, a); }\nfunction f(x) { g(x.y); }';
    expect(inlined(text)).toContain('f(x) { g(x.y); }');
  });
});

describe('a name means the same', () => {
  stays([
    ['a parameter hides what the body means', 'function f(words) { return peek(1); }'],
    ['a variable does', 'function f() { const words = [1]; return peek(1); }'],
    ['a variable of a pattern does', 'function f(x) { const { words } = x; return peek(1); }'],
    ['a variable of a block does', 'function f() { { let words; } return peek(1); }'],
    ['a caught error does', 'function f() { try { act(); } catch (words) { act(peek(1)); } }'],
    ['a function does', 'function f() { function words() {} return peek(1); }'],
    ['a parameter hides the function', 'function f(peek) { return peek(1); }'],
    [
      'a local hides an object of the language',
      `function g(a) { return Math.abs(a); }
function f(Math) { return g(1); }`,
    ],
    [
      'a parameter of the body is no constant',
      pair('PLACE.a - b', 'return h(x, act())', 'function h(PLACE, b) { return PLACE.a - b; }\n'),
    ],
    [
      'the function is assigned',
      `function g(a) { return a; }
function f(x) { g = x; return g(1); }`,
    ],
  ]);

  test('a local of the same name elsewhere hinders nobody', () => {
    const other = 'function h() { let words = 1; words = 2; let peek = 3; peek = 4; }\n';
    expect(inlined(`${other}function f() { return peek(1); }`)).toContain('return (words[(1)]);');
  });

  test('a function of the module is always the same, unless it assigns itself', () => {
    const text = pair('act() - a', 'return g(h, 0)', 'function h() { if (n) act(); }\n');
    expect(inlined(text)).toContain('return (act() - h);');
    const assigned = text.replace('act();', 'h = n;');
    expect(inlined(assigned)).toBe(assigned);
  });

  test('a variable of another function is not the module’s', () => {
    const text = pair('act() - a', 'return g(x, 0)', 'function h() { let x = 1; x = 2; }\n');
    expect(inlined(text)).toContain('return (act() - x);');
  });
});

describe('a function that calls itself', () => {
  stays([
    ['stays a call', 'function g(a) { return g(a); }\nfunction f(x) { return g(x); }'],
    ['even inside arithmetic', 'function g(a) { return a ? g(a - 1) + g(a - 2) : 1; }'],
  ]);

  test.each([
    ['another', ['a', 'b']],
    ['two others', ['a', 'b', 'c']],
  ])('by way of %s is not unrolled, and all ends', (_what, ring) => {
    const lines = ring.map((name, i) => {
      const next = ring[(i + 1) % ring.length];
      return `function ${name}(x) { return ${next}(x) + ${next}(x); }\n`;
    });
    const text = `${lines.join('')}function f(x) { return a(x); }`;
    expect(inlined(text)).toContain('function f(x) { return a(x); }');
    expect(inlined(text).length).toBeLessThan(3 * text.length);
  });
});

describe('only functions whose body means the same elsewhere', () => {
  stays([
    ['this', pair('this', 'return g(1, 2)')],
    ['a closure', pair('() => a', 'return g(1, 2)')],
    ['a function expression', pair('function () {}', 'return g(1, 2)')],
    ['a class', pair('class {}', 'return g(1, 2)')],
    ['arguments', pair('arguments', 'return g(1, 2)')],
    ['new.target', pair('new.target', 'return g(1, 2)')],
    ['a tagged template', pair('act`x`', 'return g(1, 2)')],
    ['a parameter assigned', pair('a = 1', 'return g(x, 2)')],
    ['a parameter counted up', pair('a++', 'return g(x, 2)')],
    ['a parameter in a pattern', pair('[a] = [1]', 'return g(x, 2)')],
    ['a parameter called', pair('a(b)', 'return g(x.y, 2)')],
    ['spread in the body', pair('act(...a)', 'return g(x, 2)')],
    ['spread in a call of one argument', 'function f(x) { return peek(...x); }'],
    ['spread in the call', pair('b', 'return g(...x, 1)')],
    ['fewer arguments', pair('b', 'return g(1)')],
    ['more arguments', pair('b', 'return g(1, 2, 3)')],
    ['a default', 'function g(a = 1) { return a; }\nfunction f() { return g(1); }'],
    ['async', 'async function g(a) { return a; }\nfunction f() { return g(1); }'],
    ['a generator', 'function* g(a) { return a; }\nfunction f() { return g(1); }'],
    [
      'two statements with a value',
      'function g(a) { act(); return a; }\nfunction f() { return g(1); }',
    ],
    [
      'a function after the value',
      `function g(a) { return h(a); function h(b) { return b; } }
function f() { return g(1); }`,
    ],
    ['a statement that is none of ours', 'function g(a) { if (a) act(); }\nfunction f() { g(1); }'],
    ['an optional call', 'function f() { return peek?.(1); }'],
    ['a call of the module itself', 'act(peek(1));'],
  ]);
});

describe('the text around', () => {
  stays([
    ['a member would be called with its object', pair('box.value', 'return g(1, 2)(3)')],
    ['a member would be a tag', pair('box.value', 'return g(1, 2)`x`')],
    ['a member would be deleted', pair('box.value', 'return delete g(1, 2)')],
    ['a statement has no value', 'function f() { return poke(1, 2); }'],
    ['nor in arithmetic', 'function f() { return 1 + poke(1, 2); }'],
    ['nor in a closure', 'const f = () => poke(1, 2);'],
  ]);

  test.each<Case>([
    ['the body', pair('a + b', 'return 2 * g(1, x)'), 'return 2 * ((1) + x);'],
    ['an argument', pair('a * b', 'return g(x + 1, x)'), 'return ((x + 1) * x);'],
    ['a sequence', pair('a * b', 'return g((act(), 1), x)'), 'return ((act(), 1) * x);'],
    ['a sign', pair('-a', 'return g(-x, x)'), 'return (-(-x));'],
    ['a number', pair('a.b', 'return g(1, x)'), 'return ((1).b);'],
    ['an object', pair('{ a, b: b }', 'return g(x, 1)'), 'return ({ a: x, b: (1) });'],
    ['an optional member', pair('a?.b', 'return g(x, 1).c'), 'return (x?.b).c;'],
  ])('is kept apart by parentheses: %s', (_what, text, becomes) => {
    expect(inlined(text)).toContain(`function f(x) { ${becomes} }`);
  });
});

describe('size', () => {
  const long = (length: number): string => `x${' + x'.repeat(length)}`;
  test('a long body stays a function', () => {
    const text = (length: number): string =>
      `function g(x) { return ${long(length)}; }\nfunction f(x) { return g(x); }`;
    expect(inlined(text(10))).not.toContain('return g(x)');
    expect(inlined(text(100))).toContain('return g(x)');
  });

  test('bodies that double from one to the next stop growing', () => {
    const double = (i: number): string =>
      `function g${i}(x) { return g${i - 1}(x) + g${i - 1}(x); }`;
    const chain = Array.from({ length: 20 }, (_, i) => double(i + 1)).join('\n');
    const text = `function g0(x) { return x; }\n${chain}`;
    expect(inlined(text).length).toBeLessThan(10 * text.length);
  });
});

test('the built form has no call left of the smallest functions', () => {
  const built = readFileSync(join(packageRoot(), 'dist', 'free', 'entry.js'), 'utf8');
  for (const name of ['peek', 'read', 'load', 'hasHook'])
    expect(built.match(new RegExp(`(?<![.\\w])${name}\\(.*`, 'g')), name).toHaveLength(1);
});
