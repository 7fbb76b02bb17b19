/**
 * What the protocols keep beside a PTE table's descriptor: words of the table itself, and words of
 * each CPU for each table. A protocol that is not listed keeps nothing.
 */
import { REF } from './percpu-ref.ts';
import { struct } from './struct.ts';

export interface ProtocolWords {
  readonly table: number;
  readonly tableCpu: number;
}

/** P1: the count of references. */
export const ATOMIC_REF = struct({ refcount: 1 });
/** P3: entries that are not none in bits 0-9, entries that map the zero page in bits 10-19. */
export const TABLE_COUNTS = struct({ counts: 1 });
export const COUNTS_MASK = 0x3ff;
export const COUNTS_ZEROS_SHIFT = 10;
/** P4: the reader-writer semaphore of a PMD table. */
export const TABLE_SEM = struct({ sem: 2 });

const WORDS: Readonly<Record<string, ProtocolWords>> = {
  'atomic-refcount': { table: ATOMIC_REF.sizeWords, tableCpu: 0 },
  'percpu-refcount': { table: REF.sizeWords, tableCpu: 1 },
  'locked-counts': { table: TABLE_COUNTS.sizeWords, tableCpu: 0 },
  'table-rwsem': { table: TABLE_SEM.sizeWords, tableCpu: 0 },
  'async-scanner': { table: TABLE_COUNTS.sizeWords, tableCpu: 0 },
};

/** Whether protocol `name` counts entries in `TABLE_COUNTS`; some do only with an option. */
export function countsEntries(name: string, guided: unknown): boolean {
  return name === 'locked-counts' || (name === 'async-scanner' && guided === 'counts');
}

/** What protocol `name` keeps. */
export function protocolWords(name: string): ProtocolWords {
  return WORDS[name] ?? { table: 0, tableCpu: 0 };
}
