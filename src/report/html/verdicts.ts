/** The first thing to know of each run: its verdict in words; then the runs side by side. */
import type { Result } from '#result/result';
import { type ComparisonPart, comparisonParts, LEGEND } from '../comparison.ts';
import { verdictOf, verdictSentence, verdictStyle } from '../verdict.ts';
import { runName } from './data.ts';
import { type Html, html } from './markup.ts';
import { gridTable } from './table.ts';

export function verdicts(result: Result): Html {
  const { runs } = result;
  return html`<section id="verdicts" aria-labelledby="verdicts-head">
<h2 id="verdicts-head">Verdicts</h2>
${runs.length === 0 && html`<p>No run was begun.</p>`}
<ul class="verdicts">
${runs.map((run, i) => {
  const verdict = verdictOf(run);
  return html`<li class="${verdictStyle(verdict)}">
<a href="#run-${i + 1}">${runName(run, result)}</a>
<span>${verdictSentence(verdict, run)}</span>
${run.note !== null && html`<span class="note">${run.note}</span>`}</li>
`;
})}</ul>
</section>`;
}

const CAPTIONS = [
  'Page tables, races and verdicts',
  'Latency of faults and of madvise calls',
  'Throughput, atomic operations and locks per walk, and waits for grace periods',
];

/** Only where there is something to compare. */
export function compared(result: Result): Html {
  if (result.runs.length < 2) return html``;
  return html`<section id="compared" aria-labelledby="compared-head">
<h2 id="compared-head">Runs compared</h2>
${comparisonParts(result).map((part, i) => comparisonTable(CAPTIONS[i]!, part, result))}
<ul class="note legend">${LEGEND.map((line) => html`<li>${line}</li>`)}</ul>
</section>`;
}

function comparisonTable(caption: string, part: ComparisonPart, result: Result): Html {
  const rows = part.rows.map(([, ...cells], i) => [
    { text: runName(result.runs[i]!, result) },
    ...cells,
  ]);
  return html`<h3>${caption}</h3>
${gridTable(caption, part.columns, rows)}`;
}
