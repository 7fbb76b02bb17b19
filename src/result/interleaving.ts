/**
 * The diagram of an execution: which CPU did what, in order, as far as it matters. Plain data, a
 * published part of results; report/diagram.ts sets it in columns.
 */

/** What a row is about; the words stay what they are, others may join them. */
export type InterleavingKind =
  | 'lock'
  | 'unlock'
  | 'trylock-failed'
  | 'pmd-read'
  | 'pte-read'
  | 'pte-write'
  | 'hook'
  | 'unhook'
  | 'defer'
  | 'free'
  | 'page'
  | 'rcu'
  | 'ipi'
  | 'flush'
  | 'remember'
  | 'no-memory'
  | 'other';

/** A place in the sources. */
export interface InterleavingSite {
  function: string;
  /** As in `src/mm/zap.ts`, and the line in it. */
  file: string;
  line: number;
}

export interface InterleavingRow {
  /** Rows are counted from 1. */
  row: number;
  cpu: number;
  /** Number of the (first) step in the execution, from 0; -1: before all steps. */
  step: number;
  kind: InterleavingKind;
  /** What the CPU does, as a clause whose subject is the CPU: `takes ptl of table 7`. */
  text: string;
  /** What is wrong with it, as it was noted at once; null: nothing was. */
  violation: string | null;
  /** Who makes what this row has read untrue before the CPU looks again; null: nobody. */
  staleFrom: { row: number; cpu: number } | null;
  site: InterleavingSite | null;
  /** What the CPU is doing (`fault`, `madvise`), and the number of its operation. */
  actor: string;
  operation: number;
}

/** A page table as it stands after a row. */
export interface InterleavingTable {
  table: number;
  /** How often its frame has been handed out. */
  generation: number;
  /** 0: of PTEs; 1: of pmd entries. */
  level: number;
  /** `in use`, `unhooked` or `free`. */
  state: string;
  /** What entries hold: those that hold anything in some row; of small tables all. */
  entries: [index: number, value: string][];
}

/** What matters of the machine when the step of a row is over. */
export interface InterleavingState {
  /** 0: before the first row. */
  row: number;
  /** The step that it is taken after; -1: before all steps. */
  step: number;
  /** Of each column's CPU: the locks that it holds, and whether it is in an RCU read section. */
  holds: { cpu: number; what: string[] }[];
  /** The same tables in each row. */
  tables: InterleavingTable[];
}

/** A CPU that waits when nobody can go on. */
export interface InterleavingWait {
  cpu: number;
  holds: string[];
  waitsFor: string;
}

export interface Interleaving {
  /** One column for each CPU: its number, and what it runs. */
  columns: { cpu: number; runs: string }[];
  rows: InterleavingRow[];
  /** One more than rows; documents of older versions have none. */
  states?: InterleavingState[] | null | undefined;
  /** Of a deadlock, else empty. */
  waits: InterleavingWait[];
  /** What went wrong; null: nothing did. */
  verdict: { kind: string; message: string } | null;
  /** The two acts that raced, by their rows; null: none were found. */
  raced: { cpu: number; row: number }[] | null;
  /** What went wrong and which acts raced, in words. */
  closing: string;
  /** Steps of the execution's main phase, most of which are in no row. */
  steps: number;
}
