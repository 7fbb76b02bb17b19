/** Of a trace: page tables of the real program beside those of each run. */
import type { Result } from '#result/result';
import { RECORDING_COLUMNS, recordingLine, recordingNotes, recordingRows } from '../recording.ts';
import { type Html, html } from './markup.ts';
import { gridTable } from './table.ts';

export function hasRecording({ recording, runs }: Result): boolean {
  return !!recording && runs.length > 0;
}

export function recorded(result: Result): Html {
  const { recording } = result;
  if (!recording || !hasRecording(result)) return html``;
  return html`<section id="recording" aria-labelledby="recording-head">
<h2 id="recording-head">The real program</h2>
<p>${recordingLine(recording)}</p>
${gridTable('VmPTE recorded and simulated', RECORDING_COLUMNS, recordingRows(result, recording))}
<p>${recordingNotes(recording).join(' ')}</p>
</section>`;
}
