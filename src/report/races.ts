/**
 * The race matrix: for each kind of race, who noticed it (rows) and who had done it (columns). A
 * race stands here when it was handled; one that was not is a violation.
 */
import type { RaceCount, Run } from '#result/result';
import { formatCount, formatShort } from './format.ts';
import { fact, type Page, wrap } from './page.ts';
import { type Cell, type Column, cell, grid, table } from './table.ts';

export function raceMatrix(page: Page, run: Run): string[] {
  const races = run.races.filter((race) => race.count > 0);
  if (races.length === 0) return fact(page, 'races', 'none was noticed');
  const exact = matrix(run, formatCount);
  const short = matrix(run, formatShort);
  const body =
    grid(page, exact.columns, exact.rows) ??
    grid(page, short.columns, short.rows) ??
    list(page, races);
  return [...body, ...wrap(page, ATTRIBUTION, 0, 'dim')];
}

/** A row of the matrix: how often each of the actors had done it. */
export interface RaceRow {
  readonly kind: string;
  readonly noticedBy: string;
  readonly counts: readonly number[];
}

/** The matrix: columns are who had done it, the busiest first. */
export function raceRows(run: Run): { actors: string[]; rows: RaceRow[] } {
  const races = run.races.filter((race) => race.count > 0);
  const actors = columnsOf(races);
  const rows = [...groups(races, ({ kind }) => kind)].flatMap(([kind, ofKind]) =>
    [...groups(ofKind, (race) => race.noticedBy)].map(([noticedBy, ofPair]) => {
      const counts = actors.map((actor) => sum(ofPair.filter((race) => race.causedBy === actor)));
      return { kind, noticedBy, counts };
    }),
  );
  return { actors, rows };
}

/** All races of a run, or all of one kind. */
export function raceSum(run: Run, kind?: string): number {
  return run.races
    .filter((race) => kind === undefined || race.kind === kind)
    .reduce((sum, race) => sum + race.count, 0);
}

export const ATTRIBUTION =
  'Columns: who had done it. A race on an entry counts against the last filler of its table.';

/** Who did it, the busiest first. */
function columnsOf(races: readonly RaceCount[]): string[] {
  const sums = new Map<string, number>();
  for (const race of races) sums.set(race.causedBy, (sums.get(race.causedBy) ?? 0) + race.count);
  return [...sums].sort((a, b) => b[1] - a[1]).map(([actor]) => actor);
}

interface Matrix {
  readonly columns: Column[];
  readonly rows: Cell[][];
}

function matrix(run: Run, format: (count: number) => string): Matrix {
  const { actors, rows } = raceRows(run);
  const columns: Column[] = [
    { head: 'race', align: 'left' },
    { head: 'noticed by', align: 'left' },
    ...actors.map((actor): Column => ({ head: cell(actor).text, align: 'right' })),
    { head: 'sum', align: 'right' },
  ];
  const cells = rows.map(({ kind, noticedBy, counts }, i) => [
    cell(kind === rows[i - 1]?.kind ? '' : kind, 'strong'),
    cell(noticedBy),
    ...counts.map((count) => cell(count === 0 ? '.' : format(count))),
    cell(format(counts.reduce((a, b) => a + b, 0)), 'strong'),
  ]);
  return { columns, rows: cells };
}

/** For narrow pages: one line for each cell of the matrix. */
function list(page: Page, races: readonly RaceCount[]): string[] {
  const columns: Column[] = [
    { head: 'race', align: 'left' },
    { head: 'noticed<-by', align: 'left' },
    { head: 'count', align: 'right' },
  ];
  const rows = races.map((race) => [
    cell(race.kind, 'strong'),
    cell(`${race.noticedBy}<-${race.causedBy}`),
    cell(formatShort(race.count)),
  ]);
  return table(page, columns, rows);
}

function groups<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const item of items) {
    const group = found.get(key(item));
    if (group === undefined) found.set(key(item), [item]);
    else group.push(item);
  }
  return found;
}

function sum(races: readonly RaceCount[]): number {
  return races.reduce((total, race) => total + race.count, 0);
}
