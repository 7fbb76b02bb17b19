/** What each CPU did: over the whole main phase as it was found at times, and its end in full. */
import type { LatestWindow, Timeline } from '#result/timeline';
import { formatCount, formatPercent, formatSeconds } from '../format.ts';
import { FAMILIES, FAMILY_WORDS, type Family, familyOf, shares } from './doing.ts';
import { drawing, key, readout } from './figure.ts';
import { type Html, html } from './markup.ts';
import { asTable, numbers, plainTable, words } from './table.ts';

export function timelineFigure(timeline: Timeline, run: number, name: string): Html {
  const { samples, latest } = timeline;
  const [first] = samples;
  if (first === undefined) return html``;
  const cpus = first.act.map((_, cpu) => cpu);
  const found = new Set(cpus.flatMap((cpu) => [...shares(timeline, cpu).keys()]));
  const present = FAMILIES.filter((family) => found.has(family));
  return html`<figure class="timeline" data-timeline="${run}">
<figcaption>Each CPU was looked at ${formatCount(samples.length)} times. A mark is what it was doing
at that moment, drawn until the next look; paler where it was asleep, waiting for
another.</figcaption>
${key(present.map((each) => [`family-${FAMILIES.indexOf(each)}`, FAMILY_WORDS[each]] as const))}
${drawing(`What each CPU under ${name} was found doing; shares are in the table below.`)}
${readout()}
${asTable(sharesTable(timeline, cpus, present, name))}
</figure>
${latest !== null && latest.us > 0 && windowFigure(timeline, latest, run, name)}`;
}

function sharesTable(
  timeline: Timeline,
  cpus: readonly number[],
  families: readonly Family[],
  name: string,
): Html {
  return plainTable(
    `Share of moments in which each CPU under ${name} ran, and waited`,
    [...words('CPU'), ...numbers(...families.flatMap((each) => [each, `${each}, waiting`]))],
    cpus.map((cpu) => {
      const found = shares(timeline, cpu);
      const cells = families.flatMap((family) => found.get(family) ?? [0, 0]);
      return [`cpu${cpu}`, ...cells.map((share) => formatPercent(share, 1))];
    }),
  );
}

function windowFigure(timeline: Timeline, latest: LatestWindow, run: number, name: string): Html {
  const us = formatSeconds(latest.us / 1e6);
  return html`<figure class="timeline" data-window="${run}">
<figcaption>The last ${us} that the rings still held, ${formatSeconds(latest.endMs / 1000)} into the
main phase: every operation of each CPU from its beginning to that of the next one. Ticks are
tables: hooked below the line, unhooked and freed above it; events of one operation share its
clock.</figcaption>
${drawing(`The latest operations of each CPU under ${name}, counted in the table below.`)}
${readout()}
${asTable(windowTable(timeline, latest, name))}
</figure>`;
}

function windowTable({ acts, events }: Timeline, latest: LatestWindow, name: string): Html {
  const families = FAMILIES.filter((family) =>
    latest.columns.some(({ operations }) =>
      operations.some(([act]) => familyOf(acts[act]) === family),
    ),
  );
  const kinds = events.filter((_, kind) =>
    latest.columns.some(({ tables }) => tables.some(([event]) => event === kind)),
  );
  return plainTable(
    `Operations and events of tables in the last moments under ${name}`,
    [...words('CPU'), ...numbers(...families, ...kinds.map((kind) => `tables: ${kind}`))],
    latest.columns.map(({ cpu, role, operations, tables }) => [
      role === 'cpu' ? `cpu${cpu}` : role,
      ...families.map((family) =>
        formatCount(operations.filter(([act]) => familyOf(acts[act]) === family).length),
      ),
      ...kinds.map((kind) =>
        formatCount(tables.filter(([event]) => events[event] === kind).length),
      ),
    ]),
  );
}
