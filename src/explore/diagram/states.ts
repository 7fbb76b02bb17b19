/**
 * How the machine stands after each row of a diagram: what its tables hold, and who holds which
 * lock.
 */
import { PERCPU } from '#arena/layout/percpu';
import {
  FRAME,
  frameGenerationOf,
  frameLevelOf,
  frameStateOf,
  PTDESC,
  PTDESC_SHIFT,
} from '#arena/layout/ptdesc';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import { blockOf } from '#oracles/evidence';
import { nameWord, pmdText, pteText } from '#oracles/word-name';
import type { InterleavingState, InterleavingTable } from '#result/interleaving';
import type { Schedule } from '../schedule.ts';
import type { SteppedMachine } from '../stepped-machine.ts';
import { type Picture, picturesAfter } from './pictures.ts';

/** Tables that are shown, and entries of a table up to which all are. */
const TABLES_MAX = 8;
const ENTRIES_ALL = 8;
const ENTRIES_MAX = 16;

export interface Moment {
  /** The step after which the row is over. */
  readonly step: number;
  /** Tables that the row speaks of. */
  readonly tables: readonly number[];
}

/** The states before the first row and after each of `rows`, which are in order of their steps. */
export function statesOf(
  machine: SteppedMachine,
  schedule: Schedule,
  rows: readonly Moment[],
  stepsMax?: number,
): InterleavingState[] {
  if (rows.length === 0) return [];
  const first = { step: Math.max(-1, rows[0]!.step - 1), tables: [] };
  const moments = [first, ...rows];
  const steps = moments.map(({ step }) => step);
  const pictures = picturesAfter(machine, schedule, steps, stepsMax);
  const memories = pictures.map(({ words }) => words);
  const { map, plan } = machine;
  const shown = shownTables(memories, map, rows).map((table) => ({
    table,
    indices: shownEntries(memories, map, table),
  }));
  return moments.map(({ step }, row) => ({
    ...{ row, step },
    holds: plan.columns.map((_, cpu) => ({ cpu, what: heldBy(pictures[row]!, map, cpu) })),
    tables: shown.map(({ table, indices }) => tableIn(memories[row]!, map, table, indices)),
  }));
}

/** Of the lowest level or the one above: what the rows speak of, then what is in use at all. */
function shownTables(memories: readonly Words[], map: ArenaMap, rows: readonly Moment[]): number[] {
  const spoken = new Set(rows.flatMap(({ tables }) => tables));
  const isShown = (table: number, isSpoken: boolean): boolean =>
    memories.some((words) => {
      const state = stateOf(words, map, table);
      const isLive = frameStateOf(state) === FRAME.table || frameStateOf(state) === FRAME.unhooked;
      return (isLive || isSpoken) && frameLevelOf(state) <= 1;
    });
  const all = Array.from({ length: map.geometry.tables - 1 }, (_, i) => i + 1);
  const first = all.filter((table) => spoken.has(table) && isShown(table, true));
  const others = all.filter((table) => !spoken.has(table) && isShown(table, false));
  const level = (table: number): number => frameLevelOf(stateOf(memories.at(-1)!, map, table));
  return [...first, ...others]
    .slice(0, TABLES_MAX)
    .toSorted((a, b) => level(b) - level(a) || a - b);
}

/** Entries that hold something in some picture; of small tables all. */
function shownEntries(memories: readonly Words[], map: ArenaMap, table: number): number[] {
  const ptrs = 1 << map.geometry.ptrsShift;
  const all = Array.from({ length: ptrs }, (_, index) => index);
  if (ptrs <= ENTRIES_ALL) return all;
  const held = all.filter((index) =>
    memories.some((words) => {
      const first = entriesOf(words, map, table);
      return first !== 0 && words[first + index] !== 0;
    }),
  );
  return held.slice(0, ENTRIES_MAX);
}

function tableIn(
  words: Words,
  map: ArenaMap,
  table: number,
  indices: readonly number[],
): InterleavingTable {
  const state = stateOf(words, map, table);
  const level = frameLevelOf(state);
  const first = entriesOf(words, map, table);
  const text = level === 0 ? pteText : pmdText;
  return {
    ...{ table, generation: frameGenerationOf(state), level, state: stateText(state) },
    entries: indices.map((index) => [index, first === 0 ? '' : text(words[first + index]!)]),
  };
}

function stateText(state: number): string {
  const name = Object.entries(FRAME).find(([, value]) => value === frameStateOf(state))![0];
  return name === 'table' ? 'in use' : name;
}

/** Where the table's entries are; 0: it has none, as it is free, or empty and on demand. */
function entriesOf(words: Words, map: ArenaMap, table: number): number {
  const body = words[map.ptdescs + (table << PTDESC_SHIFT) + PTDESC.body]!;
  return body === 0 ? 0 : map.bodies + (body << map.geometry.ptrsShift);
}

function stateOf(words: Words, map: ArenaMap, table: number): number {
  return words[map.ptdescs + (table << PTDESC_SHIFT) + PTDESC.state]!;
}

/** Semaphores and spinlocks, VMA locks for reading, and an RCU read section. */
function heldBy({ words, leaving }: Picture, map: ArenaMap, cpu: number): string[] {
  const block = blockOf(map, cpu);
  const list = (first: number, count: number): number[] => [
    ...words.subarray(block + first, block + first + words[block + count]!),
  ];
  const left = leaving.get(cpu);
  const locks = [
    ...list(PERCPU.semaphores, PERCPU.semaphoreCount),
    ...list(PERCPU.held, PERCPU.heldCount),
    ...(left === undefined ? [] : [left]),
  ].map((at) => nameWord(words, map, at).name);
  const readers = words.subarray(block + map.vmaReaders, block + map.percpuWords);
  const vmas = readers.some((word) => word !== 0) ? ['VMA lock for reading'] : [];
  const sections = words[block + PERCPU.rcuNesting]! > 0 ? ['RCU read section'] : [];
  return [...vmas, ...locks, ...sections];
}
