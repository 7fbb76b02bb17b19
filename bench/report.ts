/** The bench in words: the machine, a table of variants and one of figures with their goals. */
import { cpus, loadavg, release, type } from 'node:os';
import type { Goal, Measured, MeasuredFigure, MeasuredVariant } from './harness.ts';
import type { Spread } from './statistics.ts';

export interface Machine {
  readonly node: string;
  readonly cores: number;
  readonly cpu: string;
  readonly kernel: string;
  readonly load1: number;
}

export interface MeasuredGroup extends Measured {
  readonly group: string;
  readonly summary: string;
}

/** The document that `--json` writes. */
export interface BenchResult {
  readonly schema: 1;
  readonly machine: Machine;
  readonly rounds: number;
  readonly ms: number;
  /** Round trip between two threads, sampled once a round during the whole bench. */
  readonly wakeUpUs: Spread & { readonly samples: readonly number[] };
  readonly groups: readonly MeasuredGroup[];
}

export function thisMachine(): Machine {
  return {
    node: process.version,
    cores: cpus().length,
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    kernel: `${type()} ${release()}`,
    load1: loadavg()[0],
  };
}

export function machineLine(machine: Machine): string {
  const { cores, cpu, kernel, node, load1 } = machine;
  const noun = cores === 1 ? 'core' : 'cores';
  return `${cores} ${noun} (${cpu}), ${kernel}, node ${node}, load ${load1.toFixed(2)}`;
}

/** What to think of the figures when others use the machine too; null when it is idle. */
export function busyLine({ load1 }: Machine): string | null {
  if (load1 < BUSY_LOAD) return null;
  return (
    'the machine is busy: trust ratios only, and those of several CPUs to one only beside the ' +
    'same ratio of the twin'
  );
}

const BUSY_LOAD = 0.5;

export function wakeUpLine({ median, min, max }: Spread): string {
  return (
    `wake-up of another thread and back: ${show(median)} us ` +
    `(${show(min)} to ${show(max)}); times of anything that sleeps depend on it`
  );
}

export function groupLines(measured: MeasuredGroup, rounds: number): string[] {
  const { group, summary, variants, figures, notes } = measured;
  const heads = ['median', 'min', 'max'];
  const lines = ['', `${group}: ${summary}`, ...notes.map((note) => `  note: ${note}`)];
  if (variants.length > 0) {
    const head = [`variant (${rounds} rounds)`, ...heads];
    lines.push('', ...grid([head, ...variants.map(variantRow)]));
  }
  if (figures.length > 0) {
    const head = ['figure (pair by pair)', ...heads, 'goal', ''];
    lines.push('', ...grid([head, ...figures.map(figureRow)]));
  }
  return lines;
}

function variantRow({ name, unit, median, min, max }: MeasuredVariant): string[] {
  return [name, `${show(median)} ${unit}`, show(min), show(max)];
}

function figureRow({ name, unit, median, min, max, goal, met }: MeasuredFigure): string[] {
  const suffix = unit === 'x' ? 'x' : ` ${unit}`;
  const verdict = met === null ? '' : met ? 'met' : 'MISSED';
  return [name, show(median) + suffix, show(min), show(max), goalText(goal, suffix), verdict];
}

function goalText(goal: Goal | null, suffix: string): string {
  if (!goal) return '';
  const aim = goal.aim === undefined ? '' : `, aim ${goal.aim}${suffix}`;
  return `${goal.bound} ${goal.limit}${suffix}${aim}`;
}

/** Three significant digits, and whole numbers from a hundred on. */
function show(value: number): string {
  return value >= 99.95 ? value.toFixed(0) : value.toFixed(value >= 9.995 ? 1 : 2);
}

/** Cells in columns, numbers to the right (the second column to the fourth). */
function grid(rows: readonly string[][]): string[] {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const pad = (cell: string, i: number): string =>
    i >= 1 && i <= 3 ? cell.padStart(widths[i]) : cell.padEnd(widths[i]);
  return rows.map((row) => `  ${row.map(pad).join('  ')}`.trimEnd());
}
