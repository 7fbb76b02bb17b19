/** The protocols by name, with their options as the command line and scenarios may set them. */
import type { ReclaimProtocol } from '#mm/reclaim-protocol';
import { makeAsyncScanner } from './async-scanner.ts';
import { makeAtomicRefcount } from './atomic-refcount.ts';
import { makeLockedCounts } from './locked-counts.ts';
import { makeNoReclaim } from './none.ts';
import { makePercpuRefcount } from './percpu-refcount.ts';
import { makePtReclaim } from './pt-reclaim.ts';
import { TableRwsem } from './table-rwsem.ts';
import { ZapSecondWalk } from './zap-second-walk.ts';

export interface ProtocolOption {
  readonly type: 'duration' | 'size' | 'integer' | 'percent' | 'choice';
  /** As a person would write it, e.g. `100ms`. */
  readonly default: string;
  readonly choices?: readonly string[];
  readonly summary: string;
}

export interface ProtocolEntry {
  readonly name: string;
  readonly summary: string;
  /** Paper, series or commit that it follows. */
  readonly source: string;
  readonly options: Readonly<Record<string, ProtocolOption>>;
}

const VARIANT: ProtocolOption = {
  type: 'choice',
  default: 'fixed',
  choices: ['fixed', 'as-posted'],
  summary: 'with what reviews and this torture found repaired, or as posted, with all flaws',
};

/** An option that is as the variant has it unless it is set. */
const ON_OFF_BY_VARIANT = {
  type: 'choice',
  default: 'by-variant',
  choices: ['by-variant', 'on', 'off'],
} as const;

const FLUSH_OPTION: ProtocolOption = {
  type: 'choice',
  default: 'by-variant',
  choices: ['by-variant', 'tables', 'pages'],
  summary:
    'what the flush drops; as posted translations of pages only, so that idle CPUs walk by freed ' +
    'tables (K-16)',
};

const RULES = {
  type: 'choice',
  default: '6.5',
  choices: ['6.5', '5.18'],
  summary: 'lookups may fail and look again under the ptl; or neither, as before Linux 6.5',
} as const;

export const PROTOCOLS: readonly ProtocolEntry[] = [
  {
    name: 'none',
    summary: 'no reclaim: empty PTE tables stay until munmap or exit (the control)',
    source: 'Linux 6.5 to 6.13',
    options: { rules: RULES },
  },
  {
    name: 'atomic-refcount',
    summary: 'a table counts entries and walkers atomically, and goes with the last reference',
    source: 'series "Free user PTE page table pages" v3, November 2021',
    options: {
      variant: VARIANT,
      gets: {
        type: 'choice',
        default: 'by-variant',
        choices: ['by-variant', 'under-ptl', 'after-unlock'],
        summary:
          'when an entry that was set is counted; as posted, after the ptl is dropped (K-33)',
      },
      dying: {
        type: 'choice',
        default: 'by-variant',
        choices: ['by-variant', 'help', 'spin'],
        summary:
          'who finds a table dying unhooks it; as posted, tries again until that is done (K-37)',
      },
    },
  },
  {
    name: 'percpu-refcount',
    summary: 'the same count per CPU; MADV_DONTNEED sums it up, waits, and frees at zero',
    source: 'series "Try to free user PTE page table pages", April 2022',
    options: {
      variant: VARIANT,
      stableSync: {
        type: 'choice',
        default: 'on',
        choices: ['on', 'off'],
        summary: 'the count is stable when the switch to atomic mode returns (patch 02; S-01)',
      },
      switchLock: {
        type: 'choice',
        default: 'per-ref',
        choices: ['per-ref', 'global'],
        summary: 'what serialises the switches between modes (patch 03: each ref its own lock)',
      },
      lastPut: {
        type: 'choice',
        default: 'by-variant',
        choices: ['by-variant', 'frees', 'silent'],
        summary:
          'the last reference to an atomic count takes the table along; as posted it tells ' +
          'nobody (S-06, S-14)',
      },
      switchBack: {
        ...ON_OFF_BY_VARIANT,
        summary: 'a table not found empty goes back to percpu mode; as posted on (S-26)',
      },
      recheck: {
        ...ON_OFF_BY_VARIANT,
        summary: 'under the pml the count must still be zero; as posted off (S-15, S-16)',
      },
      rmapFlushNext: {
        ...ON_OFF_BY_VARIANT,
        summary: 'a table freed by an rmap walk has the next 2 MiB flushed; as posted on (S-27)',
      },
    },
  },
  {
    name: 'locked-counts',
    summary: 'tables count their entries under the ptl; memory pressure frees the empty ones',
    source: 'RFC "Try to free empty and zero user PTE page table pages", August 2022',
    options: {
      variant: VARIANT,
      rmapLocks: {
        ...ON_OFF_BY_VARIANT,
        summary: 'rmap walkers are kept out by the anon_vma lock; as posted off (S-07)',
      },
      vmaLock: {
        ...ON_OFF_BY_VARIANT,
        summary: 'faults under the VMA lock are kept out by its write lock; as posted off (K-02)',
      },
      rcuFree: {
        ...ON_OFF_BY_VARIANT,
        summary: 'a table is freed after a grace period; as posted off: at once (S-05, K-36)',
      },
      counts: {
        type: 'choice',
        default: 'by-variant',
        choices: ['by-variant', 'under-ptl', 'under-pml'],
        summary: 'where counts are read before a table goes; as posted under the pml (K-36)',
      },
      slots: {
        type: 'choice',
        default: 'by-variant',
        choices: ['by-variant', 'within-vma', 'any'],
        summary: 'which tables go; as posted also those that several VMAs share (S-08)',
      },
      zeroTables: {
        type: 'choice',
        default: 'by-variant',
        choices: ['by-variant', 'on', 'off', 'everywhere'],
        summary:
          'tables that map nothing but the zero page go too; as posted everywhere, also where ' +
          'userfaultfd watches (S-12)',
      },
      flush: FLUSH_OPTION,
      transitions: {
        type: 'choice',
        default: 'by-variant',
        choices: ['by-variant', 'all', 'as-posted'],
        summary: 'as posted, a zero page that takes the place of another goes uncounted (K-35)',
      },
      rules: {
        ...RULES,
        default: 'by-variant',
        choices: ['by-variant', ...RULES.choices],
      },
      batch: {
        type: 'integer',
        default: '0',
        summary:
          'tables gone through in one hold of the mmap lock for writing; 0: all below a PMD ' +
          'table, or 1 as posted',
      },
    },
  },
  {
    name: 'table-rwsem',
    summary: 'a semaphore for the page tables: walks read, whoever frees a table writes',
    source: 'idea of Jason Gunthorpe, November 2021; the concrete form is ours',
    options: {
      scope: {
        type: 'choice',
        default: 'mm',
        choices: ['mm', 'pmd'],
        summary: 'one semaphore for the address space, or one for the reach of each PMD table',
      },
      free: {
        type: 'choice',
        default: 'rcu',
        choices: ['rcu', 'now'],
        summary: 'after a grace period, or once flushed: enough for users of the semaphore only',
      },
    },
  },
  {
    name: 'async-scanner',
    summary: 'a periodic scan unhooks tables found empty under both locks',
    source: 'RFC "asynchronously scan and free empty user PTE pages", June 2024',
    options: {
      delay: { type: 'duration', default: '100ms', summary: 'time between two passes' },
      size: { type: 'size', default: '256MiB', summary: 'address space that one pass covers' },
      where: {
        type: 'choice',
        default: 'task-work',
        choices: ['task-work', 'kthread'],
        summary: 'who scans: tasks on return to user space, or a kernel thread',
      },
      process: {
        type: 'choice',
        default: 'on',
        choices: ['on', 'off'],
        summary: "the process's switch; changeable while it runs",
      },
      opt: {
        type: 'choice',
        default: 'all',
        choices: ['all', 'in', 'out'],
        summary: 'all VMAs are scanned, those that opted in, or all but those that opted out',
      },
      guided: {
        type: 'choice',
        default: 'no',
        choices: ['no', 'counts'],
        summary: 'an empty table is found by all its entries, or by a count kept under the ptl',
      },
      variant: VARIANT,
      flush: FLUSH_OPTION,
    },
  },
  {
    name: 'zap-second-walk',
    summary: 'after MADV_DONTNEED its range is walked again for tables found empty',
    source: 'series "synchronously scan and reclaim empty user PTE pages", July and August 2024',
    options: {
      flush: {
        type: 'choice',
        default: 'gather',
        choices: ['gather', 'locked'],
        summary: 'with the gather, as posted, or before the locks of the table are dropped (K-31)',
      },
    },
  },
  {
    name: 'pt-reclaim',
    summary: 'MADV_DONTNEED of a whole table frees it inside the zap',
    source: 'Linux 6.14, CONFIG_PT_RECLAIM (commit 6375e95f381e)',
    options: {
      variant: VARIANT,
      reverify: {
        type: 'choice',
        default: 'by-variant',
        choices: ['by-variant', 'all', 'rest', 'none'],
        summary:
          'entries looked at once the ptl was dropped: all; those not zapped in the last hold; ' +
          'none, as first merged (K-01)',
      },
      sharedLock: {
        type: 'choice',
        default: 'by-variant',
        choices: ['by-variant', 'held', 'tried'],
        summary: 'a pml that is the ptl counts as held; as first merged it is tried (K-03)',
      },
    },
  },
];

/** The protocol `name` with its resolved `options`. Unknown names are the caller's mistake. */
export function makeProtocol(
  name: string,
  options: Readonly<Record<string, number | string | boolean>>,
): ReclaimProtocol {
  switch (name) {
    case 'none':
      return makeNoReclaim(String(options['rules'] ?? '6.5'));
    case 'atomic-refcount':
      return makeAtomicRefcount(options);
    case 'percpu-refcount':
      return makePercpuRefcount(options);
    case 'locked-counts':
      return makeLockedCounts(options);
    case 'table-rwsem':
      return new TableRwsem(options['scope'] === 'pmd', options['free'] !== 'now');
    case 'async-scanner':
      return makeAsyncScanner(options);
    case 'zap-second-walk':
      return new ZapSecondWalk(options['flush'] === 'locked');
    case 'pt-reclaim':
      return makePtReclaim(options);
    default:
      throw new Error(`no protocol "${name}"`);
  }
}
