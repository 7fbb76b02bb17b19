import { describe, expect, test } from 'vitest';
import { applyEdit } from './apply-edit.ts';
import { drawMutations, findMutations, MUTATION_KINDS, type Mutation } from './mutations.ts';
import { packageRoot, readModules } from './tree.ts';

/** The mutations of a module of one function with this body. */
function mutationsOf(body: string, path = 'mm/a.js'): Mutation[] {
  return findMutations(new Map([[path, moduleOf(body)]]));
}

function moduleOf(body: string): string {
  return `import { freeTable } from './b.js';\nexport function f(cpu) {\n${body}\n}\n`;
}

/** What becomes of what, by kind. */
function changesOf(body: string): string[] {
  return mutationsOf(body).map(({ kind, before, after }) => `${kind}: ${before} -> ${after}`);
}

describe('sites', () => {
  test('calls that lock, unlock, flush, count or set can go', () => {
    const calls = [
      'spinLock(cpu, 1);',
      'pteUnmap(cpu);',
      'flushTlbRange(cpu);',
      'noteSet(cpu, 1);',
    ];
    expect(changesOf(calls.join('\n'))).toEqual([
      'lock: spinLock(cpu, 1); -> ;',
      'unlock: pteUnmap(cpu); -> ;',
      'flush: flushTlbRange(cpu); -> ;',
      'count: noteSet(cpu, 1); -> ;',
    ]);
    expect(changesOf('store(cpu, at, 1);')).toEqual(['setter: store(cpu, at, 1); -> ;']);
  });

  test('of counters only that of resident pages is one', () => {
    expect(changesOf('count(cpu, COUNTER.faults, 1);\ncount(cpu, COUNTER.rss, 1);')).toEqual([
      'count: count(cpu, COUNTER.rss, 1); -> ;',
    ]);
  });

  test('what is deferred can be done at once where the module has the means', () => {
    expect(changesOf('callRcu(cpu, RCU_KIND.freeTable, table);')).toEqual([
      'rcu: callRcu(cpu, RCU_KIND.freeTable, table); -> ;',
      'rcu: callRcu(cpu, RCU_KIND.freeTable, table); -> freeTable(cpu, table);',
    ]);
    expect(changesOf('callRcu(cpu, RCU_KIND.freeBody, body);')).toHaveLength(1);
  });

  test('a recheck finds always, or never, or the opposite', () => {
    const look = 'pteSame(read(cpu, at), orig)';
    expect(changesOf(`if (!${look})\nreturn 1;`)).toEqual([
      `recheck: if (!${look}) -> if ((!${look}, true))`,
      `recheck: if (!${look}) -> if ((!${look}, false))`,
      `recheck: if (!${look}) -> if (!(!${look}))`,
    ]);
    expect(changesOf(`const same = was && ${look};`)).toHaveLength(3);
    expect(changesOf('return compareExchange(cpu, at, 0, 1) === 0;')).toHaveLength(3);
    expect(changesOf('const found = compareExchange(cpu, at, 0, 1);')).toEqual([]);
  });

  test('any other condition can be negated, unless it decides on statistics alone', () => {
    expect(changesOf('if (x)\nreturn;')).toEqual(['condition: if (x) -> if (!(x))']);
    expect(changesOf('if (x)\ncountRace(cpu, 1);\nelse if (y) {\npanic(cpu);\n}')).toEqual([]);
    expect(changesOf('if (x)\ncountRace(cpu, 1);\nelse\ny();')).toHaveLength(1);
  });

  test('other rooms and what judges have none', () => {
    expect(mutationsOf('spinLock(cpu, 1);', 'arch/a.js')).toEqual([]);
    expect(mutationsOf('spinLock(cpu, 1);', 'sync/held.js')).toEqual([]);
    const checks = new Map([['mm/a.js', 'function checkFrame(cpu) {\nspinLock(cpu, 1);\n}\n']]);
    expect(findMutations(checks)).toEqual([]);
  });
});

describe('an id', () => {
  const [first, second] = mutationsOf('spinUnlock(cpu, 1);\nspinUnlock(cpu, 1);');

  test('names module, function and kind, and tells repetitions apart', () => {
    expect(first!.id).toMatch(/^mm\/a\/f\/unlock-[0-9a-f]{6}$/);
    expect(second!.id).toBe(`${first!.id}.2`);
  });

  test('stays when the statement moves, and changes when its text does', () => {
    expect(mutationsOf('g();\n\nspinUnlock(cpu, 1);')[0]!.id).toBe(first!.id);
    expect(mutationsOf('spinUnlock(cpu, 2);')[0]!.id).not.toBe(first!.id);
  });

  test('is unique in the living source, where every kind has sites', () => {
    const all = findMutations(readModules(packageRoot()));
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    for (const kind of MUTATION_KINDS)
      expect(all.filter((each) => each.kind === kind).length).toBeGreaterThan(20);
  });
});

test('a mutation changes its own occurrence of the text, and no line moves', () => {
  const body = 'spinUnlock(\n  cpu,\n  1);\nspinUnlock(\n  cpu,\n  1);\nreturn 0;';
  const [, second] = mutationsOf(body);
  const { id, path, before, after, occurrence } = second!;
  const text = { path, text: before, occurrence };
  const edited = applyEdit(new Map([[path, moduleOf(body)]]), { name: id, becomes: after, text });
  expect(edited.line).toBe(6);
  expect(edited.modules.get(path)).toBe(moduleOf('spinUnlock(\n  cpu,\n  1);\n;\n\n\nreturn 0;'));
});

test('a mutation whose text has gone is an error', () => {
  const edit = { name: 'm', becomes: ';', text: { path: 'mm/a.js', text: 'g();', occurrence: 1 } };
  expect(() => applyEdit(new Map([['mm/a.js', 'g();']]), edit)).toThrow('mm/a.js has no such text');
});

test('a draw takes as many of each kind as there are, each once', () => {
  const all = findMutations(readModules(packageRoot()));
  const lowest = { below: () => 0 };
  const drawn = drawMutations(all, lowest, 40);
  expect(new Set(drawn.map(({ id }) => id)).size).toBe(40);
  for (const kind of MUTATION_KINDS)
    expect(drawn.filter((each) => each.kind === kind)).toHaveLength(5);
  expect(drawMutations(all.slice(0, 3), lowest, 40)).toHaveLength(3);
});
