/**
 * The map of the arena: from a geometry to the place of everything. A pure function, so that only
 * the buffer and the plan need to cross to another thread.
 *
 *     control | mm | VMAs | VMA maps x 2 | per-CPU blocks | table descriptors | page descriptors |
 *     owners of the bodies | protocol's words | bodies | owners of the locks | trace
 */
import { assert } from '#base/assert';
import { CONTROL } from './layout/control.ts';
import {
  LOCK_SPACING_SHIFT,
  lockRecordWords,
  PROTOCOL_LOCK_SPACING_SHIFT,
} from './layout/lock-stat.ts';
import { MM, VMA } from './layout/mm.ts';
import { PAGE } from './layout/page.ts';
import { GATHER_TABLES_MAX, PERCPU } from './layout/percpu.ts';
import { PTDESC } from './layout/ptdesc.ts';
import { roundUpToLine } from './layout/struct.ts';
import { wordsOfTrace } from './layout/trace.ts';

/** Sizes of one machine. Nothing in the code assumes other figures. */
export interface Geometry {
  /** CPUs and kernel threads; each has a block. */
  readonly cpus: number;
  /** Entries per table, as a power of two: 9 on x86-64. */
  readonly ptrsShift: number;
  /** Levels of tables, 2 to 4. */
  readonly levels: number;
  /** Table frames, bodies and page frames, traps (number 0) included. */
  readonly tables: number;
  readonly bodies: number;
  readonly pages: number;
  readonly vmas: number;
  /** Pages that one mmu gather holds. */
  readonly gatherPages: number;
  /** Free frames that move at once between a CPU's list and the shared one. */
  readonly batch: number;
  /** `on-demand`: a PTE table has a body only while an entry is set. */
  readonly backing: 'fixed' | 'on-demand';
  /** Words that the protocol keeps for each table, and for each of each CPU; left out: none. */
  readonly tableWords?: number;
  readonly tableCpuWords?: number;
  /** Records of the lock statistics; left out: there are none. */
  readonly lockRecords?: number;
  /** Records in each ring of the trace; left out: there is none. */
  readonly traceEvents?: number;
}

export interface ArenaMap {
  readonly geometry: Required<Geometry>;
  readonly mm: number;
  readonly vmas: number;
  readonly vmaMaps: number;
  readonly vmaMapWords: number;
  readonly percpu: number;
  readonly percpuWords: number;
  /**
   * Offsets inside a per-CPU block: free pages, gathered pfns, gathered tables, VMA read locks,
   * lock statistics.
   */
  readonly pcp: number;
  readonly gatheredPages: number;
  readonly gatheredTables: number;
  readonly vmaReaders: number;
  readonly lockStat: number;
  readonly ptdescs: number;
  readonly pages: number;
  /** One word a body: the table that it belongs to. */
  readonly owners: number;
  /** Words that the protocol keeps: of each table, and of each CPU for each table. */
  readonly tableWords: number;
  readonly tableCpuWords: number;
  /** From one CPU's words to the next one's. */
  readonly tableCpuStride: number;
  readonly bodies: number;
  /** Who took each lock last, for the lock statistics (`lockOwnerAt`). */
  readonly lockOwners: number;
  /** See layout/trace.ts. */
  readonly trace: number;
  readonly sizeWords: number;
}

/** Word indices must stay small integers. */
export const WORDS_MAX = 2 ** 31 - 1;

export function arenaMap(sizes: Geometry): ArenaMap {
  const geometry = integral(sizes);
  assert(geometry.levels >= 2 && geometry.levels <= 4, 'two to four levels of tables');
  assert(geometry.ptrsShift >= 1 && geometry.ptrsShift <= 9, '2 to 512 entries per table');
  const ptrs = 1 << geometry.ptrsShift;
  const pcp = PERCPU.sizeWords;
  const gatheredPages = pcp + 2 * geometry.batch;
  const gatheredTables = gatheredPages + geometry.gatherPages;
  const vmaReaders = gatheredTables + GATHER_TABLES_MAX;
  const lockStat = roundUpToLine(vmaReaders + geometry.vmas);
  const percpuWords = roundUpToLine(lockStat + lockRecordWords(geometry.lockRecords));
  const tableCpuStride = roundUpToLine(geometry.tables * geometry.tableCpuWords);
  let at = roundUpToLine(CONTROL.sizeWords);
  const place = (sizeWords: number): number => {
    assert(at + sizeWords <= WORDS_MAX, `an arena has at most ${WORDS_MAX} words`);
    const here = at;
    at = roundUpToLine((at + sizeWords) | 0);
    return here;
  };
  const map = {
    geometry,
    mm: place(MM.sizeWords),
    vmas: place(geometry.vmas * VMA.sizeWords),
    vmaMapWords: roundUpToLine(1 + geometry.vmas),
    vmaMaps: place(2 * roundUpToLine(1 + geometry.vmas)),
    percpu: place(geometry.cpus * percpuWords),
    percpuWords,
    pcp,
    gatheredPages,
    gatheredTables,
    vmaReaders,
    lockStat,
    ptdescs: place(geometry.tables * PTDESC.sizeWords),
    pages: place(geometry.pages * PAGE.sizeWords),
    owners: place(geometry.bodies),
    tableWords: place(geometry.tables * geometry.tableWords),
    tableCpuWords: place(geometry.cpus * tableCpuStride),
    tableCpuStride,
    bodies: place(geometry.bodies * ptrs),
  };
  const lockOwners = place(geometry.lockRecords === 0 ? 0 : lockOwnerWords(map));
  const trace = place(wordsOfTrace(geometry.cpus, geometry.traceEvents));
  return { ...map, lockOwners, trace, sizeWords: at };
}

/** Locks lie before the page descriptors, or in the words that the protocol keeps for tables. */
function lockOwnerWords({ pages, geometry }: Pick<ArenaMap, 'pages' | 'geometry'>): number {
  const { tables, tableWords } = geometry;
  return (pages >> LOCK_SPACING_SHIFT) + ((tables * tableWords) >> PROTOCOL_LOCK_SPACING_SHIFT);
}

/**
 * The same sizes as small integers. A whole number that came by division or from another thread is
 * a floating-point number to V8, and then so is every place computed from it, on the hot path.
 */
function integral(sizes: Geometry): Required<Geometry> {
  return {
    cpus: sizes.cpus | 0,
    ptrsShift: sizes.ptrsShift | 0,
    levels: sizes.levels | 0,
    tables: sizes.tables | 0,
    bodies: sizes.bodies | 0,
    pages: sizes.pages | 0,
    vmas: sizes.vmas | 0,
    gatherPages: sizes.gatherPages | 0,
    batch: sizes.batch | 0,
    backing: sizes.backing,
    tableWords: (sizes.tableWords ?? 0) | 0,
    tableCpuWords: (sizes.tableCpuWords ?? 0) | 0,
    lockRecords: (sizes.lockRecords ?? 0) | 0,
    traceEvents: (sizes.traceEvents ?? 0) | 0,
  };
}
