/**
 * The plan: what the machine runs. Plain data, complete (every default filled in, every parameter
 * resolved), so that a saved result can be run again without its scenario file.
 *
 * Lengths of address space are in pages (4 KiB on the modelled machine); a *slot* is the part of
 * the address space that one PTE table maps (512 pages, 2 MiB).
 */

/** A stretch of address space that operations name by its index in `Plan.regions`. */
export interface Region {
  readonly name: string;
  /** Length in pages. */
  readonly pages: number;
  /** Filters that protocols look at; a region may carry several. */
  readonly flags: readonly VmaFlag[];
  /** First page relative to the preceding region's end; 0 makes the two share a PTE table. */
  readonly gapPages: number;
}

/**
 * `uffd-missing`: faults go to a userfaultfd; `shared`: the process's part of a shared mapping;
 * `pt-scan`: its tables may be scanned, where a protocol asks for consent; `noreserve`: mapped with
 * MAP_NORESERVE, so that no memory is set aside for what may be written.
 */
export type VmaFlag =
  | 'hugetlb'
  | 'hugepage'
  | 'uffd-wp'
  | 'uffd-missing'
  | 'shared'
  | 'pt-scan'
  | 'noreserve';

/** What `madvise` may say besides `MADV_DONTNEED`, which is the operation `dontneed`. */
export type Advice =
  | 'free'
  | 'pageout'
  | 'cold'
  | 'populate-read'
  | 'populate-write'
  | 'willneed'
  | 'guard-install'
  | 'guard-remove'
  | 'pt-scan'
  | 'no-pt-scan';

/** What user code may do with mapped pages: nothing, read, or read and write (`write`). */
export type Protection = 'none' | 'read' | 'write';

/** Who walks page tables other than a fault or a zap. */
export type Walker =
  | 'smaps'
  | 'pagemap'
  | 'mincore'
  | 'mprotect'
  | 'migrate'
  | 'numa'
  | 'uffd-copy'
  | 'uffd-zeropage'
  | 'uffd-wp'
  | 'fork'
  | 'gup'
  | 'gup-fast'
  | 'ksm'
  | 'gup-fast-only'
  | 'perf';

/**
 * Which part of its region an operation applies to: all of it; the running `sweep`'s chunk; one
 * random slot; a random part of one slot; a random run of up to eight slots; one random page; or
 * just these pages.
 */
export type Extent = 'whole' | 'chunk' | 'slot' | 'part' | 'slots' | 'page' | PageSpan;

/** `pages` pages from number `page` of the region on; of the whole region, not of a share. */
export interface PageSpan {
  readonly page: number;
  readonly pages: number;
}

/** `own`: this CPU's equal share of the region (slot aligned); `all`: the region. */
export type Share = 'all' | 'own';

export interface Where {
  readonly region: number;
  readonly extent: Extent;
  readonly share: Share;
}

export type Op =
  /** Maps pages (afresh: what is mapped there is unmapped first). */
  | ({ readonly op: 'mmap'; readonly protection: Protection } & Where)
  | ({ readonly op: 'munmap' } & Where)
  | ({ readonly op: 'mprotect'; readonly protection: Protection } & Where)
  /**
   * Moves a mapping (`to`: its first page afterwards, in the same region), or lets it shrink or
   * grow where it is (null); `newPages`: how long it then is.
   */
  | ({ readonly op: 'mremap'; readonly to: number | null; readonly newPages: number } & Where)
  /** Sets the end of the heap that begins where the region does: `pages` pages are mapped. */
  | { readonly op: 'brk'; readonly region: number; readonly pages: number }
  /**
   * User accesses. `pages`: each page of the extent, the first page of each slot, or that many
   * random ones. Writes store a stamp in pages that this CPU owns (see `ownership`); elsewhere, and
   * for `read`, the page is read, and compared when this CPU owns it.
   */
  | ({
      readonly op: 'touch';
      readonly access: 'write' | 'read';
      readonly pages: 'every' | 'one-per-slot' | number;
    } & Where)
  | ({ readonly op: 'dontneed' } & Where)
  /**
   * One `process_madvise` call with `MADV_DONTNEED` for the first page of each slot: one flush for
   * all, as Linux has it since 6.16.
   */
  | ({ readonly op: 'purge' } & Where)
  | ({ readonly op: 'madvise'; readonly advice: Advice } & Where)
  /** `MADV_DONTNEED` of single pages: each page of the extent with a chance of `percent`. */
  | ({ readonly op: 'punch'; readonly percent: number } & Where)
  /** One walk over the extent, as the named part of the kernel does it. */
  | ({ readonly op: 'walk'; readonly walker: Walker } & Where)
  /** Memory reclaim through the rmap: swaps pages out, and drops clean lazyfree ones. */
  | ({ readonly op: 'reclaim' } & Where)
  /** Memory pressure: the protocol reclaims tables, where it does so under pressure. */
  | { readonly op: 'pressure' }
  /** Runs `do` once for each chunk of `pages` pages of the share, in address order. */
  | {
      readonly op: 'sweep';
      readonly region: number;
      readonly share: Share;
      readonly pages: number;
      readonly do: readonly Op[];
    }
  /** `times` rounds; `null`: until the run is told to stop. */
  | { readonly op: 'loop'; readonly times: number | null; readonly do: readonly Op[] }
  /** `times` rounds (`null`: until stopped), each doing one choice, drawn by weight. */
  | { readonly op: 'mix'; readonly times: number | null; readonly choices: readonly Choice[] }
  | { readonly op: 'sleep'; readonly ms: number }
  /**
   * One scanner pass without delay, where the protocol has a scanner; else nothing. `untilIdle`:
   * passes until one finds nothing to reclaim.
   */
  | { readonly op: 'scan'; readonly untilIdle: boolean }
  /**
   * All CPUs meet; then the phase of that name begins. Outermost only, and every column has the
   * same ones in the same order.
   */
  | { readonly op: 'rendezvous'; readonly phase: string }
  /**
   * What threads of a real program did (see `trace/calls.ts`), in region 0: in the order of the
   * recording, in which each CPU waits for its turn, or as fast as it goes.
   */
  | { readonly op: 'recorded'; readonly order: 'recorded' | 'free'; readonly calls: string }
  /** One round of the RCU torture test (after rcutorture). */
  | { readonly op: 'rcutorture'; readonly role: 'reader' | 'writer' }
  /** One round of the lock torture test (after locktorture) on the named primitive. */
  | { readonly op: 'locktorture'; readonly lock: TorturedLock };

export type TorturedLock = 'ttas' | 'ticket' | 'mcs' | 'rwsem' | 'vma-lock';

export interface Choice {
  readonly weight: number;
  readonly do: readonly Op[];
}

export type LockAlgorithm = 'ttas' | 'ticket' | 'mcs';

/** Lock classes whose algorithm can be chosen. */
export type SpinClass = 'ptl' | 'pml' | 'page-table' | 'zone';

export interface Plan {
  readonly scenario: string;
  readonly seed: number;
  /** Number of CPUs; `columns` has one entry per CPU. */
  readonly cpus: number;
  readonly protocol: string;
  /** The protocol's own options, resolved (e.g. `delayMs`, `sizePages`, `where` of the scanner). */
  readonly options: Readonly<Record<string, number | string | boolean>>;
  /** Name of the edit to run with, or null for the living source. */
  readonly broken: string | null;
  /** Resolved scenario parameters, as shown to the user. */
  readonly parameters: Readonly<Record<string, number | string>>;
  /** Entries per table as a power of two (9 on x86-64), and the number of levels (4). */
  readonly ptrsShift: number;
  readonly levels: number;
  /**
   * Page frames and table frames of the simulated machine; 0: the machine decides from the regions.
   */
  readonly pageFrames: number;
  readonly tableFrames: number;
  /** `on-demand`: empty PTE tables have no body (large scenarios). */
  readonly backing: 'fixed' | 'on-demand';
  readonly locks: Readonly<Record<SpinClass, LockAlgorithm>>;
  readonly splitLocks: boolean;
  /** `abstract`: for exploration, see sync/rcu-abstract.ts. */
  readonly rcu: 'qsbr' | 'announced' | 'abstract';
  /** Random delays at the gate: 0 none .. 100 most. */
  readonly noise: number;
  /** Whether the CPUs keep lock statistics, by call site. */
  readonly lockStat: boolean;
  /** How many records of the trace each CPU keeps; 0: there is no trace. */
  readonly traceEvents: number;
  /** Pages one mmu gather holds before it is full. */
  readonly gatherPages: number;
  /** Tables one mmu gather holds before it hands them on. */
  readonly gatherBatch: number;
  /**
   * How a table is freed alone when the gather's batch cannot be allocated: queued to RCU by
   * itself; after an interrupt to all other CPUs; after waiting for a grace period (`sync`); or at
   * once, which is wrong.
   */
  readonly gatherFallback: 'rcu' | 'ipi' | 'sync' | 'now';
  /** Chance that an allocation (page, table, gather batch) fails, per million. */
  readonly allocFailPerMillion: number;
  /** How walkers react when a table is not to be had: as the series were posted, or put right. */
  readonly walkerReactions: 'fixed' | 'as-posted';
  /**
   * What a flush drops of the paging-structure caches where tables were freed: all, as on x86, or
   * what is remembered of the range flushed only.
   */
  readonly pwcFlush: 'all' | 'range';
  /**
   * Of exploration: any CPU may go on at any time; or once an operation of CPU 0 has begun no other
   * CPU goes on while that can, as if all were one processor on which its task has a higher
   * priority than all others (SCHED_FIFO). Threads are scheduled by the system.
   */
  readonly scheduler: 'fair' | 'fifo';
  /**
   * How a flush reaches other CPUs: each is interrupted and carries it out, as on x86; or hardware
   * does it for them, as on arm64, and waits for accesses under way only.
   */
  readonly shootdown: 'ipi' | 'broadcast';
  /** Chance that a zap loop finds need-resched set, per million entries. */
  readonly reschedPerMillion: number;
  /**
   * Pages are owned by slot or interleaved page by page, and only the owner writes a page; or all
   * CPUs write all pages, each with stamps of its own.
   */
  readonly ownership: 'interleaved' | 'slots' | 'shared';
  readonly regions: readonly Region[];
  readonly setup: readonly Op[];
  readonly columns: readonly (readonly Op[])[];
  /** Ends the main phase after so long (milliseconds); null: when all columns are done. */
  readonly durationMs: number | null;
  /**
   * Ends each column after so many rounds, counted over its outermost loops (a round of `loop` or
   * `mix`, a chunk of `sweep`); null: no such limit. Other outermost operations run as always.
   */
  readonly opsMax: number | null;
  /** What must be true of this protocol at the end; see `Expectation`. */
  readonly expectations: readonly Expectation[];
  /** What executions of this protocol may end in; exploration judges it, a free run does not. */
  readonly outcomes: readonly OutcomeExpectation[];
}

/** `sometimes`: in at least one execution, but not in all. */
export type Expected = 'never' | 'sometimes' | 'always';

/** What is expected of an outcome. About one that no expectation names nothing is said. */
export interface OutcomeExpectation {
  readonly outcome: OutcomeName;
  readonly expected: Expected;
}

/**
 * What an execution may end in. The first are the kinds of races, true when at least one was
 * counted by the end of the main phase.
 */
export type OutcomeName =
  | 'pmdChanged'
  | 'pmdGone'
  | 'pteChanged'
  | 'tableLost'
  | 'refilled'
  | 'pmdTrylockFailed'
  | 'staleWalk'
  | 'vmaLockFallback'
  | 'trygetFailed'
  | 'reclaimed'
  | 'tableKept'
  | 'flushWaited'
  | 'overlap'
  | 'oom'
  | 'violation';

/**
 * A figure of the result and the bounds it must keep, e.g. `{ figure: 'vmpteAboveStartKiB', max:
 * 208, min: null, phase: null }`.
 */
export interface Expectation {
  readonly figure: Figure;
  /** Of which phase of the result's `phases`; null: at the end of the run. */
  readonly phase: string | null;
  readonly min: number | null;
  readonly max: number | null;
}

/**
 * `reclaimedPercent`: tables reclaimed of those that were reclaimable. `phaseSeconds` always has a
 * phase; of the others only `vmpteKiB` may have one.
 */
export type Figure =
  | 'vmpteAboveStartKiB'
  | 'vmpteKiB'
  | 'rssKiB'
  | 'pteTables'
  | 'reclaimedPercent'
  | 'phaseSeconds';
