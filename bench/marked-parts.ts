/** Parts of a document that a program writes: what stands between two markers. */
import { UserError } from '#base/user-error';

const END = '<!-- end of generated -->';

/** `text`, that of `document`, with `lines` between the markers of `part`. */
export function withPart(
  text: string,
  part: string,
  lines: readonly string[],
  document = 'README.md',
): string {
  const begin = `<!-- generated: ${part} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(END, from);
  if (from < 0 || to < 0) throw new UserError(`${document} lacks "${begin}", or "${END}" after it`);
  return `${text.slice(0, from)}${[begin, ...lines].join('\n')}\n${text.slice(to)}`;
}

/** The parts that `text` has markers for. */
export function partsOf(text: string): string[] {
  return [...text.matchAll(/<!-- generated: (.*) -->/g)].map(([, part]) => part!);
}
