/** The bench as text: each group with its notes and tables, as soon as it is measured. */
import { groupTables, type MeasuredGroup, type Table } from './report.ts';

export function groupLines(measured: MeasuredGroup, rounds: number): string[] {
  const { group, summary, notes } = measured;
  const lines = ['', `${group}: ${summary}`, ...notes.map((note) => `  note: ${note}`)];
  for (const table of groupTables(measured, rounds)) lines.push('', ...grid(table));
  return lines;
}

/** Cells in columns, numbers to the right. */
function grid({ heads, rows, numbers: [from, end] }: Table): string[] {
  const all = [heads, ...rows];
  const widths = heads.map((_, i) => Math.max(...all.map((row) => row[i].length)));
  const pad = (cell: string, i: number): string =>
    i >= from && i < end ? cell.padStart(widths[i]) : cell.padEnd(widths[i]);
  return all.map((row) => `  ${row.map(pad).join('  ')}`.trimEnd());
}
