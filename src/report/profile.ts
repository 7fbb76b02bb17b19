/**
 * Where the CPUs of a scenario waited, and how that changes with their number, the protocol and the
 * lock algorithm. A pure function of a result whose runs kept lock statistics.
 */
import asciichart from 'asciichart';
import type { LatencySummary, Result, Run } from '#result/result';
import { advice, byWait, contention, waitShare } from './contention.ts';
import { formatCounted, formatNs, formatPercent, formatShort } from './format.ts';
import { heading, type Page, type Paint, pageOf, wrap } from './page.ts';
import { lawSentence, rateOf, type Sweep, sweepsOf } from './sweeps.ts';
import { type Cell, type Column, table } from './table.ts';

export interface ProfileOptions {
  readonly width: number;
  readonly paint: Paint;
}

/** Ends in a newline. */
export function profileReport(result: Result, options: ProfileOptions): string {
  const page = pageOf(options.width, options.paint);
  const sweeps = sweepsOf(result.runs);
  const lines = [
    ...sweeps.flatMap((sweep) => busiest(page, result, sweep)),
    ...heading(page, 'by number of CPUs'),
    ...sweepTable(page, result, sweeps),
    ...sweeps.flatMap((sweep) => scaling(page, result, sweep)),
    ...collapses(page, result, sweeps),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function busiest(page: Page, result: Result, { name, runs }: Sweep): string[] {
  const run = runs.at(-1)!;
  const cpus = formatCounted(run.cpus, 'CPU');
  const violations = run.violations.map(({ kind }) => kind).join(', ');
  return [
    ...heading(page, `${result.scenario} under ${name}, ${cpus}`),
    ...(violations === '' ? [] : wrap(page, `violated: ${violations}`, 2, 'bad')),
    ...contention(page, run),
    ...advice(result, run).flatMap((sentence) => wrap(page, `try: ${sentence}`, 5, 'good')),
  ];
}

const COLUMNS: readonly Column[] = [
  ...['CPUs', 'per s', 'of one', 'waiting'].map((head): Column => ({ head, align: 'right' })),
  { head: 'most for', align: 'left' },
  ...['fault', 'p99', 'madvise', 'p99'].map((head): Column => ({ head, align: 'right' })),
];

function sweepTable(page: Page, result: Result, sweeps: readonly Sweep[]): string[] {
  return [
    ...sweeps.flatMap(({ name, runs }) => [
      ...wrap(page, name, 0, 'strong'),
      ...table(
        page,
        COLUMNS,
        runs.map((run) => sweepRow(result, runs[0]!, run)),
      ),
    ]),
    ...wrap(
      page,
      `per s: pages faulted in, or operations where nothing faults; of one: relative to the ` +
        `fewest CPUs; waiting: share of the CPUs' time; times: medians, and what 99 % stay ` +
        `within. With 1 CPU nobody contends. *: more CPUs than the ${result.machine.cores} cores.`,
      0,
      'dim',
    ),
  ];
}

function sweepRow(result: Result, first: Run, run: Run): Cell[] {
  const waited = byWait(run);
  const share = waited.reduce((sum, lock) => sum + waitShare(run, lock), 0);
  const single = rateOf(first);
  const star = run.cpus > result.machine.cores ? '*' : '';
  const { fault, madvise } = run.latencyNs;
  return [
    { text: `${run.cpus}${star}`, style: 'strong' },
    { text: formatShort(rateOf(run)) },
    { text: single === 0 ? '-' : `${(rateOf(run) / single).toFixed(2)}x` },
    { text: formatPercent(share, 1) },
    { text: waited[0]?.class ?? '-' },
    ...[...latency(fault), ...latency(madvise)].map((text) => ({ text })),
  ];
}

function latency({ p50, p99, samples }: LatencySummary): string[] {
  return samples === 0 ? ['-', '-'] : [formatNs(p50), formatNs(p99)];
}

/** The curve that was measured, and the law fitted to it. */
function scaling(page: Page, result: Result, sweep: Sweep): string[] {
  const law = lawSentence(result, sweep);
  if (law === null) return [];
  const { name, runs } = sweep;
  const points = runs.map((run) => ({ cpus: run.cpus, throughput: rateOf(run) }));
  const most = runs.at(-1)!.cpus;
  const steps = Array.from({ length: CURVE_COLUMNS }, (_, i) => 1 + (i * (most - 1)) / CURVE_STEPS);
  const measured = steps.map((cpus) => between(points, cpus));
  const chart = asciichart.plot(measured, {
    ...{ height: CURVE_HEIGHT, min: 0, max: Math.max(...measured) },
    format: (value: number) => `${formatShort(value)}/s`.padStart(LABEL_WIDTH),
  });
  return [
    ...heading(page, `scaling under ${name}, 1 to ${most} CPUs`),
    ...chart.split('\n'),
    ...wrap(page, law),
  ];
}

const CURVE_STEPS = 47;
const CURVE_COLUMNS = CURVE_STEPS + 1;
const CURVE_HEIGHT = 7;
const LABEL_WIDTH = 8;

/** Measured throughput at `cpus`, on straight lines between the points. */
function between(
  points: readonly { readonly cpus: number; readonly throughput: number }[],
  cpus: number,
): number {
  const after = points.find((point) => point.cpus >= cpus) ?? points.at(-1)!;
  const before = points.findLast((point) => point.cpus <= cpus) ?? points[0]!;
  const span = after.cpus - before.cpus;
  if (span === 0) return after.throughput;
  return before.throughput + ((after.throughput - before.throughput) * (cpus - before.cpus)) / span;
}

/**
 * Locks that serve in order of arrival, where CPUs outnumber the cores, against those that do not.
 */
function collapses(page: Page, { machine }: Result, sweeps: readonly Sweep[]): string[] {
  const sentences = sweeps.flatMap((sweep) => {
    const rival = sweeps.find(
      (each) => each.algorithm === 'ttas' && each.protocol === sweep.protocol,
    );
    if (rival === undefined || !IN_ORDER.includes(sweep.algorithm)) return [];
    const crowded = sweep.runs.filter(({ cpus }) => cpus > machine.cores);
    const ratios = crowded.flatMap((run) => {
      const other = rival.runs.find(({ cpus }) => cpus === run.cpus);
      return other === undefined ? [] : [{ cpus: run.cpus, ratio: rateOf(run) / rateOf(other) }];
    });
    const worst = ratios.toSorted((a, b) => a.ratio - b.ratio)[0];
    if (worst === undefined || worst.ratio > COLLAPSED) return [];
    return [
      `${sweep.algorithm} with ${worst.cpus} CPUs on ${machine.cores} cores does ` +
        `${worst.ratio.toFixed(2)} times the work of ttas: it serves in order of arrival, and ` +
        'the next in line is a CPU that has no core, for which all others wait.',
    ];
  });
  return sentences.length === 0 ? [] : ['', ...sentences.flatMap((each) => wrap(page, each))];
}

const IN_ORDER = ['ticket', 'mcs'];
const COLLAPSED = 0.7;
