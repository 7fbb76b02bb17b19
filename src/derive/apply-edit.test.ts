import { describe, expect, test } from 'vitest';
import { applyEdit, findLabel } from './apply-edit.ts';
import { deriveVariant } from './variants.ts';

const MODULES = new Map([
  ['arena/gate.js', 'export function passGate(cpu) { return false; }\n'],
  [
    'mm/a.js',
    `import { passGate } from '#arena/gate';
export function f(cpu, x) {
    if (x > 1) { // @check @outer
        x = x + 1; // @bump
    }
    if (x)
        return x; // @early
    passGate(cpu);
    const text = 'a // @bump';
    return 0; // @twice
}
`,
  ],
  ['mm/b.js', 'export const b = 1; // @twice\nexport const c = 2; // @bump-more\n'],
]);

function becomes(label: string, text: string): string[] {
  const { modules, path, line } = applyEdit(MODULES, { name: 'e', label, becomes: text });
  const before = MODULES.get(path)!.split('\n');
  const after = modules.get(path)!.split('\n');
  expect(after.length).toBe(before.length);
  expect(after.filter((_, i) => i !== line - 1)).toEqual(before.filter((_, i) => i !== line - 1));
  return [after[line - 1]!];
}

describe('an edit', () => {
  test('replaces the labelled line, at its indentation', () => {
    expect(becomes('bump', 'x = 7;')).toEqual(['        x = 7;']);
  });

  test('finds each of several labels of a line', () => {
    expect(becomes('check', 'if (true) {')).toEqual(['    if (true) {']);
    expect(becomes('outer', 'if (false) {')).toEqual(['    if (false) {']);
  });

  test('may use what the line was', () => {
    expect(becomes('bump', 'if (x) { $& $& }')).toEqual([
      '        if (x) { x = x + 1; x = x + 1; }',
    ]);
  });

  test('deletes a statement without letting its condition catch the next one', () => {
    expect(becomes('early', '')).toEqual(['        ;']);
  });

  test('leaves the original modules alone', () => {
    const before = MODULES.get('mm/a.js');
    becomes('bump', 'x = 7;');
    expect(MODULES.get('mm/a.js')).toBe(before);
  });
});

describe('an error', () => {
  const edit = (label: string, text: string) => () =>
    deriveVariant(MODULES, { name: 'my-edit', label, becomes: text });

  test('of a label that nothing carries', () => {
    expect(edit('missing', '')).toThrow(
      'edit "my-edit": label @missing must match exactly one line, found 0',
    );
  });

  test('of a label that two lines carry', () => {
    expect(edit('twice', '')).toThrow(/exactly one line, found 2: mm\/a.js:10, mm\/b.js:1/);
  });

  test('of a line that does not parse', () => {
    expect(edit('check', 'if (x {')).toThrow(
      /edit "my-edit" at mm\/a.js:3 \(@check\) becomes `if \(x \{`:\nmm\/a.js:3: Unexpected/,
    );
  });

  test('of a line that breaks the discipline', () => {
    expect(edit('bump', '[1].map((y) => passGate(cpu));')).toThrow(
      /edit "my-edit" at mm\/a.js:4 [^\n]*\nmm\/a.js:4: passGate/,
    );
  });
});

test('a label is the whole word in a comment at the end of the line', () => {
  expect(findLabel(MODULES, 'bump')).toEqual([{ path: 'mm/a.js', line: 4 }]);
});
