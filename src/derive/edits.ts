/**
 * The broken versions. Each is a named edit of one labelled line of the living source: a line that
 * matters ends in a comment `// @label`, and the edit says what that line becomes. The source stays
 * clean, the hot path pays nothing, and a label that matches other than exactly once is an error.
 */

export interface Edit {
  /** Name on the command line (`--broken NAME`). */
  readonly name: string;
  /** The catalogue's bug id (`K-30`), or `control` for edits that only test our own judges. */
  readonly bug: string;
  /** One sentence: what is wrong. */
  readonly summary: string;
  /** Where the race was described first. */
  readonly source: string;
  /** Label of the line, without `@`. */
  readonly label: string;
  /** What the line becomes (JavaScript; may be empty to delete the line). */
  readonly becomes: string;
  /** Protocol and scenario that show it, and the oracle that must fire. */
  readonly protocol: string;
  readonly scenario: string;
  readonly oracle: string;
  /** `-p` parameters and noise that make the race likely. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly noise?: number;
}

/** What the sources that described the races first are called below. */
const SERIES = {
  lookup: 'mm: allow pte_offset_map[_lock]() to fail (Linux 6.5, commit 0d940a9b270b)',
  emptyTable:
    'mm: pgtable: fix incorrect reclaim of non-empty PTE pages (Linux 6.14, February 2025)',
  scanner: 'RFC asynchronously scan and free empty user PTE pages (June 2024)',
  review: 'review of synchronously scan and reclaim empty user PTE pages (August 2024)',
  lazy: 'x86/mm: fix flush_tlb_range() when used for zapping normal PMDs (2025, CVE-2025-22045)',
  nested: 'mm: fix MADV_[FREE|DONTNEED] TLB flush miss problem (commit 99baac21e458)',
  percpu: 'series Try to free user PTE page table pages (April 2022), patch 18',
  ours: 'own control',
} as const;

const RECLAIM: readonly Edit[] = [
  {
    name: 'no-pmd-recheck',
    bug: 'K-30',
    summary: 'a walker that got the ptl does not look whether the pmd still points to its table',
    source: SERIES.lookup,
    label: 'recheck-pmd',
    becomes: 'const hooked = true;',
    protocol: 'pt-reclaim',
    scenario: 'fault-vs-zap',
    oracle: 'lost-entry',
  },
  {
    name: 'direct-after-drop',
    bug: 'K-01',
    summary: 'the zap forgets that it dropped the ptl on the way and frees without looking (S-09)',
    source: SERIES.emptyTable,
    label: 'zap-direct',
    becomes: '',
    protocol: 'pt-reclaim',
    scenario: 'fault-vs-zap',
    oracle: 'nonempty-table-freed',
  },
  {
    name: 'scan-without-ptl',
    bug: 'S-13',
    summary: 'the scanner checks and unhooks a table without its ptl',
    source: SERIES.scanner,
    label: 'scan-ptl',
    becomes: 'const nested = false;',
    protocol: 'async-scanner',
    scenario: 'fault-vs-scanner',
    oracle: 'nonempty-table-freed',
  },
  {
    name: 'scan-drops-ptl',
    bug: 'S-13',
    summary: 'the scanner drops the ptl between its check and the unhooking',
    source: SERIES.scanner,
    label: 'scan-empty',
    becomes: [
      'const empty = hooked && tableIsEmpty(cpu, table);',
      'if (nested) spinUnlock(cpu, ptl, LOCK.ptl);',
      'if (nested) spinLockNested(cpu, ptl, LOCK.ptl, SINGLE_DEPTH_NESTING);',
    ].join(' '),
    protocol: 'async-scanner',
    scenario: 'fault-vs-scanner',
    oracle: 'nonempty-table-freed',
  },
  {
    name: 'scan-no-pmd-same',
    bug: 'S-13',
    summary: 'the scanner unhooks whatever the pmd points to by now, not the table that it checked',
    source: SERIES.scanner,
    label: 'scan-recheck-pmd',
    becomes: 'const hooked = true;',
    protocol: 'async-scanner',
    scenario: 'fault-vs-scanner',
    oracle: 'double-free',
  },
  {
    name: 'blocking-pml-under-ptl',
    bug: 'S-10',
    summary: 'the zap waits for the pml while it holds the ptl, against the lock order',
    source: SERIES.review,
    label: 'trylock-pml',
    becomes: 'spinLockNested(cpu, pml, LOCK.pml, SINGLE_DEPTH_NESTING); const locked = true;',
    protocol: 'pt-reclaim',
    scenario: 'churn',
    oracle: 'deadlock',
  },
  {
    name: 'scan-pml-under-ptl',
    bug: 'control',
    summary: 'the scanner takes the pml once more under the ptl, which it may hold alone',
    source: SERIES.ours,
    label: 'scan-ptl',
    becomes: [
      'const nested = ptl !== pml;',
      'if (nested) {',
      'pmdUnlock(cpu, pml);',
      'spinLockNested(cpu, ptl, LOCK.ptl, SINGLE_DEPTH_NESTING);',
      'pmdLock(cpu, mm, pmdp);',
      'spinUnlock(cpu, ptl, LOCK.ptl);',
      '}',
    ].join(' '),
    protocol: 'async-scanner',
    scenario: 'fault-vs-scanner',
    oracle: 'lock-order',
  },
  {
    name: 'lost-race-is-oom',
    bug: 'S-25',
    summary: 'a fault that finds its table gone says that there is no memory',
    source: SERIES.percpu,
    label: 'fault-no-table',
    becomes: 'return VM_FAULT.oom;',
    protocol: 'pt-reclaim',
    scenario: 'fault-vs-zap',
    oracle: 'untruthful-error',
  },
  {
    name: 'free-without-rcu',
    bug: 'S-05',
    summary: 'an unhooked table is freed at once, with lockless walkers inside',
    source: SERIES.percpu,
    label: 'free-by-rcu',
    becomes: 'freeTable(cpu, table);',
    protocol: 'pt-reclaim',
    scenario: 'fault-vs-zap',
    oracle: 'use-after-free',
  },
  {
    name: 'nr-ptes-not-decremented',
    bug: 'control',
    summary: 'a reclaimed table goes on being counted in VmPTE',
    source: SERIES.ours,
    label: 'dec-nr-ptes',
    becomes: '',
    protocol: 'pt-reclaim',
    scenario: 'fault-vs-zap',
    oracle: 'wrong-nr-ptes',
  },
  {
    name: 'rss-not-decremented',
    bug: 'control',
    summary: 'a zapped page goes on being counted in RSS',
    source: SERIES.ours,
    label: 'dec-rss',
    becomes: '',
    protocol: 'pt-reclaim',
    scenario: 'fault-vs-zap',
    oracle: 'wrong-rss',
  },
];

const TLB: readonly Edit[] = [
  stale('no-shootdown', 'a flush leaves the other CPUs their translations', 'flush-others', ''),
  stale('own-tlb-kept', 'a flush leaves this CPU its own translations', 'flush-own', ''),
  stale('gather-no-flush', 'a gather lets pages and tables go unflushed', 'gather-flush', ''),
  stale('serve-without-flush', 'a CPU acknowledges interrupts and does nothing', 'serve-flush', ''),
  stale('enter-without-flush', 'a CPU that was away does not catch up', 'enter-mm-flush', ''),
  stale('cow-no-flush', 'the zero page is replaced and stays in TLBs', 'clear-flush', ''),
  {
    ...stale('lazy-not-flushed', 'the flush is not told that tables go', 'freed-tables', ''),
    bug: 'K-16',
    source: SERIES.lazy,
  },
  {
    ...stale(
      'lazy-skipped',
      'CPUs in lazy TLB mode sleep on although a table goes',
      'flush-others',
      'interruptOthers(cpu, false);',
    ),
    bug: 'K-16',
    source: SERIES.lazy,
  },
  {
    ...stale('scanner-no-flush', 'the scanner frees tables unflushed', 'scan-flush', ''),
    bug: 'K-16',
    source: SERIES.scanner,
    protocol: 'async-scanner',
  },
  {
    ...stale(
      'nested-gather-ignored',
      'a zap that finds nothing does not wait for the flush of one that did',
      'nested-flush',
      'const nested = false;',
    ),
    bug: 'K-17',
    source: SERIES.nested,
    oracle: 'dontneed-not-done',
  },
];

const RCU: readonly Edit[] = [
  torture('rcu-callback-at-once', 'a callback is due as soon as it is queued', 'rcu-defer', {
    becomes: 'poke(at + RCU_RECORD.epoch, 0);',
    scenario: 'rcutorture',
    oracle: 'rcu-too-early',
  }),
  torture('rcu-reader-unregistered', 'a CPU with readers counts as idle', 'rcu-register', {
    becomes: 'store(cpu, cpu.block + PERCPU.rcuSeen, IDLE);',
    scenario: 'rcutorture',
    oracle: 'rcu-too-early',
  }),
];

const LOCKS: readonly Edit[] = [
  lock('ttas', 'does-nothing', 'the lock lets everybody in', 'ttas-take', 'const holder = 0;'),
  lock(
    'ttas',
    'not-atomic',
    'testing and setting are two steps',
    'ttas-take',
    'const holder = load(cpu, lockp); ' +
      'if (holder === 0) storeReleaseAndWake(cpu, lockp, cpu.id + 1);',
  ),
  lock(
    'ticket',
    'no-wait',
    'a ticket is drawn, not waited for',
    'ticket-wait',
    'const served = true;',
  ),
  lock(
    'ticket',
    'one-early',
    'the next in line does not wait for the holder to leave',
    'ticket-wait',
    'const served = ((mine - word) & SERVING_MASK) <= 1;',
  ),
  lock('mcs', 'no-wait', 'a CPU queues but does not wait', 'mcs-wait', ''),
  lock('mcs', 'no-handover', 'nobody is told of a release', 'mcs-handover', '', 'livelock'),
  lock(
    'rwsem',
    'reader-no-wait',
    'readers do not wait for the writer',
    'rwsem-read-wait',
    'if (!entered) addAndWake(cpu, sem + STATE, 1);',
  ),
  lock(
    'rwsem',
    'writer-no-wait',
    'a writer does not wait for readers',
    'rwsem-write-wait',
    'if (!entered) addAndWake(cpu, sem + STATE, WRITER);',
  ),
  lock('vma-lock', 'no-visit', 'the writer visits no reader', 'vma-visit', 'const inside = 0;'),
  lock(
    'vma-lock',
    'no-recheck',
    'a reader ignores the writer',
    'vma-recheck',
    'const free = true;',
  ),
];

export const EDITS: readonly Edit[] = [...RECLAIM, ...TLB, ...RCU, ...LOCKS];

/** A flush that is missing; `becomes` as in `Edit`. */
function stale(name: string, summary: string, label: string, becomes: string): Edit {
  return {
    name,
    bug: 'control',
    summary,
    source: SERIES.ours,
    label,
    becomes,
    protocol: 'pt-reclaim',
    scenario: 'tlb-shootdown',
    oracle: 'stale-translation',
  };
}

function torture(
  name: string,
  summary: string,
  label: string,
  rest: Pick<Edit, 'becomes' | 'scenario' | 'oracle' | 'parameters'>,
): Edit {
  return { name, bug: 'control', summary, source: SERIES.ours, label, protocol: 'none', ...rest };
}

function lock(
  which: string,
  fault: string,
  summary: string,
  label: string,
  becomes: string,
  oracle = 'mutual-exclusion',
): Edit {
  return torture(`${which}-${fault}`, summary, label, {
    becomes,
    scenario: 'locktorture',
    oracle,
    parameters: { lock: which },
  });
}
