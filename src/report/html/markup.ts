/**
 * Markup from pieces: what is not markup already is escaped, so that nothing from a document can be
 * taken for it. As in text reports, characters that no page would show become spaces.
 */
import { clean } from '../page.ts';

/** Text that is markup. Made by `html` alone. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Null and false leave nothing. */
export type Piece = Html | string | number | null | false | readonly Piece[];

export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  return new Html(
    strings.map((text, i) => text + (i < pieces.length ? markupOf(pieces[i]!) : '')).join(''),
  );
}

/** A script that is data: the browser does not run it, and nothing in it can end it. */
export function dataScript(id: string, data: unknown): Html {
  const json = JSON.stringify(data).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return new Html(`<script type="application/json" id="${escaped(id)}">${json}</script>`);
}

/** What the build has made, and vouches for, as the contents of an inline element. */
export function inlined(element: 'script' | 'style', text: string): Html {
  if (new RegExp(`</${element}|<!--`, 'i').test(text))
    throw new Error(`the page's ${element} would end before its end`);
  return new Html(`<${element}>${text}</${element}>`);
}

function markupOf(piece: Piece): string {
  if (piece === null || piece === false) return '';
  if (piece instanceof Html) return piece.text;
  return typeof piece === 'object' ? piece.map(markupOf).join('') : escaped(String(piece));
}

function escaped(text: string): string {
  return clean(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
