/** Several protocols on one scenario, side by side: a row for each run. */
import type { Result, Run } from '#result/result';
import { formatKiB, formatRate, formatShort } from './format.ts';
import { type Page, wrap } from './page.ts';
import { raceSum } from './races.ts';
import { type Cell, type Column, cell, table } from './table.ts';
import { verdictOf, verdictStyle, verdictWord } from './verdict.ts';

export function comparison(page: Page, result: Result): string[] {
  return [...table(page, COLUMNS, result.runs.map(row)), ...wrap(page, LEGEND, 0, 'dim')];
}

const COLUMNS: Column[] = [
  { head: 'protocol', align: 'left' },
  { head: 'peak', align: 'right' },
  { head: 'end', align: 'right' },
  { head: 'faults/s', align: 'right' },
  { head: 'zaps/s', align: 'right' },
  { head: 'races', align: 'right' },
  { head: 'refilled', align: 'right' },
  { head: 'bad', align: 'right' },
  { head: 's', align: 'right' },
  { head: 'verdict', align: 'left' },
];

const LEGEND = 'peak, end: VmPTE above the start; bad: violations; s: seconds.';

function row(run: Run): Cell[] {
  const { start, peak, end } = run.vmpteKiB;
  const verdict = verdictOf(run);
  const bad = run.violations.length;
  return [
    cell(run.protocol, 'strong'),
    cell(formatKiB(peak - start)),
    cell(formatKiB(end - start)),
    cell(formatRate(run.pages.faulted, run.seconds)),
    cell(formatRate(run.pages.zapped, run.seconds)),
    cell(formatShort(raceSum(run))),
    cell(formatShort(raceSum(run, 'refilled'))),
    cell(formatShort(bad), bad > 0 ? 'bad' : 'plain'),
    cell(seconds(run.seconds)),
    cell(verdictWord(verdict), verdictStyle(verdict)),
  ];
}

function seconds(value: number): string {
  return value < 99.95 ? value.toFixed(1) : formatShort(value);
}
