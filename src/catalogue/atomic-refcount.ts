/**
 * Races of the atomic reference count of November 2021 (series "Free user PTE page table pages",
 * v3, Qi Zheng), and the race that references are for.
 */
import type { BrokenVersion } from './broken-version.ts';

const SERIES = 'series Free user PTE page table pages, v3 (November 2021)';

export const ATOMIC_REFCOUNT: readonly BrokenVersion[] = [
  {
    name: 'lookup-without-reference',
    bug: 'S-02',
    summary: 'a walker that has seen a table in the pmd goes on with it, and holds no reference',
    source: 'series Try to free user PTE page table pages (April 2022), patch 18',
    edit: {
      label: 'visit-reference',
      becomes: 'const found = seen; cpu.refsTable = table; cpu.refsOwed -= 1;',
    },
    protocol: 'atomic-refcount',
    scenario: 'fault-vs-zap',
    oracle: 'lost-entry',
  },
  {
    name: 'entry-counted-late',
    bug: 'K-33',
    summary: 'an entry that was set is counted after the ptl is dropped, when it may be gone again',
    source: SERIES,
    flaw: { 'atomic-refcount.gets': 'after-unlock' },
    protocol: 'atomic-refcount',
    scenario: 'fault-vs-zap',
    oracle: 'table-zero',
  },
  {
    name: 'spin-on-dying-table',
    bug: 'K-37',
    summary: 'whoever finds a table dying tries again until the last put has unhooked it',
    source: SERIES,
    flaw: { 'atomic-refcount.dying': 'spin' },
    protocol: 'atomic-refcount',
    scenario: 'races/fault-outranks-zap',
    oracle: 'livelock',
    rare:
      'threads are scheduled fairly: the last put, preempted before it takes the pml, soon runs ' +
      'again; only a task of higher priority on its processor would keep it away',
  },
];
