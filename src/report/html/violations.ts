/** What went wrong: each violation in full, and what the CPUs did last before it. */
import type { LastAct, LastActs } from '#result/last-acts';
import type { Result, Run } from '#result/result';
import { formatCount, formatCounted } from '../format.ts';
import { runName } from './data.ts';
import { type Html, html } from './markup.ts';
import { copyable } from './shell.ts';
import { asTable, plainTable, words } from './table.ts';

/** How many violations of one run are told in full, and acts of a CPU. */
const VIOLATIONS_TOLD = 20;
const ACTS_TOLD = 12;

export type Explain = (kind: string) => string | undefined;

/** Of all runs that have some. */
export function violations(result: Result, explain: Explain): Html {
  const runs = result.runs.filter((run) => run.violations.length > 0);
  if (runs.length === 0) return html``;
  return html`<section id="violations" aria-labelledby="violations-head">
<h2 id="violations-head">What went wrong</h2>
${runs.map((run) => ofRun(run, runName(run, result), explain))}
</section>`;
}

function ofRun({ violations: found, lastActs }: Run, name: string, explain: Explain): Html {
  const rest = found.length - VIOLATIONS_TOLD;
  return html`<h3>Under ${name}</h3>
<ol class="violations">
${found.slice(0, VIOLATIONS_TOLD).map(
  ({ kind, message, cpus, replay }) => html`<li>
<p><strong class="bad">${kind}</strong>: ${message}.</p>
${meaning(explain(kind))}
${cpus.length > 0 && html`<p class="note">${cpus.map((cpu) => `cpu${cpu}`).join(', ')}</p>`}
${replay !== null && html`<p>${copyable(replay, 'the replay')}</p>`}
</li>
`,
)}</ol>
${rest > 0 && html`<p>And ${formatCounted(rest, 'more violation')}.</p>`}
${lastActs != null && asTable(lastActsTable(lastActs), 'What the CPUs did last')}`;
}

function meaning(sentence: string | undefined): Html {
  return sentence === undefined ? html`` : html`<p class="note">${sentence}</p>`;
}

function lastActsTable({ columns }: LastActs): Html {
  const depth = Math.min(ACTS_TOLD, Math.max(0, ...columns.map(({ acts }) => acts.length)));
  const age = Array.from({ length: depth }, (_, i) => depth - i);
  return plainTable(
    'The latest operations of each CPU, the last one below',
    words('', ...columns.map(({ cpu }) => `cpu${cpu}`)),
    age.map((n) => [
      n === 1 ? 'last' : `${n - 1} before`,
      ...columns.map(({ acts, isInFlight }) => {
        const act = acts.at(-n);
        return act === undefined ? '' : actText(act) + (isInFlight && n === 1 ? ', going on' : '');
      }),
    ]),
  );
}

function actText({ act, region, page, pages }: LastAct): string {
  if (act === 'sleep') return `sleep ${formatCount(pages)} ms`;
  if (region === null) return act;
  const last = page + Math.max(pages, 1) - 1;
  const where = last === page ? `page ${formatCount(page)}` : `pages ${page} to ${last}`;
  return `${act}, ${where} of region ${region}`;
}
