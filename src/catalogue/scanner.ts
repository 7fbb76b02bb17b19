/** Races of the asynchronous scanner of June 2024. */
import type { BrokenVersion } from './broken-version.ts';

export const SCANNER: readonly BrokenVersion[] = [
  {
    name: 'scan-without-ptl',
    bug: 'S-13',
    summary: 'the scanner checks and unhooks a table without its ptl',
    source: 'RFC asynchronously scan and free empty user PTE pages (June 2024)',
    edit: { label: 'scan-ptl', becomes: 'const nested = false;' },
    protocol: 'async-scanner',
    scenario: 'fault-vs-scanner',
    oracle: 'nonempty-table-freed',
  },
  {
    name: 'scan-drops-ptl',
    bug: 'S-13',
    summary: 'the scanner drops the ptl between its check and the unhooking',
    source: 'RFC asynchronously scan and free empty user PTE pages (June 2024)',
    edit: {
      label: 'scan-empty',
      becomes: [
        'const empty = hooked && tableIsEmpty(cpu, table);',
        'if (nested) spinUnlock(cpu, ptl, LOCK.ptl);',
        'if (nested) spinLockNested(cpu, ptl, LOCK.ptl, SINGLE_DEPTH_NESTING);',
      ].join(' '),
    },
    protocol: 'async-scanner',
    scenario: 'fault-vs-scanner',
    oracle: 'nonempty-table-freed',
  },
  {
    name: 'scan-no-pmd-same',
    bug: 'S-13',
    summary: 'the scanner unhooks whatever the pmd points to by now, not the table that it checked',
    source: 'RFC asynchronously scan and free empty user PTE pages (June 2024)',
    edit: { label: 'scan-recheck-pmd', becomes: 'const hooked = true;' },
    protocol: 'async-scanner',
    scenario: 'fault-vs-scanner',
    oracle: 'double-free',
  },
  {
    name: 'scan-flushes-pages',
    bug: 'K-16',
    summary: 'the scanner flushes translations of pages only, not what is remembered of the table',
    source: 'RFC asynchronously scan and free empty user PTE pages (June 2024)',
    flaw: { 'async-scanner.flush': 'pages' },
    protocol: 'async-scanner',
    scenario: 'races/lazy-tlb',
    oracle: 'stale-translation',
  },
  {
    name: 'scanner-no-flush',
    bug: 'K-16',
    summary: 'the scanner frees tables unflushed',
    source: 'RFC asynchronously scan and free empty user PTE pages (June 2024)',
    edit: { label: 'scan-flush', becomes: '' },
    protocol: 'async-scanner',
    scenario: 'races/lazy-tlb',
    oracle: 'stale-translation',
  },
];
