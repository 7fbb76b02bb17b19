/** Facts about the encodings of PTEs and pmd entries. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FRAME, frameState } from '#arena/layout/ptdesc';
import { property } from '#base/property.suite';
import {
  mkHugePmd,
  mkPmd,
  PMD_NONE,
  type Pmd,
  pmdLeaf,
  pmdMatchesFrame,
  pmdNone,
  pmdSame,
  pmdTable,
  pmdTablePresent,
  TABLES_MAX,
} from './pmd.ts';
import {
  mkNonPresent,
  mkPte,
  PFN_MAX,
  PTE_KIND,
  PTE_NONE,
  type Pte,
  pteDirty,
  pteKind,
  pteNone,
  ptePfn,
  ptePresent,
  pteSame,
  pteWrite,
} from './pte.ts';

const pfns = fc.oneof(fc.integer({ min: 0, max: PFN_MAX }), fc.constantFrom(0, 1, PFN_MAX));
const kinds = fc.constantFrom(...Object.values(PTE_KIND));
const tables = fc.oneof(fc.integer({ min: 0, max: TABLES_MAX }), fc.constantFrom(0, TABLES_MAX));
const generations = fc.integer({ min: 0, max: 2 ** 28 - 1 });
const levels = fc.integer({ min: 0, max: 3 });
/** As it comes back from the arena. */
const kept = <T extends number>(value: T): T => (value | 0) as T;

describe('a PTE', () => {
  property([pfns, fc.boolean(), fc.boolean()])('that is present keeps its parts', (pfn, w, d) => {
    const pte = kept(mkPte(pfn, w, d));
    expect([ptePfn(pte), pteWrite(pte), pteDirty(pte)]).toEqual([pfn, w, d]);
    expect([ptePresent(pte), pteNone(pte), pteKind(pte)]).toEqual([true, false, 0]);
  });

  property([kinds, pfns])('that is not present keeps kind and payload', (kind, payload) => {
    const pte = kept(mkNonPresent(kind, payload));
    expect([pteKind(pte), ptePfn(pte)]).toEqual([kind, payload]);
    expect([ptePresent(pte), pteNone(pte)]).toEqual([false, false]);
    expect([pteWrite(pte), pteDirty(pte)]).toEqual([false, false]);
  });

  property([pfns, pfns, fc.boolean(), fc.boolean(), kinds])(
    'differs whenever a part differs',
    (a, b, w, d, kind) => {
      expect(pteSame(mkPte(a, w, d), mkPte(b, w, d))).toBe(a === b);
      expect(pteSame(mkPte(a, w, d), mkPte(a, !w, d))).toBe(false);
      expect(pteSame(mkPte(a, w, d), mkPte(a, w, !d))).toBe(false);
      expect(pteSame(mkPte(a, w, d), mkNonPresent(kind, a))).toBe(false);
    },
  );

  test('that is none is exactly zero', () => {
    expect(PTE_NONE).toBe(0);
    expect(pteNone(PTE_NONE)).toBe(true);
    expect([ptePresent(PTE_NONE), pteKind(PTE_NONE), pteWrite(2 as Pte)]).toEqual([
      false,
      0,
      false,
    ]);
  });
});

describe('a pmd entry', () => {
  property([tables, levels, generations])('keeps its table', (table, level, generation) => {
    const pmd = kept(mkPmd(table, frameState(FRAME.table, level, generation)));
    expect(pmdTable(pmd)).toBe(table);
    expect([pmdTablePresent(pmd), pmdNone(pmd), pmdLeaf(pmd)]).toEqual([true, false, false]);
  });

  property([tables])('that is a huge leaf is no table', (payload) => {
    const pmd = kept(mkHugePmd(payload));
    expect([pmdTablePresent(pmd), pmdNone(pmd), pmdLeaf(pmd)]).toEqual([false, false, true]);
    expect(pmdSame(pmd, mkPmd(payload, FRAME.table))).toBe(false);
  });

  property([tables, tables, generations, generations])(
    'is the same whatever its generation',
    (a, b, older, newer) => {
      const first = kept(mkPmd(a, frameState(FRAME.table, 0, older)));
      const second = kept(mkPmd(b, frameState(FRAME.table, 0, newer)));
      expect(pmdSame(first, second)).toBe(a === b);
      expect(pmdSame(first, PMD_NONE)).toBe(false);
    },
  );

  property([tables, levels, generations, fc.integer({ min: 1, max: 31 })])(
    'matches a live frame of its generation, and no other',
    (table, level, generation, later) => {
      const pmd: Pmd = kept(mkPmd(table, frameState(FRAME.table, level, generation)));
      const matches = (state: number, g: number): boolean =>
        pmdMatchesFrame(pmd, kept(frameState(state, level, g) as Pmd));
      expect(matches(FRAME.table, generation)).toBe(true);
      expect(matches(FRAME.table, generation + later)).toBe(false);
      expect(matches(FRAME.free, generation)).toBe(false);
      expect(matches(FRAME.unhooked, generation)).toBe(false);
    },
  );

  test('that is none is exactly zero', () => {
    expect(PMD_NONE).toBe(0);
    expect([pmdNone(PMD_NONE), pmdTablePresent(PMD_NONE)]).toEqual([true, false]);
  });
});
