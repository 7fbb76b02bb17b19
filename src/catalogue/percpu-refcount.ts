/**
 * Races of the percpu reference counts of April 2022 (series "Try to free user PTE page table
 * pages", Qi Zheng), most of them flaws that no reviewer raised.
 */
import type { BrokenVersion } from './broken-version.ts';

export const PERCPU_REFCOUNT: readonly BrokenVersion[] = [
  {
    name: 'lost-race-is-oom',
    bug: 'S-25',
    summary: 'a fault that finds its table gone says that there is no memory',
    source: 'series Try to free user PTE page table pages (April 2022), patch 18',
    edit: { label: 'fault-no-table', becomes: 'return VM_FAULT.oom;' },
    protocol: 'pt-reclaim',
    scenario: 'fault-vs-zap',
    oracle: 'untruthful-error',
  },
];
