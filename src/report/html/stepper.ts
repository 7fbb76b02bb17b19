/**
 * An interleaving as a list of acts in columns, with the state of tables and locks after each: the
 * page shows one of the states at a time, and steps forwards and backwards.
 */
import type {
  Interleaving,
  InterleavingRow,
  InterleavingState,
  InterleavingTable,
} from '#result/interleaving';
import { sayings } from '../diagram.ts';
import { type Html, html } from './markup.ts';

/** More columns would be too narrow; then all CPUs share one. */
const COLUMNS_MAX = 4;

export function stepper(interleaving: Interleaving, name: string): Html {
  const { columns, rows, waits } = interleaving;
  const states = interleaving.states ?? [];
  const isInColumns = columns.length > 1 && columns.length <= COLUMNS_MAX;
  const width = `columns-${isInColumns ? columns.length : 1}`;
  return html`<div class="stepper" data-stepper role="group" aria-label="${name}">
${rows.length > 0 && controls(rows.length)}
<div class="stage${states.length > 0 && ' with-states'}">
<div class="diagram">
<ul class="columns ${width}">${columns.map(
    ({ cpu, runs }) => html`<li><strong>cpu${cpu}</strong>${runs !== '' && html`: ${runs}`}</li>\n`,
  )}</ul>
<ol class="rows ${width}">
${sayings(interleaving).map((said, i) => rowItem(interleaving, rows[i]!, said))}</ol>
${waits.length > 0 && waiting(interleaving)}
</div>
${states.length > 0 && html`<div class="states">${states.map((_, i) => panel(states, i))}</div>`}
</div>
</div>`;
}

function controls(rows: number): Html {
  const button = (step: string, sign: string, text: string): Html =>
    html`<button type="button" data-step="${step}"><span aria-hidden="true">${sign}</span>
${text}</button>
`;
  return html`<div class="controls" hidden>
${button('first', '\u21e4', 'First')}${button('back', '\u2190', 'Back')}
${button('next', '\u2192', 'Next')}${button('last', '\u21e5', 'Last')}
<output data-position aria-live="polite">Before row 1 of ${rows}</output>
<span class="note">Arrow keys, Home and End work here too.</span>
</div>`;
}

function rowItem({ columns }: Interleaving, row: InterleavingRow, said: string): Html {
  const { violation, site, cpu } = row;
  const column = columns.findIndex((each) => each.cpu === cpu) + 1;
  return html`<li class="row column-${column}" data-row="${row.row}">
<button type="button" class="row-number" data-go="${row.row}"
 aria-label="Go to row ${row.row}">${row.row}</button>
<div class="act"><span class="cpu">cpu${cpu}:</span> <span>${said}</span>
${violation !== null && html`<p class="bad"><span aria-hidden="true">^</span> ${violation}</p>`}
${site !== null && html`<span class="site">${site.file}:${site.line}</span>`}</div>
</li>
`;
}

function waiting({ waits }: Interleaving): Html {
  return html`<ul class="waits">${waits.map(
    ({ cpu, holds, waitsFor }) => html`<li><strong>cpu${cpu}</strong>
holds ${holds.length === 0 ? 'nothing' : holds.join(', ')} and
<span class="bad">waits for ${waitsFor}</span></li>
`,
  )}</ul>`;
}

/** All states stand in the page; the script shows one. Without it, the last is shown. */
function panel(states: readonly InterleavingState[], index: number): Html {
  const state = states[index]!;
  const before = states[index - 1];
  const isHidden = index < states.length - 1;
  const after = state.row === 0 ? 'Before row 1' : `After row ${state.row}`;
  const step = state.step >= 0 && html` <span class="note">step ${state.step + 1}</span>`;
  return html`<section class="state" data-state="${index}"
 aria-label="State: ${after}"${isHidden && html` hidden`}>
<h3>${after}${step}</h3>
<ul class="holds">${state.holds.map(({ cpu, what }) => {
    const held = before?.holds.find((each) => each.cpu === cpu)?.what ?? what;
    const isChanged = held.join() !== what.join();
    const text = what.length === 0 ? 'holds nothing' : `holds ${what.join(', ')}`;
    return html`<li${marked(isChanged)}><strong>cpu${cpu}</strong>
${text}${mark(isChanged)}</li>
`;
  })}</ul>
${state.tables.map((table) =>
  tableState(
    table,
    before?.tables.find((each) => each.table === table.table),
  ),
)}</section>
`;
}

function tableState(table: InterleavingTable, before: InterleavingTable | undefined): Html {
  const { level, generation, entries, state } = table;
  const kind = level === 0 ? 'pte' : 'pmd';
  const again = generation > 1 ? ` (gen ${generation})` : '';
  const isMoved =
    before !== undefined && (before.state !== state || before.generation !== generation);
  return html`<table class="entries">
<caption>${kind} table ${table.table}${again}:
<span class="table-state ${state.replaceAll(' ', '-')}">${state}${mark(isMoved)}</span></caption>
<tbody>
${entries.map(([index, value], i) => {
  const isChanged = before !== undefined && before.entries[i]?.[1] !== value;
  const shown = value === '' ? '\u2013' : value;
  return html`<tr${marked(isChanged)}><th scope="row"><code>${kind}[${index}]</code></th>
<td>${shown}${mark(isChanged)}</td></tr>
`;
})}</tbody>
</table>
`;
}

function marked(isChanged: boolean): Html {
  return isChanged ? html` class="changed"` : html``;
}

/** Says beside what the row has changed that it has. */
function mark(isChanged: boolean): Html {
  return isChanged ? html` <span class="mark">changed</span>` : html``;
}
