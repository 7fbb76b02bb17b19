/**
 * The text report: a pure function of a result. First what was run, then (for several protocols)
 * the comparison, then each run on a screen of its own, and last the command that runs it again
 * when something was found.
 */
import type { Result } from '#result/result';
import { comparison } from './comparison.ts';
import { formatCounted } from './format.ts';
import { heading, indented, type Page, type Paint, pageOf, wrap } from './page.ts';
import { recordingReport } from './recording.ts';
import { runReport } from './run-report.ts';
import { type Verdict, verdictOf } from './verdict.ts';

export interface TextOptions {
  readonly width: number;
  readonly paint?: Paint;
  /** What the scenario asks. */
  readonly question?: string;
  /** The sentence that explains a kind of violation, where one is known. */
  explain?(kind: string): string | undefined;
}

export function textReport(result: Result, options: TextOptions): string {
  const page = pageOf(options.width, options.paint ?? unpainted);
  const lines = introduction(page, result, options.question);
  if (result.runs.length === 0) lines.push(...wrap(page, 'no run was begun.'));
  if (result.runs.length > 1) {
    lines.push(...heading(page, 'protocols compared'), ...comparison(page, result));
  }
  lines.push(...recorded(page, result));
  for (const run of result.runs) lines.push('', ...runReport(page, result, run, options.explain));
  if (result.runs.some((run) => AGAIN.has(verdictOf(run).kind))) {
    lines.push('', ...wrap(page, 'run it again:', 0, 'dim'), ...command(page, result.command));
  }
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

/** The comparison alone, under the scenario's name. */
export function comparisonReport(result: Result, options: TextOptions): string {
  const page = pageOf(options.width, options.paint ?? unpainted);
  const lines = [...introduction(page, result, options.question), '', ...comparison(page, result)];
  lines.push(...recorded(page, result));
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

/** Of a trace: the real program beside the runs. */
function recorded(page: Page, result: Result): string[] {
  const { recording } = result;
  if (!recording || result.runs.length === 0) return [];
  return [...heading(page, 'the real program'), ...recordingReport(page, result, recording)];
}

/** Verdicts after which the reader is given the command to run again. */
const AGAIN: ReadonlySet<Verdict['kind']> = new Set(['violated', 'unmet', 'deadline']);

function unpainted(_style: string, text: string): string {
  return text;
}

function introduction(page: Page, result: Result, question = ''): string[] {
  const { machine } = result;
  const broken = result.broken === null ? '' : `, broken version ${result.broken}`;
  const given = Object.entries(result.parameters).map(([name, value]) => `${name}=${value}`);
  const cpus = result.runs.length > 0 ? `, ${formatCounted(result.runs[0].cpus, 'CPU')}` : '';
  return [
    ...wrap(page, `${result.scenario}${broken}${cpus}, seed ${result.seed}`, 2, 'strong'),
    ...wrap(page, question),
    ...(given.length > 0 ? wrap(page, given.join(', '), 2, 'dim') : []),
    ...wrap(
      page,
      `pttorture ${result.pttorture}, node ${machine.node}, ${machine.platform}, ` +
        `${formatCounted(machine.cores, 'core')}, ${machine.memoryGiB.toFixed(1)} GiB`,
      2,
      'dim',
    ),
  ];
}

/** A command that can still be pasted when it takes several lines. */
function command(page: Page, text: string): string[] {
  const lines = indented(page, 2, (room) => wrap({ ...room, width: room.width - 2 }, text, 2));
  return lines.map((line, i) => (i < lines.length - 1 ? `${line} \\` : line));
}
