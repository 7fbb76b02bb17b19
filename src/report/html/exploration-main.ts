/** The page on an exploration: each violation to step through, and how far the search came. */
import type { Exploration, ExploredViolation } from '#result/exploration';
import { figures, replayCommand, sizes } from '../exploration.ts';
import { type Html, html } from './markup.ts';
import { copyable } from './shell.ts';
import { stepper } from './stepper.ts';
import { plainTable, words } from './table.ts';
import type { Explain } from './violations.ts';

export function explorationMain(exploration: Exploration, explain: Explain): Html {
  const { violations, silence } = exploration;
  return html`${violations.map((violation, i) => violationSection(violation, i, explain))}
<section id="search" aria-labelledby="search-head">
<h2 id="search-head">The search</h2>
<p>${figures(exploration)}.</p>
<p>${silence}</p>
${outcomes(exploration)}
</section>`;
}

export function explorationLinks({ violations }: Exploration): [id: string, text: string][] {
  return [
    ...violations.map(({ kind }, i): [string, string] => [`violation-${i + 1}`, kind]),
    ['search', 'The search'],
  ];
}

function violationSection(violation: ExploredViolation, index: number, explain: Explain): Html {
  const id = `violation-${index + 1}`;
  return html`<section id="${id}" aria-labelledby="${id}-head">
<h2 id="${id}-head"><span class="bad">${violation.kind}</span></h2>
${violationStory(violation, explain)}
</section>
`;
}

/** What went wrong, the interleaving to step through, and how to replay it. */
export function violationStory(violation: ExploredViolation, explain: Explain): Html {
  const { kind, message, interleaving, replay } = violation;
  const sentence = explain(kind);
  return html`${sentence !== undefined && html`<p class="note">${sentence}</p>`}
<p>${message}.</p>
${stepper(interleaving, `The interleaving that ends in ${kind}`)}
<p>${interleaving.closing}</p>
<p class="note">${sizes(violation)}.</p>
${replay !== null && html`<p>Replay it: ${copyable(replayCommand(replay), 'the replay')}</p>`}`;
}

function outcomes({ outcomes: found }: Exploration): Html {
  if (found.length === 0) return html``;
  return plainTable(
    'Outcomes that the scenario speaks of',
    words('outcome', 'seen', 'expected', 'as expected'),
    found.map(({ outcome, seen, expected, met }) => [
      html`<code>${outcome}</code>`,
      seen,
      expected,
      html`<span class="${met ? 'good' : 'bad'}">${met ? 'yes' : 'NO'}</span>`,
    ]),
  );
}
