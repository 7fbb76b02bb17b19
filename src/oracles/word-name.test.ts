import { describe, expect, test } from 'vitest';
import { mkPmd } from '#arch/pmd';
import { MARKER, mkNonPresent, mkPte, PTE_KIND } from '#arch/pte';
import { CONTROL } from '#arena/layout/control';
import { MM, VMA } from '#arena/layout/mm';
import { PAGE, PAGE_DESC_SHIFT } from '#arena/layout/page';
import { PERCPU } from '#arena/layout/percpu';
import { REF } from '#arena/layout/percpu-ref';
import { FRAME, frameState, PTDESC, PTDESC_SHIFT } from '#arena/layout/ptdesc';
import { arenaMap } from '#arena/map';
import { blockOf } from './evidence.ts';
import { nameWord, pmdText, pteText } from './word-name.ts';

const map = arenaMap({
  ...{ cpus: 2, ptrsShift: 2, levels: 3, tables: 16, bodies: 16, pages: 16, vmas: 4 },
  ...{ gatherPages: 2, batch: 1, backing: 'fixed', tableWords: 1 },
});

/** Table 2 is the pmd table, table 7 a PTE table in its second life; bodies as numbered. */
function arena(more: readonly number[] = []): Int32Array<SharedArrayBuffer> {
  const words = new Int32Array(new SharedArrayBuffer(4 * map.sizeWords));
  const set = (table: number, level: number, generation: number): void => {
    words[descriptor(table) + PTDESC.state] = frameState(FRAME.table, level, generation);
    words[map.owners + table] = table;
  };
  set(1, 2, 1);
  set(2, 1, 1);
  set(7, 0, 2);
  for (const table of more) set(table, 1, 1);
  return words;
}

function descriptor(table: number): number {
  return map.ptdescs + (table << PTDESC_SHIFT);
}

function entry(table: number, index: number): number {
  return map.bodies + (table << map.geometry.ptrsShift) + index;
}

describe('names of words', () => {
  const named: readonly (readonly [string, string, number])[] = [
    ['pmd[3]', 'pmd', entry(2, 3)],
    ['pgd[0]', 'pmd', entry(1, 0)],
    ['pte[2] of table 7 (gen 2)', 'pte', entry(7, 2)],
    ['entry 1 of body 9', 'pte', entry(9, 1)],
    ['ptl of table 7 (gen 2)', 'lock', descriptor(7) + PTDESC.ptl],
    ['pml of table 2', 'lock', descriptor(2) + PTDESC.ptl],
    ['state of table 7 (gen 2)', 'other', descriptor(7) + PTDESC.state],
    ['count of table 7 (gen 2)', 'count', map.tableWords + 7],
    ['state of page 12', 'page', map.pages + (12 << PAGE_DESC_SHIFT) + PAGE.state],
    ['content of page 12', 'page', map.pages + (12 << PAGE_DESC_SHIFT) + PAGE.content],
    ['mmap lock', 'lock', map.mm + MM.mmapLock],
    ['page-table lock', 'lock', map.mm + MM.pageTableLock],
    ['zone lock', 'lock', CONTROL.zoneLock],
    ['tlbGen', 'tlb', map.mm + MM.tlbGen],
    ['nrPtes', 'other', map.mm + MM.nrPtes],
    ['lockSeq of VMA 1', 'other', map.vmas + VMA.sizeWords + VMA.lockSeq],
    ['VMA lock of cpu1', 'lock', blockOf(map, 1) + map.vmaReaders + 1],
    ['ipiWanted of cpu1', 'ipi', blockOf(map, 1) + PERCPU.ipiWanted],
    ['rcuSeen of cpu0', 'rcu', blockOf(map, 0) + PERCPU.rcuSeen],
    ['tortured word 3', 'torture', CONTROL.torture + 3],
  ];
  test.each(named)('%s', (name, kind, at) => {
    expect(nameWord(arena(), map, at)).toMatchObject({ name, kind });
  });

  test('the words of a percpu reference count', () => {
    const refs = arenaMap({ ...map.geometry, tableWords: REF.sizeWords, tableCpuWords: 1 });
    const words = new Int32Array(new SharedArrayBuffer(4 * refs.sizeWords));
    const ref = refs.tableWords + 7 * REF.sizeWords;
    const nameAt = (at: number) => nameWord(words, refs, at);
    const fields = [REF.count, REF.mode, REF.confirm].map((field) => nameAt(ref + field));
    expect(fields.map(({ name }) => name)).toEqual([
      ...['count of table 7', 'mode of table 7', 'switch of table 7'],
    ]);
    expect(fields.every(({ kind, table }) => kind === 'count' && table === 7)).toBe(true);
    expect(nameAt(ref + REF.switchLock)).toMatchObject({ kind: 'lock', table: 7 });
    const own = refs.tableCpuWords + refs.tableCpuStride + 7;
    expect(nameAt(own)).toMatchObject({ name: 'count of table 7 on cpu1', kind: 'count', cpu: 1 });
  });

  test('with two levels the top table is a pmd table', () => {
    const flat = arenaMap({ ...map.geometry, levels: 2 });
    const words = new Int32Array(new SharedArrayBuffer(4 * flat.sizeWords));
    words[flat.ptdescs + (1 << PTDESC_SHIFT) + PTDESC.state] = frameState(FRAME.table, 1, 1);
    words[flat.owners + 1] = 1;
    const at = flat.bodies + (1 << flat.geometry.ptrsShift) + 3;
    expect(nameWord(words, flat, at).name).toBe('pmd[3]');
  });

  test('where there are several pmd tables, an entry says of which it is', () => {
    expect(nameWord(arena([3]), map, entry(3, 1)).name).toBe('pmd[1] of table 3');
  });

  test('what points to PTE tables is a pmd entry, also in the top table', () => {
    const two = arenaMap({ ...map.geometry, levels: 2 });
    const words = arena();
    expect(nameWord(words, two, entry(2, 3))).toMatchObject({ name: 'pmd[3]', kind: 'pmd' });
  });

  test('an entry comes with its table and index, a lock with its table', () => {
    expect(nameWord(arena(), map, entry(7, 2))).toMatchObject({ table: 7, index: 2 });
    expect(nameWord(arena(), map, descriptor(7))).toMatchObject({ table: 7, index: -1 });
  });
});

test('what upper entries hold', () => {
  expect(pmdText(0)).toBe('none');
  expect(pmdText(mkPmd(7, frameState(FRAME.table, 0, 1)))).toBe('table 7');
  expect(pmdText(mkPmd(7, frameState(FRAME.table, 0, 2)))).toBe('table 7 (gen 2)');
});

test('what PTEs hold', () => {
  expect(pteText(0)).toBe('none');
  expect(pteText(mkPte(12, true, true))).toBe('page 12 (write, dirty)');
  expect(pteText(mkPte(12, false, false))).toBe('page 12');
  expect(pteText(mkPte(1, false, false))).toBe('zero page');
  expect(pteText(mkNonPresent(PTE_KIND.swap, 12))).toBe('page 12 swapped out');
  expect(pteText(mkNonPresent(PTE_KIND.migration, 12))).toBe('migration of page 12');
  expect(pteText(mkNonPresent(PTE_KIND.protNone, 12))).toBe('page 12 (prot-none)');
  expect(pteText(mkNonPresent(PTE_KIND.marker, MARKER.guard))).toBe('guard marker');
  expect(pteText(0x5a5a5a5c)).toBe('poison');
});
