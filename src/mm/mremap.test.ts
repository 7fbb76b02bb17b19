/** Facts about the upper tables that a move leaves, which are those that Linux leaves. */
import { expect, test } from 'vitest';
import { MM } from '#arena/layout/mm';
import { peek } from '#arena/word';
import { TestMachine } from '#tasks/machine.suite';
import { mremap } from './mremap.ts';

/** PTE tables, PMD tables, and those above. */
function tablesOf({ mm }: TestMachine): number[] {
  return [MM.nrPtes, MM.nrPmds, MM.nrPuds].map((word) => peek(mm.at + word));
}

/** Pages that a PMD table maps, and a table above it. */
const PMD_TABLE = 64;
const PUD_TABLE = 512;

test.each([
  [PMD_TABLE, 1],
  [PMD_TABLE - 8, 0],
])('a PMD table with nothing in it goes along only where all goes: %d pages', (pages, stays) => {
  const machine = new TestMachine({ protocol: 'pt-reclaim' });
  machine.mmap(0, PMD_TABLE, PMD_TABLE + pages);
  machine.store(0, PMD_TABLE, 1);
  machine.dontneed(0, PMD_TABLE, PMD_TABLE + 8);
  expect(tablesOf(machine)).toEqual([0, 1, 1]);
  expect(mremap(machine.cpu(0), machine.mm, PMD_TABLE, pages, 3 * PMD_TABLE, pages)).toBe(true);
  expect(tablesOf(machine)).toEqual([0, stays, 1]);
  machine.exit();
  expect(tablesOf(machine)).toEqual([0, 0, 0]);
});

test('where nothing moves there is an upper table, if there was one before', () => {
  const machine = new TestMachine();
  machine.mmap(0, PMD_TABLE, PMD_TABLE + 16);
  machine.store(0, PMD_TABLE, 1);
  expect(mremap(machine.cpu(0), machine.mm, PMD_TABLE + 8, 8, PUD_TABLE, 8)).toBe(true);
  expect(tablesOf(machine)).toEqual([1, 1, 2]);
});
