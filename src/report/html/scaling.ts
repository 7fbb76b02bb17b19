/** Throughput by the number of CPUs, where something was run with several numbers of them. */
import type { Result } from '#result/result';
import { formatCounted, formatShort } from '../format.ts';
import { lawSentence } from '../sweeps.ts';
import { type Curve, scalingCurves } from './data.ts';
import { type Html, html } from './markup.ts';
import { plot } from './memory.ts';
import { asTable, numbers, plainTable, words } from './table.ts';

export function scaling(result: Result): Html {
  const curves = scalingCurves(result);
  if (curves.length === 0) return html``;
  const names = curves.map(({ sweep }) => sweep.name);
  const { cores } = result.machine;
  return html`<section id="scaling" aria-labelledby="scaling-head">
<h2 id="scaling-head">Throughput by number of CPUs</h2>
${plot('scaling', 'Work done in each second', names, `work of ${names.join(', ')}`)}
<p class="note">Pages faulted in, or operations where nothing faults, on
${formatCounted(cores, 'core')}.</p>
${curves.map(({ sweep }) => {
  const law = lawSentence(result, sweep);
  return law !== null && html`<p><strong>${sweep.name}</strong>: ${law}</p>\n`;
})}
${asTable(scalingTable(curves))}
</section>`;
}

function scalingTable(curves: readonly Curve[]): Html {
  const all = new Set(curves.flatMap(({ points }) => points.map(([n]) => n)));
  const cpus = [...all].toSorted((a, b) => a - b);
  return plainTable(
    'Work done in each second, by number of CPUs',
    [...words('protocol'), ...numbers(...cpus.map((n) => formatCounted(n, 'CPU')))],
    curves.map(({ sweep, points }) => [
      sweep.name,
      ...cpus.map((n) => {
        const found = points.find(([at]) => at === n);
        return found === undefined ? '-' : formatShort(found[1]);
      }),
    ]),
  );
}
