/**
 * Tables that fit the page: a grid where it fits, with two spaces between columns or one; else one
 * block for each row, its first cell as the heading and the others one to a line.
 */
import { clip, type Page, type Style, widthOf } from './page.ts';

export interface Column {
  readonly head: string;
  readonly align: 'left' | 'right';
}

export interface Cell {
  readonly text: string;
  readonly style?: Style;
}

export function table(page: Page, columns: readonly Column[], rows: readonly Cell[][]): string[] {
  return grid(page, columns, rows) ?? blocks(page, columns, rows);
}

/** Null when the table is wider than the page. */
export function grid(
  page: Page,
  columns: readonly Column[],
  rows: readonly Cell[][],
): string[] | null {
  const widths = columns.map((column, i) =>
    Math.max(widthOf(column.head), ...rows.map((row) => widthOf(row[i].text))),
  );
  const sum = widths.reduce((a, b) => a + b, 0);
  const gap = [2, 1].find((each) => sum + each * (columns.length - 1) <= page.width);
  if (gap === undefined) return null;
  const head = columns.map((column): Cell => ({ text: column.head, style: 'dim' }));
  return [head, ...rows].map((row) =>
    row
      .map((cell, i) => {
        const space = ' '.repeat(widths[i] - widthOf(cell.text));
        const painted = page.paint(cell.style ?? 'plain', cell.text);
        if (columns[i].align === 'right') return space + painted;
        return i === columns.length - 1 ? painted : painted + space;
      })
      .join(' '.repeat(gap)),
  );
}

function blocks(page: Page, columns: readonly Column[], rows: readonly Cell[][]): string[] {
  const label = Math.max(...columns.slice(1).map((column) => widthOf(column.head)));
  const room = page.width - label - 4;
  return rows.flatMap(([first, ...others]) => [
    page.paint('strong', clip(first.text, page.width)),
    ...others.map((cell, i) => {
      const head = page.paint('dim', columns[i + 1].head.padEnd(label));
      return `  ${head}  ${page.paint(cell.style ?? 'plain', clip(cell.text, room))}`;
    }),
  ]);
}

/** A cell of text from a document: cleaned, and never so long that it crowds out the others. */
export function cell(text: string, style: Style = 'plain'): Cell {
  return { text: clip(text, CELL_WIDTH_MAX), style };
}

const CELL_WIDTH_MAX = 20;
