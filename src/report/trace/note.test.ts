/** Facts about what a person is told of a trace. */
import { expect, test } from 'vitest';
import { sampleTrace } from '#result/run-trace.suite';
import { traceNote } from './note.ts';

test('a whole trace is said to be complete', () => {
  expect(traceNote(sampleTrace(), 't.json', 2_359_296)).toBe(
    'trace of setup and the main phase: t.json, 2.25 MiB\n' +
      'open it in ui.perfetto.dev or chrome://tracing\n' +
      'it is complete: no event was dropped\n',
  );
});

test('each track that lacks something is named, with what it lacks', () => {
  const whole = { name: 'CPU 0', events: [], dropped: 0, sinceNs: 0 };
  const tracks = [
    whole,
    { ...whole, name: 'CPU 1', dropped: 93_100_000, sinceNs: 9_981_000_000 },
    { ...whole, name: 'scanner thread', dropped: 7, sinceNs: 4_000_000_000 },
  ];
  const gracePeriods = { events: [], dropped: 1, sinceNs: 5e9 };
  const trace = sampleTrace([], { tracks, gracePeriods, endNs: 10e9, eventsMax: 65_536 });
  expect(traceNote(trace, 't.json', 1e6).split('\n').slice(2)).toEqual([
    'of these tracks it has the latest 65,536 events (--trace-events N keeps more):',
    '  CPU 1           the last 19.0 ms; 93.1M dropped before',
    '  scanner thread  the last 6.00 s; 7 dropped before',
    '  grace periods   the last 5.00 s; 1 dropped before',
    '',
  ]);
});
