/** Races between letting a page or table go and whoever still walks or remembers it. */
import type { BrokenVersion } from './broken-version.ts';

export const FLUSH_AND_FREE: readonly BrokenVersion[] = [
  {
    name: 'free-without-rcu',
    bug: 'S-05',
    summary: 'an unhooked table is freed once it is flushed, with GUP-fast inside',
    source: 'series Try to free user PTE page table pages (April 2022), patch 18',
    edit: { label: 'free-by-rcu', becomes: 'freeTable(cpu, table);' },
    conditions: { '-shootdown': 'broadcast' },
    protocol: 'pt-reclaim',
    scenario: 'races/gup-fast-vs-free',
    oracle: 'use-after-free',
  },
  {
    name: 'lazy-not-flushed',
    bug: 'K-16',
    summary: 'the flush is not told that tables go',
    source:
      'x86/mm: fix flush_tlb_range() when used for zapping normal PMDs (2025, CVE-2025-22045)',
    edit: { label: 'freed-tables', becomes: '' },
    protocol: 'pt-reclaim',
    scenario: 'races/lazy-tlb',
    oracle: 'stale-translation',
  },
  {
    name: 'lazy-skipped',
    bug: 'K-16',
    summary: 'CPUs in lazy TLB mode sleep on although a table goes',
    source:
      'x86/mm: fix flush_tlb_range() when used for zapping normal PMDs (2025, CVE-2025-22045)',
    edit: { label: 'flush-others', becomes: 'interruptOthers(cpu, false);' },
    protocol: 'pt-reclaim',
    scenario: 'races/lazy-tlb',
    oracle: 'stale-translation',
  },
  {
    name: 'nested-gather-ignored',
    bug: 'K-17',
    summary: 'a zap that finds nothing does not wait for the flush of one that did',
    source: 'mm: fix MADV_[FREE|DONTNEED] TLB flush miss problem (commit 99baac21e458)',
    edit: { label: 'nested-flush', becomes: 'const nested = false;' },
    protocol: 'pt-reclaim',
    scenario: 'tlb-shootdown',
    oracle: 'dontneed-not-done',
  },
  {
    name: 'semi-rcu',
    bug: 'K-10',
    summary:
      'a table for which there is no batch is freed once all CPUs have answered an interrupt',
    source: 'the fallback of tlb_remove_table before Linux 6.14 (commit 718b13861d22)',
    flaw: { '-table-free': 'ipi' },
    conditions: { '-alloc-fail': '200000' },
    protocol: 'pt-reclaim',
    scenario: 'races/table-alone',
    oracle: 'use-after-free',
  },
  {
    name: 'flush-not-awaited',
    bug: 'K-31',
    summary: 'a deferred flush is begun and not waited for, so that what is stale is gone as well',
    source: 'review of synchronously scan and reclaim empty user PTE pages (July 2024)',
    edit: { label: 'flush-wait', becomes: '' },
    protocol: 'zap-second-walk',
    scenario: 'races/refill-before-flush',
    oracle: 'stale-translation',
  },
];
