/** Tables that scroll in a box of their own where the page is too narrow for them. */
import type { Style } from '../page.ts';
import type { Cell, Column } from '../table.ts';
import { type Html, html, type Piece } from './markup.ts';

/** `caption` names the table for those who cannot see what stands above it. */
export function scrollable(caption: string, table: Html): Html {
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0">
${table}
</div>`;
}

/** A grid of the text report as a table: the first cell of each row is its heading. */
export function gridTable(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
): Html {
  return plainTable(
    caption,
    columns.map(({ head, align }) => ({ head, isNumber: align === 'right' })),
    rows.map((row) => row.map(({ text, style }) => marked(text, style))),
  );
}

export interface PlainColumn {
  readonly head: string;
  readonly isNumber: boolean;
}

export function plainTable(
  caption: string,
  columns: readonly PlainColumn[],
  rows: readonly (readonly Piece[])[],
): Html {
  const kind = (i: number): Html => (columns[i]!.isNumber ? html` class="number"` : html``);
  return scrollable(
    caption,
    html`<table>
<caption class="unseen">${caption}</caption>
<thead>
<tr>${columns.map(({ head }, i) => html`<th scope="col"${kind(i)}>${head}</th>`)}</tr>
</thead>
<tbody>
${rows.map(
  (row) =>
    html`<tr>${row.map((cell, i) =>
      i === 0 ? html`<th scope="row">${cell}</th>` : html`<td${kind(i)}>${cell}</td>`,
    )}</tr>
`,
)}</tbody>
</table>`,
  );
}

/** A number column, or one of words. */
export function numbers(...heads: readonly string[]): PlainColumn[] {
  return heads.map((head) => ({ head, isNumber: true }));
}

export function words(...heads: readonly string[]): PlainColumn[] {
  return heads.map((head) => ({ head, isNumber: false }));
}

/** The same figures as a plot's, behind a button. */
export function asTable(table: Html, title = 'As a table'): Html {
  return html`<details class="as-table"><summary>${title}</summary>${table}</details>`;
}

function marked(text: string, style: Style | undefined): Piece {
  if (style === undefined || style === 'plain' || style === 'strong') return text;
  return html`<span class="${style}">${text}</span>`;
}
