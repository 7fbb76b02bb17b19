/** Call sites of locks: who is one, who is seen through, and what forms without them are left. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { collectFacts } from './facts.ts';
import { freeForm } from './free-form.ts';
import { TAKERS } from './lock-sites.ts';
import { DerivationError, type Modules, parseModules } from './modules.ts';
import { deriveForms } from './rewrite.ts';
import { packageRoot, readLockSites, readModules } from './tree.ts';

const LOCK_STAT = `export function lockStatAcquired(cpu, lockp, site = 0) { return site; }
`;
const SPINLOCK = `import { lockStatAcquired } from './lock-stat.js';
export function spinLock(cpu, lockp) {
    lockStatAcquired(cpu, lockp);
    return 1;
}
`;
const MM = `import { spinLock } from '#sync/spinlock';
export function pmdLock(cpu, pmdp) { return spinLock(cpu, pmdp); }
export function zap(cpu) { pmdLock(cpu, 1); spinLock(cpu, 2); }
export class Scanner {
    scan(cpu) {
        return pmdLock(cpu, pmdLock(cpu, 3));
    }
}
`;

function modules(mm = MM): Modules {
  return new Map([
    ['mm/a.js', mm],
    ['sync/lock-stat.js', LOCK_STAT],
    ['sync/spinlock.js', SPINLOCK],
  ]);
}

describe('in the form that keeps statistics', () => {
  const { counted, lockSites } = deriveForms(modules());
  const text = counted.get('mm/a.js')!;

  test('a function that takes a lock for its caller passes on who that is', () => {
    expect(text).toContain(
      'function pmdLock(cpu, pmdp, site) { return spinLock(cpu, pmdp, site); }',
    );
    expect(counted.get('sync/spinlock.js')).toContain(
      'function spinLock(cpu, lockp, site) {\n    lockStatAcquired(cpu, lockp, site);',
    );
  });

  test('what has the parameter keeps it', () => {
    expect(counted.get('sync/lock-stat.js')).toBe(LOCK_STAT);
  });

  test('every other call is a site with a number, which the table names', () => {
    const called = (site: number): string => lockSites[site - 1]!.function;
    const found = [...text.matchAll(/(\w+)\(cpu, [^()]*, (\d+)\)/g)];
    expect(found.map(([, name, site]) => `${name} by ${called(Number(site))}`)).toEqual([
      'pmdLock by zap',
      'spinLock by zap',
      'pmdLock by Scanner.scan',
    ]);
    expect(lockSites.map(({ path, line }) => `${path}:${line}`)).toEqual([
      'mm/a.js:3',
      'mm/a.js:3',
      'mm/a.js:6',
      'mm/a.js:6',
    ]);
  });

  test('calls in calls have numbers of their own', () => {
    expect(text).toMatch(/pmdLock\(cpu, pmdLock\(cpu, 3, [34]\), [34]\)/);
  });
});

describe('in the others', () => {
  const { plain, stepped } = deriveForms(modules());

  test.each([
    ['plain', plain],
    ['stepped', stepped],
  ])('the %s form, nothing is recorded, numbered or moved', (_, form) => {
    const all = [...form.values()].join('\n');
    expect(all).not.toMatch(/\bsite\)/);
    expect(form.get('sync/spinlock.js')).toContain(
      'function spinLock(cpu, lockp) {\n    \n    return',
    );
    expect(form.get('mm/a.js')).toBe(MM.replace('#sync/spinlock', '../sync/spinlock.js'));
  });

  test('a statement of several lines leaves its lines', () => {
    const long = SPINLOCK.replace('(cpu, lockp);', '(\n        cpu, lockp);');
    const derived = deriveForms(new Map(modules()).set('sync/spinlock.js', long));
    expect(derived.plain.get('sync/spinlock.js')!.split('\n').length).toBe(long.split('\n').length);
  });
});

describe('what cannot be rewritten is refused:', () => {
  const cases: [name: string, mm: string, message: RegExp][] = [
    [
      'a second function of a name',
      `${MM}class Other { pmdLock(cpu) { return 0; } }`,
      /mm\/a.js:9: "pmdLock" takes locks; no other function/,
    ],
    [
      'a variable with the name of the parameter',
      'export function pmdLock(cpu) { const site = 1; return site; }',
      /mm\/a.js:1: .* in it "site" is the call site/,
    ],
    [
      'a record that is part of something',
      `import { lockStatAcquired } from '#sync/lock-stat';
       export function zap(cpu) { if (cpu) lockStatAcquired(cpu, 1); }`,
      /mm\/a.js:2: "lockStatAcquired" is a statement of its own, in a block/,
    ],
  ];
  test.each(cases)('%s', (_, mm, message) => {
    const derive = (): unknown => deriveForms(modules(mm));
    expect(derive).toThrow(DerivationError);
    expect(derive).toThrow(message);
  });
});

describe('of the living source', () => {
  const root = packageRoot();
  const dist = (path: string): string => readFileSync(join(root, 'dist', path), 'utf8');
  const sites = readLockSites(new URL(`file://${join(root, 'dist/lock-stat/free/entry.js')}`).href);

  test('every function that is seen through is there', () => {
    const all = [...readModules(root).values()].join('\n');
    for (const name of TAKERS) expect(all).toMatch(new RegExp(`function ${name}\\(cpu,`));
  });

  test('the place of every site is a line that takes a lock, in the function it names', () => {
    expect(sites.length).toBeGreaterThan(60);
    const takes = new RegExp(`\\b(${[...TAKERS].join('|')})\\(`);
    for (const { function: name, path, line } of sites) {
      const lines = readFileSync(join(root, 'src', path), 'utf8').split('\n');
      expect(lines[line - 1], `${path}:${line}`).toMatch(takes);
      const own = new RegExp(`\\b${name.split('.').at(-1)}\\(`);
      const above = lines.slice(0, line).findLastIndex((each) => own.test(each));
      expect(above, `${name} ${path}:${line}`).toBeGreaterThanOrEqual(0);
    }
    const named = sites.map((site) => site.function);
    for (const name of ['doAnonymousPage', 'zapPteRange', 'TableRwsem.walkBegin'])
      expect(named).toContain(name);
    for (const name of named) expect(TAKERS.has(name), name).toBe(false);
  });

  test('each number stands at one call, and no call is without', () => {
    const { counted, lockSites } = deriveForms(readModules(root));
    const calls = parseModules(new Map([...counted].filter(([path]) => path.endsWith('.js'))))
      .flatMap((module) => collectFacts(module).calls)
      .filter(({ name }) => name !== null && TAKERS.has(name));
    const last = calls.map(({ node }) => node.arguments.at(-1)!);
    const numbers = last.flatMap((node) => (node.type === 'Literal' ? [Number(node.value)] : []));
    expect(numbers.sort((a, b) => a - b)).toEqual(lockSites.map((_, i) => i + 1));
    const passed = last.filter((node) => node.type === 'Identifier' && node.name === 'site');
    expect(passed.length).toBe(calls.length - numbers.length);
  });

  test('the free-running form has nothing of the statistics; theirs has it all', () => {
    const records = /^\s*lockStat\w+\(/gm;
    expect(dist('free/entry.js').match(records)).toBeNull();
    expect(dist('lock-stat/free/entry.js').match(records)!.length).toBeGreaterThan(15);
    for (const path of ['sync/spinlock.js', 'sync/rwsem.js', 'sync/vma-lock.js', 'sync/held.js'])
      expect(dist(`stepped/${path}`).match(records), path).toBeNull();
  });

  test('both free-running forms parse, and export the same', async () => {
    const exports = (text: string): string => /export \{[^}]*\}/.exec(text)![0];
    const { plain, counted } = deriveForms(readModules(root));
    const [off, on] = [await freeForm(plain), await freeForm(counted)];
    expect(exports(off)).toBe(exports(on));
    parseModules(
      new Map([
        ['off.js', off],
        ['on.js', on],
      ]),
    );
  });
});
