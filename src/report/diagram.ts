/**
 * An interleaving as kernel developers put it into a commit message: a column for each CPU, time
 * downwards, and below it a sentence that says which acts raced. A pure function of the data.
 */
import type { Interleaving, InterleavingRow } from '#result/interleaving';
import { type Page, type Paint, type Style, wrap } from './page.ts';

export type DiagramFormat = 'text' | 'markdown' | 'json';

export interface DiagramOptions {
  /** Columns of the terminal; of text alone. */
  readonly width: number;
  readonly format: DiagramFormat;
  readonly paint?: Paint;
}

/** Columns narrower than this cannot be read; then all CPUs share one. */
const COLUMN_MIN = 26;
/** Of a terminal narrower than this nothing is left for columns. */
const COLUMNS_WIDTH_MIN = 60;
const GAP = 2;

/** The diagram, ending in a newline. */
export function renderInterleaving(interleaving: Interleaving, options: DiagramOptions): string {
  const { format, width } = options;
  if (format === 'json') return `${JSON.stringify(interleaving, null, 2)}\n`;
  if (format === 'markdown') return markdown(interleaving);
  const page = { width, paint: options.paint ?? unpainted };
  const lines = [...body(page, interleaving), '', ...wrap(page, interleaving.closing)];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

/** What a row says, without its number: the function where it is another one than before. */
function saying(row: InterleavingRow, before: InterleavingRow | undefined): string {
  const name = row.site?.function ?? '';
  const isNew = name !== '' && name !== before?.site?.function;
  const stale =
    row.staleFrom === null
      ? ''
      : ` (cpu${row.staleFrom.cpu} changes it in row ${row.staleFrom.row})`;
  return `${isNew ? `${name}: ` : ''}${row.text}${stale}`;
}

/** What each row says, given the row of the same CPU before it. */
export function sayings({ rows }: Interleaving): string[] {
  const latest = new Map<number, InterleavingRow>();
  return rows.map((row) => {
    const text = saying(row, latest.get(row.cpu));
    latest.set(row.cpu, row);
    return text;
  });
}

function body(page: Page, interleaving: Interleaving): string[] {
  const { columns, rows } = interleaving;
  const number = Math.max(2, String(rows.length).length) + GAP;
  const room = page.width - number - GAP * (columns.length - 1);
  const each = Math.floor(room / columns.length);
  if (page.width < COLUMNS_WIDTH_MIN || each < COLUMN_MIN) return list(page, interleaving);
  return grid(page, interleaving, number, each);
}

function grid(page: Page, interleaving: Interleaving, number: number, each: number): string[] {
  const { columns, rows, waits } = interleaving;
  const column = (cpu: number): number => columns.findIndex((one) => one.cpu === cpu);
  const set = (head: string, cells: ReadonlyMap<number, Piece[]>): string[] =>
    beside(page, head.padStart(number - GAP) + ' '.repeat(GAP), columns.length, each, cells);
  const inAll = (text: (cpu: number, i: number) => Piece[]): Map<number, Piece[]> =>
    new Map(columns.map(({ cpu }, i) => [i, text(cpu, i)]));
  const said = sayings(interleaving);
  return [
    ...set(
      '',
      inAll((cpu, i) => [{ text: heading(cpu, columns[i]!.runs), style: 'strong' }]),
    ),
    ...set(
      '',
      inAll((cpu, i) => [{ text: '-'.repeat(rule(cpu, columns[i]!.runs, each)), style: 'dim' }]),
    ),
    ...rows.flatMap((row, i) =>
      set(String(row.row), new Map([[column(row.cpu), pieces(row, said[i]!)]])),
    ),
    ...(waits.length === 0 ? [] : ['']),
    ...(waits.length === 0
      ? []
      : set('', new Map(waits.map((wait) => [column(wait.cpu), waiting(wait)])))),
  ];
}

function heading(cpu: number, runs: string): string {
  return runs === '' ? `cpu${cpu}` : `cpu${cpu}: ${runs}`;
}

function rule(cpu: number, runs: string, each: number): number {
  return Math.min(each, [...heading(cpu, runs)].length);
}

interface Piece {
  readonly text: string;
  readonly style: Style;
}

function pieces({ violation }: InterleavingRow, said: string): Piece[] {
  if (violation === null) return [{ text: said, style: 'plain' }];
  return [
    { text: said, style: 'bad' },
    { text: `^ ${violation}`, style: 'bad' },
  ];
}

function waiting({ holds, waitsFor }: Interleaving['waits'][number]): Piece[] {
  const held = holds.length === 0 ? 'holds nothing' : `holds ${holds.join(', ')}`;
  return [
    { text: held, style: 'plain' },
    { text: `waits for ${waitsFor}`, style: 'bad' },
  ];
}

/** Cells beside each other, each wrapped in its column. */
function beside(
  page: Page,
  head: string,
  columns: number,
  each: number,
  cells: ReadonlyMap<number, readonly Piece[]>,
): string[] {
  const wrapped = Array.from({ length: columns }, (_, i) =>
    (cells.get(i) ?? []).flatMap(({ text, style }) =>
      wrap({ width: each, paint: unpainted }, text, 2).map((line) => ({ text: line, style })),
    ),
  );
  const height = Math.max(...wrapped.map((lines) => lines.length));
  return Array.from({ length: height }, (_, y) => {
    const line = wrapped.map((lines) => {
      const { text, style } = lines[y] ?? { text: '', style: 'plain' as const };
      return page.paint(style, text) + ' '.repeat(each - [...text].length);
    });
    return (y === 0 ? head : ' '.repeat(head.length)) + line.join(' '.repeat(GAP));
  });
}

/** For many CPUs, and narrow pages: one column. */
function list(page: Page, interleaving: Interleaving): string[] {
  const { columns, rows, waits } = interleaving;
  const said = sayings(interleaving);
  return [
    ...columns.flatMap(({ cpu, runs }) => wrap(page, heading(cpu, runs), 2, 'strong')),
    '',
    ...rows.flatMap((row, i) =>
      pieces(row, `${String(row.row).padStart(2)} cpu${row.cpu}: ${said[i]}`).flatMap((piece, n) =>
        wrap(page, n === 0 ? piece.text : `     ${piece.text}`, 5, piece.style),
      ),
    ),
    ...waits.flatMap((wait) =>
      waiting(wait).flatMap(({ text, style }) => wrap(page, `cpu${wait.cpu}: ${text}`, 5, style)),
    ),
  ];
}

function markdown(interleaving: Interleaving): string {
  const { columns, rows, waits, closing } = interleaving;
  const said = sayings(interleaving);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const cells = (cpu: number, text: string): string[] =>
    columns.map((column) => (column.cpu === cpu ? text : ''));
  const lines = [
    line(['#', ...columns.map(({ cpu, runs }) => escaped(heading(cpu, runs)))]),
    line(['--:', ...columns.map(() => ':--')]),
    ...rows.map((row, i) => {
      const wrong = row.violation === null ? '' : ` **${escaped(row.violation)}**`;
      return line([String(row.row), ...cells(row.cpu, escaped(said[i]!) + wrong)]);
    }),
    ...waits.map((wait) => {
      const text = waiting(wait).map((piece) => piece.text);
      return line(['', ...cells(wait.cpu, escaped(text.join('; ')))]);
    }),
  ];
  return `${lines.join('\n')}\n\n${escaped(closing)}\n`;
}

/** Text in which Markdown finds nothing of its own. */
function escaped(text: string): string {
  return text.replace(/[\\|*_`[\]<>]/g, '\\$&').replace(/\s+/g, ' ');
}

function unpainted(_style: Style, text: string): string {
  return text;
}
