/** Page-table memory over time, a line for each run; and RSS. */
import type { Result, Run } from '#result/result';
import { memoryFacts } from '../facts.ts';
import { formatKiB, formatSeconds } from '../format.ts';
import { type Lines, type Point, pageData, runName } from './data.ts';
import { drawing } from './figure.ts';
import { type Html, html } from './markup.ts';
import { asTable, numbers, plainTable, words } from './table.ts';

/** Times of a series that its table gives. */
const TIMES = 12;
/** The style has so many lines that can be told apart, by colour and by dashes. */
export const LINE_STYLES = 8;

export function memory(result: Result): Html {
  const { vmpte } = pageData(result);
  const names = result.runs.map((run) => runName(run, result));
  if (vmpte.every((points) => points.length < 2)) return html``;
  const ends = result.runs.map((run, i) => {
    const { peak, end } = run.vmpteKiB;
    return `${names[i]}: peak ${formatKiB(peak)}, end ${formatKiB(end)}`;
  });
  return html`<section id="memory" aria-labelledby="memory-head">
<h2 id="memory-head">Page-table memory over time</h2>
${plot('vmpte', 'VmPTE over the main phase', names, ends.join('; '))}
${asTable(seriesTable('VmPTE over time', names, vmpte))}
</section>`;
}

/** Of one run: lines of several would hide each other, since memory comes and goes all the time. */
export function residentSet(run: Run, index: number, name: string): Html {
  const series = run.rssKiB.series ?? [];
  if (series.length < 2) return html``;
  return html`<h3>Resident set over time</h3>
${plot(`rss-${index}`, `RSS under ${name}`, [name], memoryFacts(run)[1]!.join(' '))}
${asTable(seriesTable(`RSS under ${name} over time`, [name], [series]))}`;
}

/** A place for the script to draw in, with the key, which switches lines on and off. */
export function plot(id: string, title: string, names: readonly string[], summary: string): Html {
  return html`<figure class="plot" data-plot="${id}">
<figcaption>${title}</figcaption>
<fieldset class="key"${names.length === 1 && html` hidden`}>
<legend class="unseen">Lines of ${title}</legend>
${names.map(
  (name, i) =>
    html`<label><input type="checkbox" checked data-line="${i}"> ${swatch(i)}${name}</label>\n`,
)}<label class="log" hidden><input type="checkbox" data-log> logarithmic</label>
</fieldset>
${drawing(`${title}. ${summary}.`)}
</figure>`;
}

function swatch(line: number): Html {
  const style = line % LINE_STYLES;
  return html`<svg class="swatch line-${style}" viewBox="0 0 30 8" width="30" height="8"
 aria-hidden="true"><path d="M0 4h30"/></svg>`;
}

function seriesTable(caption: string, names: readonly string[], lines: Lines): Html {
  const end = Math.max(...lines.flatMap((points) => points.at(-1)?.[0] ?? 0));
  const times = Array.from({ length: TIMES + 1 }, (_, i) => (end * i) / TIMES);
  return plainTable(
    caption,
    [...words('time'), ...numbers(...names)],
    times.map((ms) => [
      formatSeconds(ms / 1000),
      ...lines.map((points) => {
        const found = valueAt(points, ms);
        return found === null ? '-' : formatKiB(found);
      }),
    ]),
  );
}

/** As of the latest point until then; null: there is none, or the line has ended. */
function valueAt(points: readonly Point[], ms: number): number | null {
  const latest = points.findLast(([at]) => at <= ms);
  const last = points.at(-1);
  return latest === undefined || last![0] < ms ? null : latest[1];
}
