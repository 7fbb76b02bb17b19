/**
 * A balanced arena is clean, and for everything that the audit judges, one wrong word is found as
 * what it is.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mkHugePmd, mkPmd } from '#arch/pmd';
import { mkPte } from '#arch/pte';
import { CONTROL } from '#arena/layout/control';
import { MM, VMA } from '#arena/layout/mm';
import { PAGE, PAGE_STATE } from '#arena/layout/page';
import { MCS_NODE, PERCPU } from '#arena/layout/percpu';
import { FRAME, FRAME_GENERATION_LOW_SHIFT, FRAME_LEVEL_SHIFT, PTDESC } from '#arena/layout/ptdesc';
import { COUNTER } from '#trace/counters';
import { LOCK } from '#trace/vocabulary';
import { balanced, Fixture } from './fixture.suite.ts';
import { ORACLES } from './vocabulary.ts';

test('a balanced arena is clean, with fixed and on-demand bodies, at two to four levels', () => {
  for (const backing of ['fixed', 'on-demand'] as const)
    for (const levels of [3, 4]) expect(balanced({ backing, levels }).verdicts()).toEqual([]);
  const two = new Fixture({ levels: 2 });
  two.vma(1, 2, 3);
  two.mapPage(2, 5);
  expect(two.verdicts()).toEqual([]);
});

test('an arena that the process has left empty is clean at exit, and not before', () => {
  const fixture = new Fixture();
  const at = fixture.descriptor(fixture.pgd);
  fixture.words[at + PTDESC.state] = FRAME.free | (2 << FRAME_LEVEL_SHIFT) | 4;
  fixture.words[CONTROL.tableHead] = fixture.pgd;
  fixture.words[CONTROL.bodyHead] = fixture.words[at + PTDESC.body]!;
  fixture.words[at + PTDESC.body] = 0;
  fixture.words[fixture.map.owners + 1] = 0;
  expect(fixture.verdicts('exit')).toEqual([]);
  expect(fixture.judge('fair')).toEqual(['use-after-free']);
});

test('whatever is left at exit is a leak', () => {
  const kinds = balanced().judge('exit');
  expect(new Set(kinds)).toEqual(new Set(['wrong-rss', 'wrong-nr-ptes', 'frame-leak']));
});

/**
 * What one wrong word does: the oracles that must speak, in order, and a part of the first message.
 */
type Corruption = readonly [
  what: string,
  corrupt: (fixture: Fixture) => void,
  kinds: string,
  message: string,
];

const CORRUPTIONS: readonly Corruption[] = [
  [
    'the generation of an upper entry',
    (f) => (f.words[f.entry(3 - 1, 0)]! ^= 1 << FRAME_GENERATION_LOW_SHIFT),
    'use-after-free',
    'entry 0 of pmd table 2 holds',
  ],
  [
    'a hooked table marked unhooked',
    (f) => (f.words[f.descriptor(f.pteTable(8)) + PTDESC.state]! ^= FRAME.table ^ FRAME.unhooked),
    'use-after-free',
    'is unhooked (pte level, generation',
  ],
  [
    'a hooked table of another level',
    (f) => (f.words[f.descriptor(f.pteTable(10)) + PTDESC.state]! |= 1 << FRAME_LEVEL_SHIFT),
    'use-after-free',
    'is in use (pmd level',
  ],
  [
    'a huge leaf',
    (f) => (f.words[f.entry(2, 7)] = mkHugePmd(3)),
    'use-after-free',
    'neither none nor a table',
  ],
  [
    'an entry for a table never handed out',
    (f) => (f.words[f.entry(2, 7)] = mkPmd(31, 1)),
    'use-after-free',
    'names table 31, which was never handed out',
  ],
  [
    'a body of another owner',
    (f) => (f.words[f.map.owners + f.words[f.descriptor(f.pteTable(8)) + PTDESC.body]!] = 1),
    'use-after-free',
    "says it is table 1's",
  ],
  [
    'a body that does not exist',
    (f) => (f.words[f.descriptor(f.pteTable(10)) + PTDESC.body] = 0),
    'use-after-free',
    'has body 0, which does not exist',
  ],
  [
    'a mapped page that is free',
    (f) => (f.words[f.page(2) + PAGE.state]! ^= PAGE_STATE.mapped),
    'use-after-free',
    'page 2 is free, and 0x40000 maps it',
  ],
  [
    'a store into a free body',
    (f) => (f.words[f.map.bodies + ((f.words[CONTROL.bodyFresh]! - 1) << 3) + 2] = 0),
    'use-after-free',
    'entry 2 of it holds 0x0',
  ],
  [
    'the map of VMAs naming one that is gone',
    (f) => (f.words[f.map.vmas + 2 * VMA.sizeWords + VMA.attached] = 0),
    'use-after-free',
    'names vma 2, which is gone',
  ],
  [
    'an entry for table 0',
    (f) => (f.words[f.entry(2, 7)] = mkPmd(0, 1)),
    'table-zero',
    'entry 7 of pmd table 2 names table 0',
  ],
  [
    'a PTE that maps page 0',
    (f) => {
      f.words[f.entry(f.pteTable(9), 4)] = mkPte(0, false, false);
      f.words[f.block(0) + COUNTER.rss]!++;
    },
    'table-zero',
    'the entry for 0x4c000, in pte table',
  ],
  [
    'a table hooked twice',
    (f) => (f.words[f.entry(2, 7)] = f.words[f.entry(2, 0)]!),
    'double-free',
    'is hooked at slot 8 and at slot 15',
  ],
  [
    'a hooked table in a free list',
    (f) => (f.words[f.block(0) + PERCPU.tables] = f.pteTable(10)),
    'double-free,frame-leak',
    'is listed as free, and is in use',
  ],
  [
    'a page in two caches',
    (f) =>
      (f.words[f.block(0) + f.map.pcp + f.words[f.block(0) + PERCPU.pageCount]++] =
        f.words[f.block(1) + f.map.pcp]!),
    'double-free',
    'is free 2 times over',
  ],
  [
    'a body both free and in use',
    (f) => {
      const { words, map } = f;
      const body = words[f.descriptor(f.pteTable(10)) + PTDESC.body]!;
      words[f.block(2) + PERCPU.bodies + words[f.block(2) + PERCPU.bodyCount]++] = body;
      words[map.owners + body] = 1;
    },
    'double-free',
    'is listed as free, and in use',
  ],
  [
    'a mapped page in a cache',
    (f) => (f.words[f.block(2) + f.map.pcp + f.words[f.block(2) + PERCPU.pageCount]++] = 3),
    'double-free',
    'page 3 is listed as free, and is mapped',
  ],
  [
    'a circle in the list of free tables',
    (f) =>
      (f.words[f.descriptor(f.words[CONTROL.tableHead]!) + PTDESC.use] =
        f.words[CONTROL.tableHead]!),
    'double-free',
    'which it has named before',
  ],
  [
    'a free list that leads nowhere',
    (f) => (f.words[f.page(f.words[CONTROL.zoneHead]!) + PAGE.content] = 1),
    'double-free',
    'with page 1, which does not exist',
  ],
  [
    'an overfull cache',
    (f) => (f.words[f.block(0) + PERCPU.bodyCount] = -1),
    'double-free',
    'cpu0 counts -1 cached frames',
  ],
  [
    'a body of two tables',
    (f) => {
      const [from, to] = [f.descriptor(f.pteTable(10)), f.descriptor(f.pteTable(8))];
      f.words[from + PTDESC.body] = f.words[to + PTDESC.body]!;
      f.words[from + PTDESC.use] = f.words[to + PTDESC.use]!;
    },
    'double-free,wrong-mapcount,wrong-mapcount,wrong-rss,frame-leak',
    "is another table's as well",
  ],
  [
    'an entry outside every VMA',
    (f) => (f.words[f.map.vmas + 2 * VMA.sizeWords + VMA.startIndex] = 1),
    'lost-entry',
    'at 0x40000, in pte table',
  ],
  [
    'an entry in the shared empty body',
    (f) => (f.words[f.map.bodies + 3] = mkPte(2, true, true)),
    'lost-entry',
    'body 0, which all empty tables share, holds 0x27 as entry 3',
  ],
  [
    'a VMA out of order',
    (f) => {
      f.words[f.map.vmas + 1 * VMA.sizeWords + VMA.startSlot] = 10;
    },
    'lost-entry',
    'vma 1 is empty, or overlaps',
  ],
  [
    'a store into the zero page',
    (f) => (f.words[f.page(1) + PAGE.content] = 7),
    'lost-data',
    'somebody stored 7 in the shared zero page',
  ],
  [
    'a count of entries too high',
    (f) => f.words[f.descriptor(f.pteTable(8)) + PTDESC.use]++,
    'reference-leak',
    'counts 3 entries and has 2; last filled by cpu1 (madvise, operation 17 modulo 256)',
  ],
  [
    'a count of entries too low',
    (f) => f.words[f.descriptor(f.pteTable(8)) + PTDESC.use]--,
    'reference-underflow',
    'counts 1 entries and has 2',
  ],
  [
    'a page mapped twice',
    (f) => {
      f.words[f.entry(f.pteTable(8), 0)] = f.words[f.entry(f.pteTable(8), 7)]!;
      f.words[f.page(2) + PAGE.state] = PAGE_STATE.free;
      f.words[f.block(2) + f.map.pcp + f.words[f.block(2) + PERCPU.pageCount]++] = 2;
    },
    'wrong-mapcount',
    'page 3 is marked mapped, and 0x40000 and 0x47000 map it',
  ],
  [
    'a gathered page that is mapped',
    (f) => (f.words[f.page(2) + PAGE.state]! ^= PAGE_STATE.mapped ^ PAGE_STATE.gathered),
    'wrong-mapcount',
    'page 2 is marked gathered, and 0x40000 maps it',
  ],
  [
    'a page that no entry maps any more',
    (f) => {
      f.words[f.entry(f.pteTable(9), 3)] = mkPte(1, false, false);
      f.words[f.block(2) + COUNTER.rss]--;
    },
    'wrong-mapcount',
    'is marked mapped, and no entry maps it',
  ],
  [
    'the rss',
    (f) => f.words[f.block(1) + COUNTER.rss]++,
    'wrong-rss',
    'rss is 5 pages, and entries map 4',
  ],
  [
    'nrPtes',
    (f) => f.words[f.map.mm + MM.nrPtes]++,
    'wrong-nr-ptes',
    'the mm counts 5 pte tables, and the tree has 4',
  ],
  ['nrPmds', (f) => f.words[f.map.mm + MM.nrPmds]--, 'wrong-nr-ptes', 'the mm counts 1 pmd tables'],
  [
    'a table unhooked and never freed',
    (f) => {
      f.words[f.descriptor(f.pteTable(10)) + PTDESC.state]! ^= FRAME.table ^ FRAME.unhooked;
      f.words[f.entry(2, 2)] = 0;
      f.words[f.map.mm + MM.nrPtes]--;
    },
    'frame-leak',
    'is unhooked (pte level',
  ],
  [
    'a table allocated and never hooked',
    (f) => f.table(0),
    'frame-leak',
    'is in use (pte level, generation',
  ],
  [
    'free frames taken from a cache and dropped',
    (f) => {
      for (const count of [PERCPU.tableCount, PERCPU.bodyCount, PERCPU.pageCount])
        f.words[f.block(1) + count]--;
    },
    'frame-leak,frame-leak,frame-leak',
    'neither hooked nor listed as free',
  ],
  [
    'a page left in a gather',
    (f) => {
      const { page } = f.freeFrames(null);
      f.words[CONTROL.zoneHead] = f.words[f.page(page) + PAGE.content]!;
      f.words[f.page(page) + PAGE.state] = PAGE_STATE.gathered;
    },
    'frame-leak',
    'is gathered, neither mapped nor listed as free',
  ],
  [
    'a table where no VMA is left',
    (f) => (f.words[f.map.vmas + 2 * VMA.sizeWords + VMA.endSlot] = 10),
    'frame-leak',
    'is hooked at slot 10, where no vma is left',
  ],
  [
    'a VMA that the map does not name',
    (f) => (f.words[f.map.vmas + 5 * VMA.sizeWords + VMA.attached] = 1),
    'frame-leak',
    'vma 5 is in use, and the map does not name it',
  ],
  [
    'an open read section',
    (f) => f.words[f.block(1) + PERCPU.rcuNesting]++,
    'rcu-unbalanced',
    'cpu1 has come to its end with 1 read sections open',
  ],
  [
    'a callback that has not run',
    (f) => f.words[f.block(2) + PERCPU.rcuHead]++,
    'rcu-stall',
    '1 callbacks of cpu2 have not run',
  ],
  [
    'a ptl',
    (f) => (f.words[f.descriptor(f.pteTable(8)) + PTDESC.ptl] = 2),
    'lock-held-at-end',
    'ptl of table',
  ],
  [
    'a pml',
    (f) => (f.words[f.descriptor(2) + PTDESC.ptl] = 2),
    'lock-held-at-end',
    'pml of table 2',
  ],
  [
    'the page-table lock',
    (f) => (f.words[f.map.mm + MM.pageTableLock] = 1),
    'lock-held-at-end',
    'the page-table lock is not free: 0x1',
  ],
  ['the zone lock', (f) => (f.words[CONTROL.zoneLock] = 1), 'lock-held-at-end', 'the zone lock'],
  [
    'the switch lock of the percpu refs',
    (f) => (f.words[CONTROL.refSwitchLock] = 1),
    'lock-held-at-end',
    'the switch lock of the percpu refs is not free: 0x1',
  ],
  [
    'the mmap lock',
    (f) => f.words[f.map.mm + MM.mmapLock]++,
    'lock-held-at-end',
    'the mmap lock is not free: state 0x1, turn of 0',
  ],
  [
    'a VMA read lock',
    (f) => (f.words[f.block(1) + f.map.vmaReaders + 2] = 1),
    'lock-held-at-end',
    'cpu1 holds the read lock of vma 2',
  ],
  [
    'the count of locks held',
    (f) => {
      f.words[f.block(1) + PERCPU.heldCount] = 1;
      f.words[f.block(1) + PERCPU.held] = CONTROL.zoneLock;
    },
    'lock-held-at-end',
    'cpu1 holds 1 spinlocks, the zone lock first',
  ],
  [
    'an MCS node in use',
    (f) => (f.words[f.block(1) + PERCPU.mcs + MCS_NODE.lock] = CONTROL.tableLock),
    'lock-held-at-end',
    'cpu1 is still in the queue of the lock of the free tables',
  ],
];

describe('the audit finds', () => {
  test.each(CORRUPTIONS)('%s', (_, corrupt, kinds, message) => {
    const fixture = balanced();
    corrupt(fixture);
    const found = fixture.verdicts();
    expect(found.map(({ kind }) => kind).join()).toBe(kinds);
    expect(found[0]!.message).toContain(message);
    expect(found[0]!.replay).toBeNull();
  });

  test('nothing amiss in a free ticket lock, and a held one', () => {
    const fixture = balanced();
    const ptl = fixture.descriptor(fixture.pteTable(8)) + PTDESC.ptl;
    fixture.words[ptl] = (0x8123 << 16) | 0x8123;
    expect(fixture.judge()).toEqual(['lock-held-at-end']);
    fixture.ticketClasses = 1 << LOCK.ptl;
    expect(fixture.judge()).toEqual([]);
    fixture.words[ptl]!--;
    expect(fixture.judge()).toEqual(['lock-held-at-end']);
  });

  test('the ptl in the page-table lock where locks are not split', () => {
    const fixture = balanced();
    fixture.words[fixture.map.mm + MM.pageTableLock] = (3 << 16) | 3;
    fixture.ticketClasses = 1 << LOCK.ptl;
    expect(fixture.judge()).toEqual(['lock-held-at-end']);
    fixture.splitLocks = false;
    expect(fixture.judge()).toEqual([]);
  });
});

describe('random trees', () => {
  const pages = fc.uniqueArray(
    fc.record({ slot: fc.nat(63), index: fc.nat(7), zero: fc.boolean() }),
    {
      selector: ({ slot, index }) => slot * 8 + index,
      minLength: 1,
      maxLength: 40,
    },
  );
  const lists = fc.array(fc.constantFrom(null, 0, 1, 2), { minLength: 1, maxLength: 6 });
  const backing = fc.constantFrom('fixed' as const, 'on-demand' as const);

  function build(
    mapped: readonly { slot: number; index: number; zero: boolean }[],
    free: readonly (number | null)[],
    kind: 'fixed' | 'on-demand',
  ): Fixture {
    const fixture = new Fixture({ backing: kind, tables: 128, bodies: 256, pages: 128 });
    fixture.vma(1, 0, 64);
    for (const { slot, index, zero } of mapped) {
      if (zero) fixture.mapPage(slot, index, 1);
      else fixture.mapPage(slot, index);
    }
    for (const cpu of free) fixture.freeFrames(cpu);
    return fixture;
  }

  test('are clean, and one wrong word in any of them is found', () => {
    const oracles = new Set<string>(ORACLES.map(({ name }) => name));
    const damage = fc.record({ which: fc.nat(WRONG_WORDS.length - 1), pick: fc.nat() });
    const property = fc.property(
      pages,
      lists,
      backing,
      damage,
      (mapped, free, kind, { which, pick }) => {
        const fixture = build(mapped, free, kind);
        expect(fixture.verdicts()).toEqual([]);
        const { slot, index } = mapped[pick % mapped.length]!;
        WRONG_WORDS[which]!(fixture, slot, index, pick);
        const found = fixture.judge();
        expect(found.length).toBeGreaterThan(0);
        for (const each of found) expect(oracles).toContain(each);
      },
    );
    fc.assert(property, { numRuns: 1000 });
  });
});

/** Acts of corruption, each at (slot, index), where a page is mapped. */
const WRONG_WORDS: readonly ((f: Fixture, slot: number, index: number, pick: number) => void)[] = [
  (f, slot, index) => (f.words[f.entry(f.pteTable(slot), index)] = 0),
  (f, slot, index, pick) => (f.words[f.entry(f.pteTable(slot), index)]! ^= 16 << (pick % 28)),
  (f, slot, _, pick) =>
    (f.words[f.descriptor(f.pteTable(slot)) + PTDESC.state]! ^= 1 << (pick % 9)),
  (f, slot, _, pick) => (f.words[f.descriptor(f.pteTable(slot)) + PTDESC.use]! ^= 1 << (pick % 10)),
  (f, slot) => f.words[f.descriptor(f.pteTable(slot)) + PTDESC.body]++,
  (f, slot, _, pick) => (f.words[f.entry(pmdTableOf(f, slot), slot & 7)]! ^= 1 << (pick % 32)),
  (f, slot) => (f.words[f.entry(pmdTableOf(f, slot), slot & 7)] = 0),
  (f, _, __, pick) => (f.words[f.block(pick % 3) + COUNTER.rss]! += 1 + (pick & 7)),
  (f, _, __, pick) => (f.words[f.map.mm + [MM.nrPtes, MM.nrPmds, MM.nrPuds][pick % 3]!]! += 1),
  (f) => f.words[CONTROL.tableFresh]++,
  (f) => f.words[CONTROL.bodyFresh]++,
  (f) => f.words[CONTROL.zoneFresh]++,
  (f, _, __, pick) => f.words[f.block(pick % 3) + PERCPU.tableCount]++,
  (f, _, __, pick) => f.words[f.block(pick % 3) + PERCPU.pageCount]--,
  (f) => (f.words[f.map.vmas + VMA.sizeWords + VMA.attached] = 0),
];

function pmdTableOf(fixture: Fixture, slot: number): number {
  return fixture.words[fixture.entry(fixture.pgd, slot >> 3)]! >>> 7;
}
