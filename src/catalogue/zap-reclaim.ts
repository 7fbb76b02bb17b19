/** Races of reclaim inside the zap (Linux 6.14, PT_RECLAIM), and of the lookups of Linux 6.5. */
import type { BrokenVersion } from './broken-version.ts';

export const ZAP_RECLAIM: readonly BrokenVersion[] = [
  {
    name: 'no-pmd-recheck',
    bug: 'K-30',
    summary: 'a walker that got the ptl does not look whether the pmd still points to its table',
    source: 'mm: allow pte_offset_map[_lock]() to fail (Linux 6.5, commit 0d940a9b270b)',
    edit: { label: 'recheck-pmd', becomes: 'const hooked = true;' },
    protocol: 'pt-reclaim',
    scenario: 'fault-vs-zap',
    oracle: 'lost-entry',
  },
  {
    name: 'direct-after-drop',
    bug: 'K-01',
    summary: 'the zap forgets that it dropped the ptl on the way and frees without looking (S-09)',
    source: 'mm: pgtable: fix incorrect reclaim of non-empty PTE pages (Linux 6.14, February 2025)',
    edit: { label: 'zap-direct', becomes: '' },
    protocol: 'pt-reclaim',
    scenario: 'fault-vs-zap',
    oracle: 'nonempty-table-freed',
  },
  {
    name: 'blocking-pml-under-ptl',
    bug: 'S-10',
    summary: 'the zap waits for the pml while it holds the ptl, against the lock order',
    source: 'review of synchronously scan and reclaim empty user PTE pages (August 2024)',
    edit: {
      label: 'trylock-pml',
      becomes: 'spinLockNested(cpu, pml, LOCK.pml, SINGLE_DEPTH_NESTING); const locked = true;',
    },
    protocol: 'pt-reclaim',
    scenario: 'churn',
    oracle: 'deadlock',
  },
];
