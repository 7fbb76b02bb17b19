/** A translation that has missed its flush is found, and one whose flush is to come is not. */
import { beforeEach, expect, test } from 'vitest';
import { mkPte, PTE_NONE } from '#arch/pte';
import { tlbFill } from '#arch/tlb';
import { bodyAt, ptdescAt } from '#arena/arena';
import { MM } from '#arena/layout/mm';
import { PTDESC } from '#arena/layout/ptdesc';
import { bump, peek, poke } from '#arena/word';
import { TestMachine } from '#tasks/machine.suite';
import { checkRemembered } from './check-remembered.ts';

let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine();
  machine.mmap(0, 64, 80);
  machine.load(0, 65);
  machine.load(1, 65);
});

const check = (): string[] => {
  checkRemembered(machine.cpu(1), machine.mm);
  return machine.facts();
};

/** Sets the entry of page 65 without a flush. */
function replace(value: number): void {
  const table = machine.tree().ptes.get(8)!;
  poke(bodyAt(peek(ptdescAt(table) + PTDESC.body)) + 1, value);
}

test('what the entry says, and pages where there is no table, are well remembered', () => {
  tlbFill(machine.cpu(1), 300, 2, mkPte(20, true, true));
  expect(check()).toEqual([]);
});

test('a page that took the place of the zero page without a flush is found', () => {
  replace(mkPte(20, true, true));
  expect(check()).toEqual(['staleRemembered']);
  expect(machine.factWords(1)).toEqual([8, 1, 1, mkPte(20, true, true), 0]);
});

test('a page that took its place with a flush is not', () => {
  machine.store(0, 65, 5);
  expect(check()).toEqual([]);
  expect(machine.load(1, 65)).toBe(5);
});

test('an entry that is none may be between its clearing and its flush', () => {
  replace(PTE_NONE);
  expect(check()).toEqual([]);
});

test.each(['tlbFlushPending', 'tlbBatched'] as const)('a flush may be to come: %s', (word) => {
  replace(mkPte(20, true, true));
  bump(machine.mm.at + MM[word], 1);
  expect(check()).toEqual([]);
  bump(machine.mm.at + MM[word], -1);
  expect(check()).toEqual(['staleRemembered']);
});
