/** The page on the whole catalogue: a table of all, then each broken version with its story. */
import { type CatalogueEntry, type CatalogueReport, isAsNamed } from '#result/catalogue';
import { controlFigures, entryFigures, OUTCOMES, sentence } from '../catalogue.ts';
import { violationStory } from './exploration-main.ts';
import { type Html, html } from './markup.ts';
import { copyable, factList } from './shell.ts';
import { plainTable, words } from './table.ts';
import type { Explain } from './violations.ts';

export function catalogueMain(report: CatalogueReport, explain: Explain): Html {
  const { entries, controls } = report;
  return html`<section id="versions" aria-labelledby="versions-head">
<h2 id="versions-head">Broken versions</h2>
${plainTable(
  'Broken versions',
  words('broken version', 'bug', 'scenario', 'protocol', 'oracle', 'outcome'),
  entries.map((entry, i) => [
    html`<a href="#entry-${i + 1}">${entry.name}</a>`,
    ...[entry.bug, entry.exploration.scenario, entry.exploration.protocol, entry.oracle],
    outcome(entry),
  ]),
)}
</section>
${
  controls.length > 0 &&
  html`<section id="controls" aria-labelledby="controls-head">
<h2 id="controls-head">Controls</h2>
<p>The same scenarios, protocols and conditions without the flaws.</p>
${plainTable(
  'Controls',
  words('command', 'twin of', 'outcome'),
  controls.map((control) => [
    html`<code>${control.exploration.command}</code>`,
    control.of.join(', '),
    controlFigures(control),
  ]),
)}
</section>`
}
${entries.map((entry, i) => entrySection(entry, i, explain))}`;
}

export function catalogueLinks({ entries, controls }: CatalogueReport): [string, string][] {
  return [
    ['versions', 'Broken versions'],
    ...(controls.length > 0 ? [['controls', 'Controls'] as [string, string]] : []),
    ...entries.map(({ name }, i): [string, string] => [`entry-${i + 1}`, name]),
  ];
}

function entrySection(entry: CatalogueEntry, index: number, explain: Explain): Html {
  const { bug, name, summary, source, exploration, before, oracle } = entry;
  const settings = Object.entries({ ...entry.conditions, ...entry.flaw });
  const [violation] = exploration.violations;
  return html`<details class="run" id="entry-${index + 1}">
<summary><h2>${bug} ${name}</h2>
<span class="verdict">${outcome(entry)}</span></summary>
<p>${sentence(summary)}</p>
${factList([
  ['source', source],
  ['where', `${exploration.scenario} under ${exploration.protocol}`],
  ...settings.map(([setting, value]): [string, string] => [setting, value]),
  ['must show', oracle],
  ...(before === null ? [] : ([['or before', `${before.oracle}: ${before.why}`]] as const)),
  ['figures', entryFigures(entry)],
  ['run it again', copyable(exploration.command, 'the command')],
])}
${violation === undefined && html`<p>${exploration.silence}</p>`}
${violation !== undefined && violationStory(violation, explain)}
</details>
`;
}

function outcome(entry: CatalogueEntry): Html {
  const mood = isAsNamed(entry) ? 'good' : 'bad';
  return html`<span class="${mood}">${OUTCOMES[entry.outcome]}</span>`;
}
