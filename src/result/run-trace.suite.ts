/** A trace made up for tests. */
import type { RunTrace, TracedLock, TraceEvent } from './run-trace.ts';

export const PTL: TracedLock = { class: 'ptl', name: 'ptl of table 12' };
export const PML: TracedLock = { class: 'pml', name: 'pml of table 3' };
export const SITE = 'doAnonymousPage (mm/fault.ts:97)';

/** `events` of each CPU, all complete; recording ended at 1000 ns. */
export function sampleTrace(
  events: readonly (readonly TraceEvent[])[] = [TOUCH],
  more: Partial<RunTrace> = {},
): RunTrace {
  return {
    protocol: 'pt-reclaim',
    eventsMax: 100,
    endNs: 1000,
    phases: [
      { name: 'setup', beganNs: 1, endedNs: 10 },
      { name: 'main', beganNs: 10, endedNs: 1000 },
    ],
    tracks: events.map((ours, id) => ({
      ...{ name: `CPU ${id}`, events: ours, dropped: 0, sinceNs: 0 },
    })),
    gracePeriods: { events: [], dropped: 0, sinceNs: 0 },
    samples: [
      { ns: 20, vmpteKiB: 8, rssKiB: 4, rcuBacklog: 0 },
      { ns: 900, vmpteKiB: 16, rssKiB: 8, rcuBacklog: 3 },
    ],
    violations: [],
    ...more,
  };
}

/** A fault in an operation. */
export const TOUCH: readonly TraceEvent[] = [
  {
    ...{ ns: 100, kind: 'operation' },
    operation: { act: 'touch write', where: { region: 'heap', page: 7, pages: 1 } },
  },
  { ns: 110, kind: 'enter', actor: 'fault' },
  { ns: 120, kind: 'section' },
  { ns: 130, kind: 'acquired', lock: PTL, isShared: false, site: SITE },
  { ns: 140, kind: 'race', race: 'pteChanged', noticedBy: 'fault', causedBy: 'madvise' },
  { ns: 150, kind: 'released', lock: PTL },
  { ns: 160, kind: 'sectionEnd' },
  { ns: 170, kind: 'leave', actor: 'fault' },
  { ns: 180, kind: 'operationEnd' },
];
