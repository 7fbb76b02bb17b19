/**
 * Several protocols on one scenario, side by side: a row for each run. What became of the page
 * tables stands first, what it cost below it, as wide as the page allows.
 */
import type { LatencySummary, Result, Run } from '#result/result';
import { throughput } from '#result/throughput';
import {
  formatKiB,
  formatNs,
  formatPercent,
  formatRate,
  formatRatio,
  formatShort,
} from './format.ts';
import { type Page, wrap } from './page.ts';
import { raceSum } from './races.ts';
import { type Cell, type Column, cell, grid, table } from './table.ts';
import { verdictOf, verdictStyle, verdictWord } from './verdict.ts';

export function comparison(page: Page, result: Result): string[] {
  return [
    ...tables(page, rowsOf(result)),
    '',
    ...LEGEND.flatMap((line) => wrap(page, line, 2, 'dim')),
    ...roundsNote(page, result.runs),
  ];
}

/** One of the three tables: page tables, latencies, and what else it cost. */
export interface ComparisonPart {
  readonly columns: readonly Column[];
  /** A row for each run, its protocol first. */
  readonly rows: readonly (readonly Cell[])[];
}

export function comparisonParts(result: Result): ComparisonPart[] {
  const rows = rowsOf(result);
  return PARTS.map((_, part) => ({ columns: columnsOf([part]), rows: cellsOf(rows, [part]) }));
}

function rowsOf({ runs }: Result): Row[] {
  const yardstick = runs.find((run) => run.protocol === CONTROL);
  const speed = yardstick === undefined ? 0 : throughput(yardstick);
  return runs.map((run) => ({
    head: [cell(run.protocol, 'strong')],
    parts: PARTS.map((part) => part.of(run, speed)),
  }));
}

/** The protocol that reclaims nothing, to which the others are compared. */
const CONTROL = 'none';

interface Part {
  readonly columns: readonly Column[];
  /** The cells of `run`; `speed` is the throughput to compare with, 0 where there is none. */
  of(run: Run, speed: number): Cell[];
}

interface Row {
  readonly head: readonly Cell[];
  readonly parts: readonly (readonly Cell[])[];
}

const HEAD: Column = { head: 'protocol', align: 'left' };

const MEMORY: Part = {
  columns: [
    ...right('peak', 'end', 'reclaimed', 'of', 'share', 'races', 'bad', 's'),
    { head: 'verdict', align: 'left' },
  ],
  of(run) {
    const { start, peak, end } = run.vmpteKiB;
    const { reclaimed, reclaimable } = run.tables;
    const verdict = verdictOf(run);
    const bad = run.violations.length;
    return [
      cell(formatKiB(peak - start)),
      cell(formatKiB(end - start)),
      cell(formatShort(reclaimed)),
      cell(formatShort(reclaimable)),
      cell(formatPercent(reclaimed, reclaimable)),
      cell(formatShort(raceSum(run))),
      cell(formatShort(bad), bad > 0 ? 'bad' : 'plain'),
      cell(seconds(run.seconds)),
      cell(verdictWord(verdict), verdictStyle(verdict)),
    ];
  },
};

const LATENCY: Part = {
  columns: right('fault', 'p99', 'max', 'madvise', 'p99', 'max'),
  of: ({ latencyNs }) => [...durations(latencyNs.fault), ...durations(latencyNs.madvise)],
};

const COST: Part = {
  columns: right('faults/s', 'speed', 'rmw', 'locks', 'waits'),
  of(run, speed) {
    const { walks, atomics, lockAcquisitions, graceWaits } = run.costs;
    return [
      cell(formatRate(run.pages.faulted, run.seconds)),
      cell(speed > 0 ? `${formatRatio(throughput(run), speed)}x` : ''),
      cell(formatRatio(atomics, walks)),
      cell(formatRatio(lockAcquisitions, walks)),
      cell(formatShort(graceWaits)),
    ];
  },
};

const PARTS = [MEMORY, LATENCY, COST];

/** What the columns mean. */
export const LEGEND: readonly string[] = [
  'peak, end: VmPTE above the start, at its highest and at the end.',
  'reclaimed, share: PTE tables reclaimed, and their share of the reclaimable.',
  'of: the reclaimable: those, and those left with no entry or zero pages only.',
  'races, bad, s: races handled, violations, seconds of the main phase.',
  'fault, p99, max: median time of a fault, what 99 % stay within, and the longest.',
  'madvise, p99, max: the same of madvise calls.',
  'faults/s, speed: pages faulted in each second, and that relative to none.',
  'rmw, locks: atomic read-modify-writes and lock acquisitions for each walk.',
  'waits: grace periods waited for.',
];

/** Two tables, or three; where a page is too narrow for the first, one block for each run. */
function tables(page: Page, rows: readonly Row[]): string[] {
  const memory = gridOf(page, rows, [0]);
  if (memory === null) return table(page, columnsOf([0, 1, 2]), cellsOf(rows, [0, 1, 2]));
  const cost = gridOf(page, rows, [1, 2]);
  if (cost !== null) return [...memory, '', ...cost];
  const apart = [1, 2].map((part) => table(page, columnsOf([part]), cellsOf(rows, [part])));
  return [memory, ...apart].flatMap((lines, i) => (i === 0 ? lines : ['', ...lines]));
}

/** The numbered parts in one grid, or null where it does not fit. */
function gridOf(page: Page, rows: readonly Row[], parts: readonly number[]): string[] | null {
  return grid(page, columnsOf(parts), cellsOf(rows, parts));
}

function columnsOf(parts: readonly number[]): Column[] {
  return [HEAD, ...parts.flatMap((part) => PARTS[part].columns)];
}

function cellsOf(rows: readonly Row[], parts: readonly number[]): Cell[][] {
  return rows.map((row) => [...row.head, ...parts.flatMap((part) => row.parts[part])]);
}

/** Which of several rounds the figures are of. */
function roundsNote(page: Page, runs: readonly Run[]): string[] {
  const most = Math.max(...runs.map((run) => run.rounds.n));
  if (most < 2) return [];
  return wrap(
    page,
    `Median of ${most} rounds by throughput, order alternates; ` +
      'where a round did not pass, that one.',
    2,
    'dim',
  );
}

function durations({ p50, p99, max, samples }: LatencySummary): Cell[] {
  return [p50, p99, max].map((ns) => cell(samples === 0 ? '-' : formatNs(ns)));
}

function right(...heads: string[]): Column[] {
  return heads.map((head) => ({ head, align: 'right' }));
}

function seconds(value: number): string {
  return value < 99.95 ? value.toFixed(1) : formatShort(value);
}
