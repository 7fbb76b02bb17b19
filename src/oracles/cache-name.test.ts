/** What is said of the caches of a CPU, and of its flushes, when a record is complete. */
import { beforeEach, expect, test } from 'vitest';
import { numberFlush } from '#arch/interrupts';
import { mkPmd } from '#arch/pmd';
import { mkPte } from '#arch/pte';
import { pwcFill, tlbFill } from '#arch/tlb';
import { boundMap, ptdescAt } from '#arena/arena';
import { setQuietWatch } from '#arena/gate';
import { PTDESC } from '#arena/layout/ptdesc';
import { boundWords, peek } from '#arena/word';
import { TestMachine } from '#tasks/machine.suite';
import { cacheActOf, completesCacheAct } from './cache-name.ts';

let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine();
});

/** The clauses told while CPU 1 does `act`, each once its record is complete. */
function told(act: () => void): ReturnType<typeof cacheActOf>[] {
  const { block } = machine.cpu(1);
  const offsets: number[] = [];
  setQuietWatch({
    quiet: (at, _size, isWrite) => {
      if (isWrite && completesCacheAct(at - block)) offsets.push(at - block);
    },
  });
  act();
  setQuietWatch(null);
  return offsets.map((offset) => cacheActOf(boundWords(), boundMap(), block, offset));
}

test('a translation is told with its place, page and index', () => {
  const [act, ...more] = told(() => tlbFill(machine.cpu(1), 9, 5, mkPte(20, true, true)));
  expect(act).toMatchObject({ kind: 'remembers', table: -1, page: 20, index: 5 });
  expect(act!.text).toBe('remembers slot 9 entry 5: page 20 (write, dirty)');
  expect(more).toEqual([]);
});

test('an upper entry is told with its table', () => {
  const state = peek(ptdescAt(5) + PTDESC.state);
  const [act] = told(() => pwcFill(machine.cpu(1), 9, mkPmd(5, state)));
  expect(act).toMatchObject({ kind: 'remembers', text: 'remembers slot 9: table 5', table: 5 });
});

test.each([
  [[8, 0, 9, 0, true], 'slot 8 (tables too)'],
  [[8, 0, 8, 8, false], 'slot 8 (pages only)'],
  [[8, 3, 8, 4, false], 'entries in slot 8 (pages only)'],
  [[8, 3, 10, 1, true], 'entries in slots 8 to 10 (tables too)'],
  [[0, 0, 512, 0, true], 'everything (tables too)'],
] as const)('a flush of %j covers %s', ([slot, index, endSlot, endIndex, freed], text) => {
  const flush = (): void => numberFlush(machine.cpu(1), slot, index, endSlot, endIndex, freed);
  expect(told(flush)).toMatchObject([{ kind: 'flush-range', text }]);
});
