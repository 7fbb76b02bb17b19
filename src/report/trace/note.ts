/** What a person is told of a trace that has been written. A pure function of the trace. */
import type { Recorded, RunTrace } from '#result/run-trace';
import { formatCounted, formatKiB, formatSeconds, formatShort } from '../format.ts';

/** Ends in a newline. `file`: where the trace is; `sizeBytes`: how large the file is. */
export function traceNote(trace: RunTrace, file: string, sizeBytes: number): string {
  const size = formatKiB(sizeBytes / 1024);
  const lines = [
    `trace of setup and the main phase: ${file}, ${size}`,
    'open it in ui.perfetto.dev or chrome://tracing',
    ...completeness(trace),
  ];
  return `${lines.join('\n')}\n`;
}

function completeness(trace: RunTrace): string[] {
  const rings: [name: string, ring: Recorded<unknown>][] = [
    ...trace.tracks.map((track): [string, Recorded<unknown>] => [track.name, track]),
    ['grace periods', trace.gracePeriods],
  ];
  const cut = rings.filter(([, { dropped }]) => dropped > 0);
  if (cut.length === 0) return ['it is complete: no event was dropped'];
  const width = Math.max(...cut.map(([name]) => name.length));
  const rows = cut.map(([name, { dropped, sinceNs }]) => {
    const lasted = formatSeconds(Math.max(0, trace.endNs - sinceNs) / 1e9);
    return `  ${name.padEnd(width)}  the last ${lasted}; ${formatShort(dropped)} dropped before`;
  });
  const kept = formatCounted(trace.eventsMax, 'event');
  return [`of these tracks it has the latest ${kept} (--trace-events N keeps more):`, ...rows];
}
