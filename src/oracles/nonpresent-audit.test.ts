/**
 * The audit and entries that are not present: a balanced arena may hold swap entries, hidden pages,
 * markers and lazyfree pages, and each wrong word among them is found as what it is.
 */
import { describe, expect, test } from 'vitest';
import { MARKER, mkNonPresent, mkPte, PTE_KIND } from '#arch/pte';
import { CONTROL } from '#arena/layout/control';
import { MM } from '#arena/layout/mm';
import { PAGE, PAGE_LAZYFREE, PAGE_LOCKED, PAGE_REFERENCE, PAGE_STATE } from '#arena/layout/page';
import { PERCPU } from '#arena/layout/percpu';
import { PTDESC } from '#arena/layout/ptdesc';
import { COUNTER } from '#trace/counters';
import { balanced, Fixture } from './fixture.suite.ts';

/** Page 3 is swapped out, page 4 hidden, page 5 lazyfree; slot 10 has two markers. */
function mixed(): Fixture {
  const f = balanced();
  f.words[f.entry(f.pteTable(8), 7)] = mkNonPresent(PTE_KIND.swap, 3);
  f.words[f.page(3) + PAGE.state]! += PAGE_STATE.swapped - PAGE_STATE.mapped;
  f.words[f.block(0) + COUNTER.rss]!--;
  f.words[f.block(1) + COUNTER.swapUsed]++;
  f.words[f.entry(f.pteTable(9), 3)] = mkNonPresent(PTE_KIND.protNone, 4);
  f.words[f.page(5) + PAGE.state]! |= PAGE_LAZYFREE;
  setEntry(f, 10, 0, mkNonPresent(PTE_KIND.marker, MARKER.guard));
  setEntry(f, 10, 6, mkNonPresent(PTE_KIND.marker, MARKER.uffdWp));
  return f;
}

/** Sets an entry that is none. */
function setEntry(f: Fixture, slot: number, index: number, value: number): void {
  const table = f.pteTable(slot);
  f.words[f.entry(table, index)] = value;
  f.words[f.descriptor(table) + PTDESC.use]++;
}

test('an arena with entries of all kinds is clean', () => {
  expect(mixed().verdicts()).toEqual([]);
});

test('a swapped page left at exit is a leak', () => {
  const f = new Fixture();
  f.words[CONTROL.zoneFresh]!++;
  f.words[f.page(2) + PAGE.state] = PAGE_STATE.swapped;
  const found = f.verdicts('exit').map(({ message }) => message);
  expect(found).toContain('page 2 is swapped, neither mapped nor listed as free');
});

type Corruption = readonly [
  what: string,
  corrupt: (fixture: Fixture) => void,
  kinds: string,
  message: string,
];

const CORRUPTIONS: readonly Corruption[] = [
  [
    'a swap entry for a page that is mapped as well',
    (f) => {
      setEntry(f, 10, 1, mkNonPresent(PTE_KIND.swap, 2));
      f.words[f.block(1) + COUNTER.swapUsed]++;
    },
    'wrong-mapcount',
    'page 2 is marked mapped, and entries at 0x40000 and 0x51000 name it, 1 of them swap entries',
  ],
  [
    'two swap entries for one page',
    (f) => {
      setEntry(f, 10, 1, mkNonPresent(PTE_KIND.swap, 3));
      f.words[f.block(1) + COUNTER.swapUsed]++;
    },
    'wrong-mapcount',
    'page 3 is marked swapped, and entries at 0x47000 and 0x51000 name it, 2 of them',
  ],
  [
    'a mapped page that only a swap entry names',
    (f) => (f.words[f.page(3) + PAGE.state]! += PAGE_STATE.mapped - PAGE_STATE.swapped),
    'wrong-mapcount',
    'page 3 is marked mapped, and a swap entry at 0x47000 names it',
  ],
  [
    'a swapped page that an entry maps',
    (f) => {
      f.words[f.entry(f.pteTable(8), 7)] = mkPte(3, true, true);
      f.words[f.block(1) + COUNTER.swapUsed]--;
      f.words[f.block(1) + COUNTER.rss]++;
    },
    'wrong-mapcount',
    'page 3 is marked swapped, and 0x47000 maps it',
  ],
  [
    'a swapped page that no entry names',
    (f) => {
      f.words[f.entry(f.pteTable(8), 7)] = mkNonPresent(PTE_KIND.marker, MARKER.guard);
      f.words[f.block(1) + COUNTER.swapUsed]--;
    },
    'wrong-mapcount',
    'page 3 is marked swapped, and no entry maps it',
  ],
  [
    'a swap entry for a free page',
    (f) => (f.words[f.page(3) + PAGE.state]! ^= PAGE_STATE.swapped),
    'use-after-free',
    'page 3 is free, and a swap entry at 0x47000 names it',
  ],
  [
    'a swap entry for page 0',
    (f) => (f.words[f.entry(f.pteTable(8), 7)] = mkNonPresent(PTE_KIND.swap, 0)),
    'table-zero,wrong-mapcount',
    'the entry for 0x47000, in pte table',
  ],
  [
    'a swap entry for a page never handed out',
    (f) => (f.words[f.entry(f.pteTable(8), 7)] = mkNonPresent(PTE_KIND.swap, 1000)),
    'use-after-free,wrong-mapcount',
    '0x47000 names a page never handed out',
  ],
  [
    'a hidden page that no entry names',
    (f) => {
      f.words[f.entry(f.pteTable(9), 3)] = mkNonPresent(PTE_KIND.marker, MARKER.poison);
      f.words[f.block(1) + COUNTER.rss]--;
    },
    'wrong-mapcount',
    'page 4 is marked mapped, and no entry maps it',
  ],
  [
    'a migration entry',
    (f) => (f.words[f.entry(f.pteTable(9), 3)] = mkNonPresent(PTE_KIND.migration, 4)),
    'wrong-mapcount',
    'page 4 is on the move by its entry at 0x4b000, and nobody moves it',
  ],
  [
    'a marker of nothing',
    (f) => (f.words[f.entry(f.pteTable(10), 6)] = mkNonPresent(PTE_KIND.marker, 9)),
    'use-after-free',
    '0x56000 holds 0x96, which is no entry',
  ],
  [
    'an entry of no kind',
    (f) => (f.words[f.entry(f.pteTable(10), 6)] = mkNonPresent(10, 2)),
    'use-after-free',
    '0x56000 holds 0x2a, which is no entry',
  ],
  [
    'the swap space in use',
    (f) => f.words[f.block(2) + COUNTER.swapUsed]--,
    'wrong-rss',
    'swap in use is 0 pages, and 1 swap entries name one',
  ],
  [
    'a page that is locked',
    (f) => (f.words[f.page(5) + PAGE.state]! |= PAGE_LOCKED),
    'lock-held-at-end',
    'page 5 is still locked',
  ],
  [
    'a page with references',
    (f) => (f.words[f.page(2) + PAGE.state]! += 2 * PAGE_REFERENCE),
    'reference-leak',
    'page 2 counts 2 references that nobody has returned',
  ],
  [
    'the rmap lock',
    (f) => (f.words[f.map.mm + MM.anonVma] = 1 << 16),
    'lock-held-at-end',
    'the rmap lock is not free: state 0x10000, turn of 0',
  ],
  [
    'a lock held that is a page',
    (f) => {
      f.words[f.block(1) + PERCPU.heldCount] = 1;
      f.words[f.block(1) + PERCPU.held] = f.page(4) + PAGE.state;
    },
    'lock-held-at-end',
    'cpu1 holds 1 spinlocks, the lock of page 4 first',
  ],
];

describe('the audit finds', () => {
  test.each(CORRUPTIONS)('%s', (_, corrupt, kinds, message) => {
    const fixture = mixed();
    corrupt(fixture);
    const found = fixture.verdicts();
    expect(found.map(({ kind }) => kind).join()).toBe(kinds);
    expect(found[0]!.message).toContain(message);
  });
});
