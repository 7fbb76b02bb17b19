/** The counts of entries that protocols go by, against the entries that are there. */
import { beforeEach, expect, test } from 'vitest';
import { COUNTS_ZEROS_SHIFT } from '#arena/layout/protocol-words';
import { balanced, type Fixture } from './fixture.suite.ts';

let fixture: Fixture;

/** Slot 8 has two pages, slot 9 one and the zero page. */
beforeEach(() => {
  fixture = balanced({ tableWords: 1 });
  fixture.countsEntries = true;
  for (const [slot, mapped, zeros] of [
    [8, 2, 0],
    [9, 2, 1],
    [17, 1, 0],
  ] as const)
    setCounts(slot, mapped, zeros);
});

function setCounts(slot: number, mapped: number, zeros: number): void {
  const at = fixture.map.tableWords + fixture.pteTable(slot);
  fixture.words[at] = mapped | (zeros << COUNTS_ZEROS_SHIFT);
}

test('counts that are right are clean, and so are those that nobody keeps', () => {
  expect(fixture.judge()).toEqual([]);
  setCounts(9, 1, 1);
  fixture.countsEntries = false;
  expect(fixture.judge()).toEqual([]);
});

test.each([
  ['an entry too many', [3, 1], 'reference-leak'],
  ['an entry too few', [1, 1], 'reference-underflow'],
  ['a zero page too few', [2, 0], 'reference-leak'],
  ['a zero page too many', [2, 2], 'reference-underflow'],
] as const)('%s', (_, [mapped, zeros], kind) => {
  setCounts(9, mapped, zeros);
  const [verdict, ...others] = fixture.verdicts();
  expect(others).toEqual([]);
  expect(verdict).toMatchObject({ kind, cpus: [1] });
  expect(verdict!.message).toMatch(
    `at slot 9 counts ${mapped} entries, ${zeros} of them of the zero page, and has 2 and 1; ` +
      'last filled by cpu1 (madvise, operation 17 modulo 256)',
  );
});
