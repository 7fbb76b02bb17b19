/** All of one run: its verdict, its figures, and the pictures of it. */
import type { Result, Run } from '#result/result';
import { memoryFacts, underneathFacts, workFacts } from '../facts.ts';
import {
  expectationText,
  verdictOf,
  verdictSentence,
  verdictStyle,
  verdictWord,
} from '../verdict.ts';
import { runName } from './data.ts';
import { locks } from './locks.ts';
import { type Html, html } from './markup.ts';
import { residentSet } from './memory.ts';
import { occupancyFigure } from './occupancy.ts';
import { raceMap } from './races.ts';
import { factList } from './shell.ts';
import { timelineFigure } from './timeline.ts';

/** So many runs are shown at once; of more, those that passed are folded up. */
const OPEN_MAX = 2;

export function runSection(result: Result, index: number): Html {
  const run = result.runs[index]!;
  const verdict = verdictOf(run);
  const style = verdictStyle(verdict);
  const isOpen = result.runs.length <= OPEN_MAX || verdict.kind !== 'pass';
  return html`<details class="run" id="run-${index + 1}"${isOpen && html` open`}>
<summary><h2>${runName(run, result)}</h2>
<span class="verdict ${style}">${verdictWord(verdict)}</span></summary>
<p class="${style}">${verdictSentence(verdict, run)}</p>
${run.note !== null && html`<p class="warn">${run.note}</p>`}
${run.violations.length > 0 && html`<p><a href="#violations">What went wrong</a></p>`}
${expectations(run)}
${parts(result, run, index)}
</details>
`;
}

function parts(result: Result, run: Run, index: number): Html {
  const { occupancy, timeline } = run;
  const name = runName(run, result);
  return html`<h3>What was done</h3>
${factList([...memoryFacts(run), ...workFacts(run)])}
${residentSet(run, index, name)}
${
  occupancy != null &&
  occupancy.samples.length > 0 &&
  html`<h3>Page tables over the address space</h3>
${occupancyFigure(occupancy, index, name)}`
}
<h3>Races handled</h3>
${raceMap(run, name)}
${
  timeline != null &&
  timeline.samples.length > 0 &&
  html`<h3>What the CPUs did</h3>
${timelineFigure(timeline, index, name)}`
}
<h3>Locks</h3>
${locks(result, run, name)}
<h3>Grace periods, phases, checks</h3>
${factList(underneathFacts(run))}`;
}

function expectations({ expectations: outcomes }: Run): Html {
  if (outcomes.length === 0) return html``;
  return html`<h3>Expectations</h3>
<ul class="expectations">${outcomes.map(
    (each) => html`<li class="${each.met ? 'good' : 'bad'}">${expectationText(each)}</li>\n`,
  )}</ul>`;
}
