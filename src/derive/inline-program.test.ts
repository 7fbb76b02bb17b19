/** Inlining changes no program: random small ones log the same, inlined or not. */
import { fc, test } from '@fast-check/vitest';
import { afterAll, describe, expect } from 'vitest';
import { inlineCalls } from './inline.ts';

const FUNCTIONS = 5;
/** What the programs share, and functions too long to inline that act and can be seen to act. */
const HEAD = `const words = [1, 2, 3, 4];
const K = { a: 1, b: 2 };
const box = { v: 1 };
let n = 1;
const log = [];
function say(v) { log.push(v); return v; }
function act(v) { n = n + v | 0; box.v = box.v + n | 0; words[v & 3] = n; return n; }
`;
const TAIL = `say(main(1)); say(main(2));
return JSON.stringify([log, words, box, n]);`;

/** Expressions of these leaves that may call functions of a lower number than `below`. */
function expressions(leaves: readonly string[], below: number): fc.Arbitrary<string> {
  const leaf = fc.constantFrom(...leaves, leaves[0]!, leaves[1] ?? '3', '1', '2');
  const called = fc.constantFrom(
    'say',
    'act',
    ...Array.from({ length: below }, (_, i) => `f${i}`),
    ...Array.from({ length: below }, (_, i) => `f${i}`),
  );
  return fc.letrec<{ any: string }>((tie) => {
    const any = tie('any');
    const binary = fc.constantFrom('+', '-', '*', '&', '^', '<', '===');
    return {
      any: fc.oneof(
        { maxDepth: 3, depthSize: 'small' },
        { arbitrary: leaf, weight: 4 },
        { arbitrary: any.map((at) => `words[${at} & 3]`), weight: 1 },
        {
          arbitrary: fc.tuple(any, binary, any).map(([a, op, b]) => `((${a}) ${op} (${b}) | 0)`),
          weight: 3,
        },
        { arbitrary: any.map((a) => `-(${a})`), weight: 1 },
        {
          arbitrary: fc.tuple(any, any, any).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
          weight: 1,
        },
        {
          arbitrary: fc
            .tuple(any, fc.constantFrom('&&', '||'), any)
            .map((all) => `(${all.join(' ')})`),
          weight: 1,
        },
        { arbitrary: assignments(any).map((text) => `(${text})`), weight: 1 },
        {
          arbitrary: fc.tuple(called, any, any).map(([name, a, b]) => callOf(name, a, b)),
          weight: 5,
        },
      ),
    };
  }).any;
}

function assignments(any: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom('n', 'box.v', 'words[AT & 3]'), fc.constantFrom('=', '+='), any, any)
    .map(([place, op, at, value]) => `${place.replace('AT', at)} ${op} ${value}`);
}

/** `say` and `act` have one parameter, all others two. */
function callOf(name: string, a: string, b: string): string {
  return /^f/.test(name) ? `${name}(${a}, ${b})` : `${name}(${a})`;
}

/** These names, and what of the module they do not hide. */
function leavesBeside(names: readonly string[]): string[] {
  const shared = ['n', 'K.a', 'K.b', 'box.v'];
  return [...names, ...shared.filter((text) => !names.includes(text.split('.')[0]!))];
}

/** Function number `i`: a value, a statement or two. */
function functionOf(i: number): fc.Arbitrary<string> {
  const parameters = fc.constantFrom(['a', 'b'], ['a', 'b'], ['b', 'n'], ['K', 'a']);
  return parameters.chain((names) => {
    const any = expressions(leavesBeside(names), i);
    const statement = fc.oneof(
      assignments(any),
      any.map((value) => `say(${value})`),
    );
    const body = fc.oneof(
      any.map((value) => `return ${value};`),
      fc.constant(`return ${names[1]} - ${names[0]} | 0;`),
      statement.map((text) => `${text};`),
      fc.tuple(statement, statement).map(([one, two]) => `${one}; ${two};`),
    );
    return body.map((text) => `function f${i}(${names.join(', ')}) { ${text} }\n`);
  });
}

/** A function with a local, perhaps of a name that the functions know as the module's. */
const main = fc.constantFrom('y', 'y', 'y', 'n', 'words').chain((local) => {
  const names = local === 'words' ? ['x'] : ['x', local];
  const any = expressions([...leavesBeside(names), '(x++)'], FUNCTIONS);
  const statement = fc.oneof(
    fc.tuple(fc.nat(FUNCTIONS - 1), any, any).map(([i, a, b]) => `f${i}(${a}, ${b});`),
    any.map((value) => `x = ${value};`),
    any.map((value) => `say(${value});`),
    fc.tuple(any, any, any).map(([test, a, b]) => `if (${test}) f0(${a}, ${b});`),
    any.map((value) => `{ const later = () => { x = ${value}; }; later(); }`),
  );
  const head = local === 'words' ? 'const words = [5, 6, 7, 8];' : `let ${local} = 3;`;
  return fc
    .tuple(fc.array(statement, { minLength: 1, maxLength: 4 }), any)
    .map(
      ([lines, value]) => `function main(x) { ${head}\n${lines.join('\n')}\nreturn ${value}; }\n`,
    );
});

const program = fc
  .tuple(fc.tuple(...Array.from({ length: FUNCTIONS }, (_, i) => functionOf(i))), main)
  .map(([functions, last]) => HEAD + functions.join('') + last);

/** What a program logs and leaves. */
function outcome(text: string): string {
  return new Function(`'use strict';\n${text}\n${TAIL}`)();
}

describe('a program', () => {
  let programs = 0;
  let changed = 0;
  test.prop([program], { numRuns: 1000 })('does inlined what it did before', (text) => {
    const inlined = inlineCalls(text);
    programs++;
    if (inlined !== text) changed++;
    expect(outcome(inlined)).toBe(outcome(text));
  });

  afterAll(() => {
    expect(changed).toBeGreaterThan(programs / 2);
  });
});
