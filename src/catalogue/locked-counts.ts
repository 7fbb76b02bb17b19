/**
 * Races of the counts under the ptl, as posted in August 2022 (RFC "Try to free empty and zero user
 * PTE page table pages", Qi Zheng), and of the exchange that followed. Most are options of the
 * protocol: what the posting lacked can be left out.
 */
import type { BrokenVersion } from './broken-version.ts';

const POSTED = 'RFC Try to free empty and zero user PTE page table pages (August 2022)';
const REVIEW = 'review of Try to free empty and zero user PTE page table pages (August 2022)';

/** Looks at what is present, not at the count of what is not none. */
const PRESENT_ONLY =
  'let mapped = 0; const body = bodyAt(peek(ptdescAt(table) + PTDESC.body)); ' +
  'for (let i = 0; i <= ptrsMask(); i++) mapped += ptepGet(cpu, body + i) & 1;';

export const LOCKED_COUNTS: readonly BrokenVersion[] = [
  {
    name: 'pressure-no-rmap-lock',
    bug: 'S-07',
    summary: 'rmap walkers go through tables that are freed at once under the mmap lock alone',
    source: REVIEW,
    flaw: { 'locked-counts.rmapLocks': 'off' },
    conditions: { 'locked-counts.rcuFree': 'off' },
    protocol: 'locked-counts',
    scenario: 'races/rmap-vs-pressure',
    oracle: 'use-after-free',
  },
  {
    name: 'pressure-shared-table',
    bug: 'S-08',
    summary: 'a table is unhooked under the locks of one VMA while the fault of another fills it',
    source: REVIEW,
    flaw: { 'locked-counts.slots': 'any' },
    conditions: { 'locked-counts.rules': '5.18' },
    protocol: 'locked-counts',
    scenario: 'races/neighbours-vs-pressure',
    oracle: 'lost-entry',
  },
  {
    name: 'pressure-shared-table-freed',
    bug: 'S-08',
    summary: 'a table is freed under the locks of one VMA while the fault of another is inside',
    source: REVIEW,
    flaw: { 'locked-counts.slots': 'any' },
    conditions: { 'locked-counts.rcuFree': 'off' },
    protocol: 'locked-counts',
    scenario: 'races/neighbours-vs-pressure',
    oracle: 'use-after-free',
  },
  {
    name: 'markers-uncounted',
    bug: 'S-11',
    summary: 'a table is taken for empty where no entry is present, with the markers in it',
    source: REVIEW,
    edit: { label: 'pressure-mapped', becomes: PRESENT_ONLY },
    protocol: 'locked-counts',
    scenario: 'races/markers-vs-pressure',
    oracle: 'nonempty-table-freed',
  },
  {
    name: 'swap-uncounted',
    bug: 'S-11',
    summary: 'a table is taken for empty where no entry is present, with the swap entries in it',
    source: REVIEW,
    edit: { label: 'pressure-mapped', becomes: PRESENT_ONLY },
    protocol: 'locked-counts',
    scenario: 'races/swap-vs-pressure',
    oracle: 'nonempty-table-freed',
  },
  {
    name: 'watched-zeros-reclaimed',
    bug: 'S-12',
    summary: 'a table of zero pages goes although userfaultfd had them filled, as missing, once',
    source: REVIEW,
    flaw: { 'locked-counts.zeroTables': 'everywhere' },
    protocol: 'locked-counts',
    scenario: 'races/uffd-vs-pressure',
    oracle: 'untruthful-error',
  },
  {
    name: 'zero-page-uncounted',
    bug: 'K-35',
    summary: 'a zero page that takes the place of a page is not counted, and keeps its table',
    source: POSTED,
    flaw: { 'locked-counts.transitions': 'as-posted' },
    protocol: 'locked-counts',
    scenario: 'races/ksm-vs-pressure',
    oracle: 'reference-leak',
    before: {
      oracle: 'nonempty-table-freed',
      why:
        'zero pages that were never counted are subtracted when they go, and a count that runs ' +
        'below nothing may come to 512 in its ten bits',
    },
  },
  {
    name: 'marker-counted-as-zero',
    bug: 'K-35',
    summary: 'an entry counts as the zero page by its frame number, whatever kind of entry it is',
    source: POSTED,
    edit: { label: 'kind-before-frame', becomes: 'return value >>> 4 === 1 ? 1 : 0;' },
    conditions: { 'locked-counts.zeroTables': 'everywhere' },
    protocol: 'locked-counts',
    scenario: 'races/markers-vs-pressure',
    oracle: 'nonempty-table-freed',
  },
  {
    name: 'cleared-by-set',
    bug: 'K-35',
    summary: 'entries that become none are not counted, as if they were set and not cleared',
    source: POSTED,
    edit: { label: 'count-cleared', becomes: '' },
    protocol: 'locked-counts',
    scenario: 'fault-vs-zap',
    oracle: 'reference-leak',
  },
  {
    name: 'pressure-counts-under-pml',
    bug: 'K-36',
    summary: 'the counts of a table are read without its ptl while a fault fills it',
    source: POSTED,
    flaw: { 'locked-counts.counts': 'under-pml' },
    conditions: { 'locked-counts.vmaLock': 'off' },
    protocol: 'locked-counts',
    scenario: 'races/fault-vs-pressure',
    oracle: 'nonempty-table-freed',
    noise: 10,
  },
  {
    name: 'pressure-keeps-vma',
    bug: 'K-36',
    summary: 'the walk goes on by the VMA it had found before it dropped the mmap lock',
    source: POSTED,
    edit: { label: 'pressure-vma', becomes: 'if (vma === 0) $&' },
    conditions: { 'locked-counts.batch': '1' },
    protocol: 'locked-counts',
    scenario: 'races/munmap-vs-pressure',
    oracle: 'use-after-free',
  },
  {
    name: 'pressure-frees-at-once',
    bug: 'K-36',
    summary: 'a table is freed as soon as it is unhooked, with the fault of a VMA lock inside',
    source: POSTED,
    flaw: { 'locked-counts.rcuFree': 'off' },
    conditions: { 'locked-counts.vmaLock': 'off' },
    protocol: 'locked-counts',
    scenario: 'races/fault-vs-pressure',
    oracle: 'use-after-free',
  },
  {
    name: 'pressure-no-rcu-gup',
    bug: 'K-36',
    summary: 'a table is freed as soon as it is flushed, with GUP-fast inside',
    source: POSTED,
    flaw: { 'locked-counts.rcuFree': 'off' },
    conditions: { '-shootdown': 'broadcast' },
    protocol: 'locked-counts',
    scenario: 'races/gup-fast-vs-pressure',
    oracle: 'use-after-free',
  },
];
