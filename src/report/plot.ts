/**
 * A small plot of VmPTE over time. Each column shows the highest value of its stretch of time, so
 * that a short peak is not lost; the axis begins at zero, so that heights compare.
 */
import asciichart from 'asciichart';
import { formatKiB, formatSeconds } from './format.ts';
import type { Page } from './page.ts';

export function plot(page: Page, series: readonly (readonly [number, number])[]): string[] {
  const points = [...series].sort((a, b) => a[0] - b[0]);
  if (points.length < 2) return [];
  const peak = Math.max(1, ...points.map(([, kib]) => kib));
  const labels = [peak, peak / 2, peak / 3, peak / 4, peak / 5, peak / 6, 0].map(formatKiB);
  const labelWidth = Math.max(...labels.map((label) => label.length));
  const columns = page.width - labelWidth - 2;
  const chart = asciichart.plot(resampled(points, columns), {
    min: 0,
    max: peak,
    height: page.width < 60 ? HEIGHT_NARROW : HEIGHT,
    offset: 2,
    symbols: ['┤', '┤', '╶', '╴', '─', '╰', '╭', '╮', '╯', '│'],
    format: (value) => formatKiB(value).padStart(labelWidth),
  });
  const endMs = points[points.length - 1][0];
  return [
    ...chart.split('\n').map((line) => line.trimEnd()),
    axis(labelWidth, columns, points[0][0], endMs),
  ];
}

const HEIGHT = 6;
const HEIGHT_NARROW = 4;

/** One value for each column; a column without a point repeats the one before it. */
function resampled(points: readonly (readonly [number, number])[], columns: number): number[] {
  const startMs = points[0][0];
  const spanMs = points[points.length - 1][0] - startMs;
  const values: number[] = [];
  let next = 0;
  let last = Math.max(0, points[0][1]);
  for (let column = 0; column < columns; column++) {
    const untilMs = startMs + (spanMs * (column + 1)) / columns;
    let highest = -1;
    while (next < points.length && (points[next][0] <= untilMs || column === columns - 1)) {
      last = Math.max(0, points[next][1]);
      highest = Math.max(highest, last);
      next++;
    }
    values.push(highest < 0 ? last : highest);
  }
  return values;
}

/** The times of the first and the last column, below them; where there is no room, the last. */
function axis(labelWidth: number, columns: number, startMs: number, endMs: number): string {
  const start = formatSeconds(startMs / 1000);
  const end = formatSeconds(endMs / 1000);
  const room = columns - end.length;
  const left = start.length < room ? start : '';
  return `${' '.repeat(labelWidth + 1)}${left}${end.padStart(columns - left.length)}`;
}
