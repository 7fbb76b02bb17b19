/** The map of the address space: which PTE tables stood where, at a time that can be chosen. */
import type { Occupancy, OccupancySample } from '#result/occupancy';
import { formatCount, formatCounted, formatKiB, formatSeconds } from '../format.ts';
import { drawing, key, readout } from './figure.ts';
import { type Html, html } from './markup.ts';
import { asTable, numbers, plainTable, words } from './table.ts';

/** What a table can be, and how the key says it; the style has a colour for each. */
export const TABLE_STATES = [
  ['live', 'live: has entries'],
  ['empty', 'empty: hooked, but has none'],
  ['unhooked', 'unhooked: waits to be freed'],
] as const;

export function occupancyFigure(occupancy: Occupancy, run: number, name: string): Html {
  const { samples } = occupancy;
  const last = samples.length - 1;
  if (last < 0) return html``;
  const id = `time-${run + 1}`;
  return html`<figure class="occupancy" data-occupancy="${run}">
<figcaption>${bucketText(occupancy)} Above, all times, the first at the top; below, the time
chosen.</figcaption>
${key(TABLE_STATES.map(([state, text]) => [`state-${state}`, text] as const))}
${drawing(`PTE tables over the address space under ${name}; sums are in the table below.`)}
<div class="slider" hidden>
<label for="${id}">Time</label>
<input type="range" id="${id}" min="0" max="${last}" value="${last}" step="1">
<output for="${id}">${sampleText(samples[last]!)}</output>
</div>
${readout()}
${asTable(occupancyTable(samples, name))}
</figure>`;
}

/** `3.20 s: 120 live, 30 empty, 4 unhooked`. */
export function sampleText(sample: OccupancySample): string {
  const { live, empty, unhooked, ms, unplaced } = sample;
  const parts = [
    `${formatCount(sum(live))} live`,
    `${formatCount(sum(empty))} empty`,
    `${formatCount(sum(unhooked) + unplaced)} unhooked`,
  ];
  const nowhere = unplaced === 0 ? '' : ` (${formatCount(unplaced)} of unknown place)`;
  return `${formatSeconds(ms / 1000)}: ${parts.join(', ')}${nowhere}`;
}

function bucketText({ slotKiB, slotsPerBucket, slotStep, spans }: Occupancy): string {
  const places = `${formatCounted(slotsPerBucket, 'place')} of a PTE table`;
  const size = formatKiB(slotKiB * slotsPerBucket);
  const names = spans.map(({ name }) => name).join('; ');
  const step = slotStep === 1 ? '' : ` One place in ${formatCount(slotStep)} was looked at.`;
  return `A column is ${places}, ${size} of the address space, of ${names}.${step}`;
}

function occupancyTable(samples: readonly OccupancySample[], name: string): Html {
  return plainTable(
    `PTE tables under ${name} in the course of time`,
    [...words('time'), ...numbers('live', 'empty', 'unhooked', 'of unknown place')],
    samples.map(({ ms, live, empty, unhooked, unplaced }) => [
      formatSeconds(ms / 1000),
      ...[sum(live), sum(empty), sum(unhooked), unplaced].map(formatCount),
    ]),
  );
}

export function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
