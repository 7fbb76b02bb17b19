/**
 * The race matrix as a heat map: a row for who noticed a kind of race, a column for who had done
 * it. The number stands in each cell; its shade, on a logarithmic scale, only helps the eye.
 */
import type { Run } from '#result/result';
import { formatCount, formatShort } from '../format.ts';
import { ATTRIBUTION, type RaceRow, raceRows } from '../races.ts';
import { type Html, html } from './markup.ts';
import { scrollable } from './table.ts';

/** Shades of a cell, 1 to so many; the style has a colour for each. */
export const SHADES = 7;

export function raceMap(run: Run, name: string): Html {
  const { actors, rows } = raceRows(run);
  if (rows.length === 0) return html`<p>No race was noticed.</p>`;
  const most = Math.max(...rows.flatMap(({ counts }) => counts));
  const kinds = [...new Set(rows.map(({ kind }) => kind))];
  return html`${scrollable(
    `Races under ${name}`,
    html`<table class="races">
<caption class="unseen">Races under ${name}: who noticed, and who had done it</caption>
<thead>
<tr><th scope="col">race</th><th scope="col">noticed by</th>${actors.map(
      (actor) => html`<th scope="col" class="number">${actor}</th>`,
    )}<th scope="col" class="number">sum</th></tr>
</thead>
${kinds.map((kind) =>
  kindRows(
    kind,
    rows.filter((row) => row.kind === kind),
    most,
  ),
)}</table>`,
  )}
<p class="note">${ATTRIBUTION}</p>
${meanings(kinds)}`;
}

function kindRows(kind: string, rows: readonly RaceRow[], most: number): Html {
  const head = html`<th scope="rowgroup" rowspan="${rows.length}"><code>${kind}</code></th>`;
  return html`<tbody>
${rows.map(
  ({ noticedBy, counts }, i) => html`<tr>${i === 0 && head}
<th scope="row">${noticedBy}</th>
${counts.map((count) => heatCell(count, most))}
<td class="number">${formatShort(counts.reduce((a, b) => a + b, 0))}</td></tr>
`,
)}</tbody>
`;
}

function heatCell(count: number, most: number): Html {
  if (count === 0) return html`<td class="number none">0</td>`;
  const shade = `shade-${shadeOf(count, most)}`;
  const exact = formatCount(count);
  return html`<td class="number ${shade}" title="${exact}">${formatShort(count)}</td>`;
}

/** 1 for a single race, `SHADES` for the most that any cell has. */
export function shadeOf(count: number, most: number): number {
  if (most <= 1) return 1;
  return 1 + Math.round(((SHADES - 1) * Math.log(count)) / Math.log(most));
}

function meanings(kinds: readonly string[]): Html {
  const known = kinds.filter((kind) => MEANINGS[kind] !== undefined);
  if (known.length === 0) return html``;
  return html`<dl class="meanings">
${known.map(
  (kind) => html`<div><dt><code>${kind}</code></dt><dd>${MEANINGS[kind]!}</dd></div>
`,
)}</dl>`;
}

const MEANINGS: Readonly<Record<string, string>> = {
  tableLost: 'somebody else populated the pmd first',
  pteChanged: 'the entry is another one under the ptl than before it',
  vmaLockFallback: 'the per-VMA lock was not to be had',
  pmdChanged: 'under the ptl, the pmd no longer points to the table that was looked up',
  pmdGone: 'the pmd had a table, and the next lookup found none',
  staleWalk: 'a lockless walker was inside a table when it was unhooked',
  refilled: 'a reclaimer found a table no longer empty once it held the locks',
  pmdTrylockFailed: 'the zap could not have the pml while it held the ptl',
  trygetFailed: 'a table was dying when a walker asked for a reference',
};
