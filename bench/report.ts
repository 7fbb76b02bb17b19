/**
 * The document of a bench, and what stands in its tables. There are three ways to tell it: as text
 * (`terminal.ts`), as Markdown (`markdown.ts`), and as JSON, which is the document itself.
 */
import { cpus, loadavg, release, type } from 'node:os';
import type { Goal, Measured } from './harness.ts';
import type { VariantProfile } from './profiled-variant.ts';
import type { Spread } from './statistics.ts';

export interface Machine {
  readonly node: string;
  readonly cores: number;
  readonly cpu: string;
  readonly kernel: string;
  /** First line of what the C compiler says of itself; null: there is none. */
  readonly compiler: string | null;
  readonly load1: number;
}

export interface MeasuredGroup extends Measured {
  readonly group: string;
  readonly summary: string;
  /** Where the time goes in the variants behind goals that are missed. */
  readonly profiles: readonly VariantProfile[];
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

/** Cells of a table; the columns `numbers` say where numbers stand, the end left out. */
export interface Table {
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly numbers: readonly [from: number, end: number];
}

export function thisMachine(compiler: string | null): Machine {
  return {
    node: process.version,
    cores: cpus().length,
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    kernel: `${type()} ${release()}`,
    compiler,
    load1: loadavg()[0],
  };
}

export function machineLine(machine: Machine): string {
  const { cores, cpu, kernel, node, compiler, load1 } = machine;
  const noun = cores === 1 ? 'core' : 'cores';
  const native = compiler ?? 'no C compiler';
  return `${cores} ${noun} (${cpu}), ${kernel}, node ${node}, ${native}, load ${load1.toFixed(2)}`;
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

/** The tables of a group that have rows: variants, figures, references, profiles. */
export function groupTables(measured: MeasuredGroup, rounds: number): Table[] {
  const tables = [
    variantTable(measured, rounds),
    figureTable(measured),
    referenceTable(measured),
    ...measured.profiles.map(profileTable),
  ];
  return tables.filter(({ rows }) => rows.length > 0);
}

function variantTable({ variants }: Measured, rounds: number): Table {
  const rows = variants.map(({ name, unit, median, min, max }) => {
    return [name, withUnit(median, unit), show(min), show(max)];
  });
  const head = `variant (${rounds} ${rounds === 1 ? 'round' : 'rounds'})`;
  return { heads: [head, 'median', 'min', 'max'], rows, numbers: [1, 4] };
}

function figureTable({ figures }: Measured): Table {
  const rows = figures.map(({ name, unit, median, min, max, goal, met }) => {
    const verdict = met === null ? '' : met ? 'met' : 'MISSED';
    return [name, withUnit(median, unit), show(min), show(max), goalText(goal, unit), verdict];
  });
  const heads = ['figure (pair by pair)', 'median', 'min', 'max', 'goal', ''];
  return { heads, rows, numbers: [1, 4] };
}

function referenceTable({ references }: Measured): Table {
  const rows = references.map(({ name, unit, value, source }) => {
    return [name, withUnit(value, unit), source];
  });
  return { heads: ['measured elsewhere', 'value', 'by'], rows, numbers: [1, 2] };
}

function profileTable({ variant, functions }: VariantProfile): Table {
  const rows = functions.map(({ name, place, percent }) => [name, `${percent.toFixed(1)}%`, place]);
  return { heads: [`self times: ${variant}`, 'share', 'place'], rows, numbers: [1, 2] };
}

function goalText(goal: Goal | null, unit: string): string {
  if (!goal) return '';
  const suffix = unit === 'x' ? 'x' : ` ${unit}`;
  const aim = goal.aim === undefined ? '' : `, aim ${goal.aim}${suffix}`;
  return `${goal.bound} ${goal.limit}${suffix}${aim}`;
}

function withUnit(value: number, unit: string): string {
  return `${show(value)}${unit === 'x' ? 'x' : ` ${unit}`}`;
}

/** Three significant digits, two below a tenth, and whole numbers from a hundred on. */
function show(value: number): string {
  if (value !== 0 && value < 0.0995) return value.toPrecision(2);
  return value >= 99.95 ? value.toFixed(0) : value.toFixed(value >= 9.995 ? 1 : 2);
}
