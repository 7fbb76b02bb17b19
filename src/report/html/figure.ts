/** Pieces of figures: the place that the script draws in, and what stands around it. */
import { type Html, html } from './markup.ts';

/** `label` says what is drawn, to those who cannot see it; the figures are in a table below. */
export function drawing(label: string): Html {
  return html`<div class="drawing" role="img" aria-label="${label}"></div>`;
}

/** What is under the pointer, in words; the same is in the table. */
export function readout(): Html {
  return html`<p class="readout" data-readout aria-hidden="true"></p>`;
}

/** `chip`: the class of the style that has the colour. */
export function key(items: readonly (readonly [chip: string, text: string])[]): Html {
  return html`<ul class="key">
${items.map(([chip, text]) => html`<li><span class="chip ${chip}"></span> ${text}</li>\n`)}</ul>`;
}
