/**
 * What text is set on: a width, and paint. All widths are counted on unpainted text, so paint comes
 * last. Text from a document is cleaned first: a saved file must not steer the reader's terminal.
 */

export type Style = 'plain' | 'strong' | 'dim' | 'good' | 'bad' | 'warn';

/** Colours a piece of text, or returns it as it is. */
export type Paint = (style: Style, text: string) => string;

export interface Page {
  readonly width: number;
  readonly paint: Paint;
}

/** Narrower than this we do not go; wider than this, lines are hard to read. */
export const WIDTH_MIN = 40;
const WIDTH_MAX = 120;

export function pageOf(width: number, paint: Paint): Page {
  return { width: Math.min(Math.max(Math.floor(width), WIDTH_MIN), WIDTH_MAX), paint };
}

/**
 * `text` on lines of the page's width; lines after the first are indented by `indent` spaces. A
 * number stays on one line with its unit.
 */
export function wrap(page: Page, text: string, indent = 0, style: Style = 'plain'): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of wordsOf(glued(clean(text)), page.width - indent)) {
    if (line === '') line = lines.length === 0 ? word : ' '.repeat(indent) + word;
    else if (widthOf(line) + 1 + widthOf(word) <= page.width) line += ` ${word}`;
    else {
      lines.push(line);
      line = ' '.repeat(indent) + word;
    }
  }
  if (line !== '') lines.push(line);
  return lines.map((each) => page.paint(style, each.replaceAll(GLUE, ' ')));
}

/** Lines set `by` spaces to the right; `set` lays them out on what is left of the page. */
export function indented(page: Page, by: number, set: (page: Page) => string[]): string[] {
  return set({ ...page, width: page.width - by }).map((line) => ' '.repeat(by) + line);
}

/** `label` in a column of its own, the text beside it: one fact of a run. */
export function fact(page: Page, label: string, text: string): string[] {
  return indented(page, LABEL_WIDTH, (room) => wrap(room, text)).map((line, i) =>
    i > 0 ? line : page.paint('dim', label.padEnd(LABEL_WIDTH)) + line.slice(LABEL_WIDTH),
  );
}

const LABEL_WIDTH = 11;

/** A heading on a line of its own, after an empty one. */
export function heading(page: Page, text: string): string[] {
  return ['', page.paint('strong', clip(text, page.width))];
}

/** At most `width` characters; what is cut off leaves an ellipsis. */
export function clip(text: string, width: number): string {
  const characters = [...clean(text)];
  if (characters.length <= width) return characters.join('');
  return `${characters.slice(0, width - 1).join('')}…`;
}

/** Characters that a terminal would show; every other one becomes a space. */
export function clean(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ');
}

export function widthOf(text: string): number {
  return [...text].length;
}

/** A space at which no line is broken. */
const GLUE = '\u00a0';

function glued(text: string): string {
  return text.replace(/(?<=\d) (?=(?:[KMGTP]iB|ns|us|ms|s|min|h)\b)/g, GLUE);
}

/** Words, those longer than a line cut into pieces. */
function* wordsOf(text: string, longest: number): Generator<string> {
  for (const word of text.split(/ +/)) {
    const characters = [...word];
    for (let at = 0; at < characters.length; at += longest) {
      yield characters.slice(at, at + longest).join('');
    }
  }
}
