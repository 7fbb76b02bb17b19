/**
 * Races of the percpu reference counts of April 2022 (series "Try to free user PTE page table
 * pages", Qi Zheng), most of them flaws that no reviewer raised.
 */
import type { BrokenVersion } from './broken-version.ts';

/** Patch `patch` of the series. */
const series = (patch: string): string =>
  `series Try to free user PTE page table pages (April 2022), ${patch}`;

export const PERCPU_REFCOUNT: readonly BrokenVersion[] = [
  {
    name: 'switch-not-stable',
    bug: 'S-01',
    summary: 'whoever waits for the switch to atomic mode may count the reference of the switch',
    source: series('patch 02'),
    flaw: { 'percpu-refcount.stableSync': 'off' },
    protocol: 'percpu-refcount',
    scenario: 'races/percpu-switch',
    oracle: 'reference-leak',
    noise: 100,
  },
  {
    name: 'walker-never-unmaps',
    bug: 'S-03',
    summary: 'a walker without the ptl leaves without returning its reference',
    source: series('patch 01'),
    edit: { label: 'unmap-put', becomes: '' },
    protocol: 'percpu-refcount',
    scenario: 'races/walk-and-unmap',
    oracle: 'reference-leak',
  },
  {
    name: 'lazyfree-left-atomic',
    bug: 'S-06',
    summary: 'a table that MADV_FREE left in atomic mode becomes empty where nobody tests for it',
    source: series('patches 13 to 15'),
    flaw: { 'percpu-refcount.lastPut': 'silent' },
    protocol: 'percpu-refcount',
    scenario: 'races/lazyfree-guard',
    oracle: 'reference-leak',
  },
  {
    name: 'last-put-silent',
    bug: 'S-14',
    summary: 'the last put tells nobody, and a lookup that finds zero frees nothing either',
    source: series('patch 09'),
    flaw: { 'percpu-refcount.lastPut': 'silent' },
    edit: { label: 'free-dying', becomes: '' },
    // Else a walker looks again for ever.
    conditions: { '-walkers': 'as-posted' },
    protocol: 'percpu-refcount',
    scenario: 'races/last-visitor',
    oracle: 'reference-leak',
  },
  {
    name: 'free-without-recheck',
    bug: 'S-15',
    summary: 'under the pml whatever table is there by now is freed',
    source: series('patches 09 and 13'),
    flaw: { 'percpu-refcount.recheck': 'off' },
    protocol: 'percpu-refcount',
    scenario: 'fault-vs-zap',
    oracle: 'nonempty-table-freed',
    noise: 100,
  },
  {
    name: 'switch-back-remembered',
    bug: 'S-16',
    summary: 'the table that goes back to percpu mode is the one that was there before',
    source: series('patch 13'),
    flaw: { 'percpu-refcount.switchBack': 'on' },
    edit: { label: 'switch-back-table', becomes: 'const table = remembered || referred;' },
    protocol: 'percpu-refcount',
    scenario: 'races/replaced-table',
    oracle: 'reference-underflow',
    rare:
      'between a put and the switch back the table must be freed and another take its place; ' +
      'exploring takes tens of thousands of executions to get there, too',
  },
  {
    name: 'switch-back-orphans',
    bug: 'S-26',
    summary: 'a table goes back to percpu mode, and is empty then without anybody to find it so',
    source: series('patch 13'),
    flaw: { 'percpu-refcount.switchBack': 'on' },
    protocol: 'percpu-refcount',
    scenario: 'races/zap-among-visitors',
    oracle: 'reference-leak',
  },
  {
    name: 'rmap-flushes-next',
    bug: 'S-27',
    summary: 'memory reclaim frees a table and flushes the slot after it',
    source: series('patch 15'),
    flaw: { 'percpu-refcount.rmapFlushNext': 'on', 'percpu-refcount.lastPut': 'silent' },
    conditions: { '-pwc': 'range' },
    protocol: 'percpu-refcount',
    scenario: 'races/lazyfree-walk',
    oracle: 'stale-translation',
  },
  {
    name: 'put-skips-huge',
    bug: 'S-30',
    summary: 'no reference is returned to a table whose first entry has the bits of a huge leaf',
    source: series('patches 09 and 16'),
    edit: {
      label: 'unmap-put-table',
      becomes: [
        'const first = pmdpGet(cpu, bodyAt(peek(ptdescAt(table) + PTDESC.body)));',
        'if ((first & 3) !== 2) $&',
      ].join(' '),
    },
    protocol: 'percpu-refcount',
    scenario: 'races/walk-and-unmap',
    oracle: 'reference-leak',
  },
];
