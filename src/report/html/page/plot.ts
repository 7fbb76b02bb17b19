/** Lines over time or CPUs, with switches for each line and for a logarithmic scale. */
import uPlot from 'uplot';
import { formatKiB, formatSeconds, formatShort } from '../../format.ts';
import type { Lines, PageData } from '../data.ts';
import { colour, onTheme } from './theme.ts';

const HEIGHT = 270;
/** Of a single line, and of all on narrow pages. */
const HEIGHT_LOW = 190;
const NARROW = 480;
/** Of a line with so few points each is marked. */
const POINTS_MARKED = 16;

interface Kind {
  readonly x: (value: number) => string;
  readonly y: (value: number) => string;
  /** What steps of the y axis are powers of. */
  readonly base: 2 | 10;
}

/** Of an axis that counts in KiB. */
const STEPS_OF_TWO = { incrs: Array.from({ length: 50 }, (_, i) => 2 ** i) };

const time = (ms: number): string => formatSeconds(ms / 1000);
const KINDS: Readonly<Record<'vmpte' | 'rss' | 'scaling', Kind>> = {
  vmpte: { x: time, y: formatKiB, base: 2 },
  rss: { x: time, y: formatKiB, base: 2 },
  scaling: { x: (cpus) => `${cpus} CPUs`, y: (rate) => `${formatShort(rate)}/s`, base: 10 },
};

export function wirePlots(data: PageData): void {
  for (const figure of document.querySelectorAll<HTMLElement>('figure[data-plot]')) {
    const [name, run] = figure.dataset['plot']!.split('-') as [keyof typeof KINDS, string?];
    const lines = data[name];
    wirePlot(figure, run === undefined ? lines : [lines[Number(run)]!], KINDS[name]);
  }
}

function wirePlot(figure: HTMLElement, lines: Lines, kind: Kind): void {
  const host = figure.querySelector<HTMLElement>('.drawing')!;
  const readout = document.createElement('p');
  readout.className = 'readout';
  readout.ariaHidden = 'true';
  host.after(readout);
  const switches = [...figure.querySelectorAll<HTMLInputElement>('input[data-line]')];
  const names = switches.map((box) => box.parentElement!.textContent.trim());
  const log = figure.querySelector<HTMLInputElement>('input[data-log]')!;
  log.parentElement!.hidden = false;
  const table = joined(lines);
  let plot: uPlot | null = null;
  const tell = (self: uPlot): void => {
    const { idx } = self.cursor;
    readout.textContent = idx == null ? '' : told(self, idx, names, kind);
  };
  const draw = (): void => {
    plot?.destroy();
    plot = null;
    if (host.clientWidth === 0) return;
    const series = switches.map((box) => lineOf(box, table));
    plot = new uPlot(options(host, series, log.checked, kind, tell), positive(table, log), host);
  };
  let width = 0;
  new ResizeObserver(() => {
    if (host.clientWidth === width) return;
    width = host.clientWidth;
    draw();
  }).observe(host);
  onTheme(draw);
  for (const box of [...switches, log]) box.addEventListener('change', draw);
}

/** The lines on one list of x; where a line has no point there, it is null. */
function joined(lines: Lines): uPlot.AlignedData {
  const tables = lines.map((points): uPlot.AlignedData => {
    const byX = new Map(points);
    return [[...byX.keys()], [...byX.values()]];
  });
  return tables.length === 0 ? [[]] : uPlot.join(tables);
}

/** On a logarithmic scale there is no zero. */
function positive(table: uPlot.AlignedData, log: HTMLInputElement): uPlot.AlignedData {
  if (!log.checked) return table;
  const [xs, ...values] = table;
  const shown = values.map((line) => Array.from(line, (y) => (y == null || y <= 0 ? null : y)));
  return [xs, ...shown];
}

/** Colour and dashes are those of the key. */
function lineOf(box: HTMLInputElement, [xs]: uPlot.AlignedData): uPlot.Series {
  const { stroke, strokeDasharray } = getComputedStyle(box.parentElement!.querySelector('path')!);
  const dash = strokeDasharray === 'none' ? [] : strokeDasharray.split(/[ ,]+/).map(parseFloat);
  return {
    ...{ show: box.checked, stroke, dash, width: 1.75, spanGaps: true },
    points: { show: xs.length <= POINTS_MARKED },
  };
}

function options(
  host: HTMLElement,
  series: readonly uPlot.Series[],
  isLog: boolean,
  kind: Kind,
  tell: (self: uPlot) => void,
): uPlot.Options {
  const width = host.clientWidth;
  const { fontFamily } = getComputedStyle(host);
  const axis = {
    ...{ stroke: colour('muted'), font: `12px ${fontFamily}` },
    grid: { stroke: colour('rule'), width: 1 },
    ticks: { stroke: colour('rule'), width: 1 },
  };
  const values = (format: (value: number) => string) => (_: uPlot, splits: number[]) =>
    splits.map((value) => (value == null ? '' : format(value)));
  return {
    ...{ width, height: width < NARROW || series.length === 1 ? HEIGHT_LOW : HEIGHT },
    ...{ legend: { show: false }, hooks: { setCursor: [tell] } },
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { time: false },
      y: isLog
        ? { distr: 3, log: kind.base }
        : { range: (_, __, max) => [0, Math.max(1, max * 1.05)] },
    },
    axes: [
      { ...axis, values: values(kind.x), space: 64, size: 34 },
      { ...axis, values: values(kind.y), size: 76, ...(kind.base === 2 && STEPS_OF_TWO) },
    ],
    series: [{}, ...series],
  };
}

function told(self: uPlot, at: number, names: readonly string[], kind: Kind): string {
  const x = self.data[0][at]!;
  const values = names.flatMap((name, i) => {
    if (!self.series[i + 1]!.show) return [];
    const y = latestUntil(self.data[i + 1]!, at);
    return y === null ? [] : [`${name} ${kind.y(y)}`];
  });
  return `${kind.x(x)}: ${values.join(', ')}`;
}

/** Lines have points at different times: what a line had last. */
function latestUntil(line: ArrayLike<number | null | undefined>, at: number): number | null {
  for (let i = at; i >= 0; i--) if (line[i] != null) return line[i]!;
  return null;
}
