/**
 * What walkers and faults do when a table is dying, in the series of April 2022 (percpu_ref) as it
 * was posted. Flaws that no reviewer raised; scenarios/posted-2022.md tells of all of them.
 */
import type { BrokenVersion } from './broken-version.ts';

export const WALKERS_2022: readonly BrokenVersion[] = [
  {
    name: 'lost-race-is-oom',
    bug: 'S-25',
    summary: 'a fault that finds its table gone says that there is no memory',
    source: patch(11),
    edit: { label: 'fault-no-table', becomes: 'return VM_FAULT.oom;' },
    protocol: 'percpu-refcount',
    scenario: 'races/fault-vs-free',
    oracle: 'untruthful-error',
    noise: 30,
  },
  {
    name: 'lost-race-keeps-page',
    bug: 'S-18',
    summary: 'a fault that finds its table gone returns without the page that it has allocated',
    source: patch(11),
    edit: { label: 'fault-page-unused', becomes: '' },
    protocol: 'percpu-refcount',
    scenario: 'races/fault-vs-free',
    oracle: 'wrong-mapcount',
  },
  {
    name: 'lock-before-reference',
    bug: 'S-04',
    summary: 'a fault on a moving page takes the lock of the table that was there before its own',
    source: patch(12),
    edit: { label: 'migration-lock-first', becomes: 'const lockFirst = true;' },
    protocol: 'percpu-refcount',
    scenario: 'races/migration-wait-vs-free',
    oracle: 'use-after-free',
  },
  {
    name: 'retry-keeps-lock',
    bug: 'S-17',
    summary: 'a fault that finds its table gone claims to have dropped the lock of its caller',
    source: patch(11),
    flaw: { '-walkers': 'as-posted' },
    protocol: 'percpu-refcount',
    scenario: 'races/gup-of-hidden-vs-free',
    oracle: 'untruthful-error',
  },
  {
    name: 'perf-frees-by-copy',
    bug: 'S-22',
    summary: 'a perf sample frees a dying table by its copy of the pmd entry, which stays as it is',
    source: patch(12),
    edit: {
      label: 'perf-sample',
      becomes: [
        'const stack = allocTable(cpu, 1);',
        'if (stack === 0) return PTE_NONE;',
        'const value = sampleByCopy(cpu, mm, stack, slot, index);',
        'freeTable(cpu, stack);',
        'return value;',
      ].join(' '),
    },
    protocol: 'percpu-refcount',
    scenario: 'races/perf-vs-free',
    oracle: 'double-free',
    noise: 30,
  },
  {
    name: 'tryget-frees-in-atomic',
    bug: 'S-24',
    summary: 'a lookup with interrupts off frees the table that it finds dying, and waits for CPUs',
    source: patch(9),
    edit: {
      label: 'perf-sample',
      becomes: [
        'localIrqDisable(cpu);',
        'const pmdp = pmdOffset(cpu, mm, slot);',
        'const ptep = pmdp === 0 ? 0 : pteOffsetMap(cpu, mm, pmdp, slot, index);',
        'if (ptep !== 0) pteUnmap(cpu, mm, pmdp, slot, cpu.pmdval);',
        'localIrqEnable(cpu);',
        'return PTE_NONE;',
      ].join(' '),
    },
    protocol: 'percpu-refcount',
    scenario: 'races/perf-vs-free',
    oracle: 'sleep-in-atomic',
    noise: 30,
  },
  {
    name: 'move-looks-up-under-ptl',
    bug: 'S-24',
    summary: 'mremap looks its destination up under the ptl of the source, and frees what is dying',
    source: patch(12),
    edit: { label: 'move-order', becomes: 'const sourceFirst = true;' },
    protocol: 'percpu-refcount',
    scenario: 'races/move-vs-discard',
    oracle: 'lock-order',
    noise: 30,
  },
  {
    name: 'move-keeps-reference',
    bug: 'S-21',
    summary: 'a move whose destination is gone does not return its reference to the source',
    source: patch(12),
    flaw: { '-walkers': 'as-posted' },
    // Else the lookup frees under the ptl (S-24) before anything is put.
    edit: { label: 'free-dying', becomes: '' },
    protocol: 'percpu-refcount',
    scenario: 'races/move-vs-discard',
    oracle: 'reference-leak',
    noise: 30,
  },
  {
    name: 'readahead-without-reference',
    bug: 'S-23',
    summary: 'swap readahead goes on reading a table to which it holds no reference',
    source: patch(12),
    flaw: { '-walkers': 'as-posted' },
    protocol: 'percpu-refcount',
    scenario: 'races/readahead-vs-free',
    oracle: 'use-after-free',
    before: {
      oracle: 'table-zero',
      why: 'the pmd entry may be none before readahead follows it, which needs no grace period',
    },
  },
  {
    name: 'fork-without-reference',
    bug: 'S-31',
    summary: 'fork follows a pmd entry that page reclaim has cleared since fork looked at it',
    source: patch(12),
    edit: { label: 'fork-source-held', becomes: 'const posted = true;' },
    protocol: 'percpu-refcount',
    scenario: 'races/fork-vs-discard',
    oracle: 'table-zero',
  },
];

function patch(number: number): string {
  return `series Try to free user PTE page table pages (April 2022), patch ${number}`;
}
