/** A soak leaves no machine out, and its totals are the sums of its slices. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sampleRun } from '#result/sample.suite';
import { addSlice, cellOf, commandOf, matrixOf, noTotals, parseTotals } from './soak-totals.ts';

const PROTOCOLS = ['none', 'async-scanner', 'pt-reclaim'];
const CELL = cellOf(0, PROTOCOLS);

test('as many slices as there are machines visit each machine once, wherever they begin', () => {
  const cells = matrixOf(PROTOCOLS);
  expect(cells.length).toBe(48);
  fc.assert(
    fc.property(fc.nat(1_000_000), (first) => {
      const seen = cells.map((_, i) => JSON.stringify(cellOf(first + i, PROTOCOLS)));
      return new Set(seen).size === cells.length;
    }),
  );
});

test('a slice is repeated by one command', () => {
  const cell = { protocol: 'none', cpus: 8, splitLocks: false, rcu: 'announced', noise: 20 };
  expect(commandOf({ ...cell, rcu: 'announced' }, 7, 5000)).toBe(
    'pttorture run churn --protocol none --cpus 8 --duration 5s --seed 7 --rcu announced ' +
      '--noise 20 --no-split-locks',
  );
});

test('totals are the sums of the slices, in all and by protocol and locks', () => {
  const totals = noTotals();
  const races = [{ kind: 'tableLost', noticedBy: 'fault', causedBy: 'fault', count: 3 }];
  const run = sampleRun({ races, violations: [] });
  addSlice(totals, CELL, 'a', run);
  addSlice(totals, CELL, 'b', run);
  addSlice(totals, { ...CELL, protocol: 'pt-reclaim' }, 'c', run);
  expect(totals.total).toMatchObject({ slices: 3, races: { tableLost: 9 }, exits: { pass: 3 } });
  expect(totals.byKind['none, split']).toMatchObject({ slices: 2, races: { tableLost: 6 } });
  expect(totals.total.faults).toBe(3 * run.pages.faulted);
  expect(totals.failures).toEqual([]);
});

test('a failure is kept with its command; an interruption is none', () => {
  const totals = noTotals();
  const violations = [{ kind: 'lost-data', message: 'page 3', cpus: [0], replay: null }];
  addSlice(totals, CELL, 'the command', sampleRun({ exit: 'violation', violations, note: null }));
  addSlice(totals, CELL, 'another', sampleRun({ exit: 'interrupted', violations: [] }));
  addSlice(totals, CELL, 'a third', new Error('a thread died'));
  expect(totals.total.violations).toEqual({ 'lost-data': 1 });
  expect(totals.total.exits).toEqual({ violation: 1, interrupted: 1, failed: 1 });
  expect(totals.failures.map(({ command, exit }) => [command, exit])).toEqual([
    ['the command', 'violation'],
    ['a third', 'failed'],
  ]);
  expect(totals.failures[0].messages).toEqual(['lost-data: page 3']);
});

test('totals survive the file, and another file is refused', () => {
  const totals = noTotals();
  addSlice(totals, CELL, 'a', sampleRun());
  expect(parseTotals('soak.json', JSON.stringify(totals))).toEqual(totals);
  for (const text of ['', '{}', '[1]', '{"soak":2}'])
    expect(() => parseTotals('x.json', text)).toThrow('x.json does not hold totals of a soak');
});
