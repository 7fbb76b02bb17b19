/**
 * A recording and what became of it: how large the real program's page tables were, and how large
 * those of the same calls are under each protocol.
 */
import type { RecordedProgram } from '#result/recording';
import type { Result } from '#result/result';
import { formatCounted, formatKiB } from './format.ts';
import { type Page, wrap } from './page.ts';
import { type Cell, type Column, cell, table } from './table.ts';

export const RECORDING_COLUMNS: readonly Column[] = [
  { head: 'VmPTE', align: 'left' },
  { head: 'start', align: 'right' },
  { head: 'peak', align: 'right' },
  { head: 'end', align: 'right' },
  { head: 'peak less end', align: 'right' },
];

export function recordingReport(page: Page, result: Result, recording: RecordedProgram): string[] {
  return [
    ...wrap(page, recordingLine(recording), 2),
    '',
    ...table(page, RECORDING_COLUMNS, recordingRows(result, recording)),
    '',
    ...recordingNotes(recording).flatMap((note) => wrap(page, note, 2, 'dim')),
  ];
}

/** What must be known of the figures. */
export function recordingNotes(recording: RecordedProgram): string[] {
  const { touches, lost, transparentHugePages, unsampled, vmpteKiB } = recording;
  const late = formatCounted(unsampled, 'event');
  return [
    'The real program has tables for files, its stack and its code as well.',
    ...(transparentHugePages === 'always' ? ['It may have had huge pages, without tables.'] : []),
    ...(touches === 'assumed' ? ['Touches are assumed: what became writable was written.'] : []),
    ...(lost > 0 ? [`${formatCounted(lost, 'event')} could not be recorded.`] : []),
    ...(vmpteKiB !== null && unsampled > 0 ? [`After the last sample came ${late} more.`] : []),
    ...(vmpteKiB === null ? ['The real program was not sampled.'] : []),
  ];
}

/** Where it comes from. */
export function recordingLine(recording: RecordedProgram): string {
  const { program, recordedWith, kernel, transparentHugePages, threads, events } = recording;
  return (
    `${program}, recorded with ${recordedWith} on Linux ${kernel} (huge pages: ` +
    `${transparentHugePages}): ${formatCounted(events, 'event')} of ` +
    `${formatCounted(threads, 'thread')}.`
  );
}

/** The real program, then each run. */
export function recordingRows({ runs }: Result, { vmpteKiB }: RecordedProgram): Cell[][] {
  const real = vmpteKiB === null ? [] : [row('the real program', vmpteKiB)];
  return [...real, ...runs.map((run) => row(run.protocol, run.vmpteKiB))];
}

function row(name: string, kib: { start: number; peak: number; end: number }): Cell[] {
  const { start, peak, end } = kib;
  return [cell(name, 'strong'), ...[start, peak, end, peak - end].map((x) => cell(formatKiB(x)))];
}
