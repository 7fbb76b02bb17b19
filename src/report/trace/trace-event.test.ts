/**
 * Facts about a trace file: what is in it, how beginnings and ends come together, and that the
 * checker which other tests rely on sees each kind of breach.
 */
import { describe, expect, test } from 'vitest';
import type { RunTrace, TraceEvent } from '#result/run-trace';
import { PML, PTL, SITE, sampleTrace, TOUCH } from '#result/run-trace.suite';
import { traceEventText } from './trace-event.ts';
import { eventsOf, fileOf, problemsOf, type TraceFile, traceFile } from './trace-file.suite.ts';

/** Slices of a file as `track: name from-to` in nanoseconds, and their details. */
function slices(file: TraceFile): [slice: string, details: object | undefined][] {
  const names = new Map<number, string>();
  for (const event of eventsOf(file, 'M'))
    if (event.name === 'thread_name') names.set(event.tid, event.args.name);
  return eventsOf(file, 'X')
    .filter(({ cat }) => cat !== 'phase')
    .map(({ tid, name, ts, dur, args }) => [
      `${names.get(tid)}: ${name} ${Math.round(ts * 1000)}-${Math.round((ts + dur) * 1000)}`,
      args,
    ]);
}

/** The slices of one CPU's events; `dropped`: there were so many more, up to 50 ns. */
function slicesOf(events: readonly TraceEvent[], dropped = 0): [string, object | undefined][] {
  const tracks = [{ name: 'CPU 0', events, dropped, sinceNs: dropped === 0 ? 0 : 50 }];
  const file = fileOf(sampleTrace([], { tracks }));
  expect(problemsOf(file)).toEqual([]);
  return slices(file);
}

const enter = (ns: number, actor: string): TraceEvent => ({ ns, kind: 'enter', actor });
const leave = (ns: number, actor: string): TraceEvent => ({ ns, kind: 'leave', actor });
const acquired = (ns: number, lock = PTL): TraceEvent => ({
  ...{ ns, kind: 'acquired', lock, isShared: false, site: null },
});
const released = (ns: number, lock = PTL): TraceEvent => ({ ns, kind: 'released', lock });
const waits = (ns: number): TraceEvent => ({ ns, kind: 'lockWait', lock: PTL, site: SITE });
const got = (ns: number): TraceEvent => ({ ns, kind: 'lockWaitEnd', lock: PTL });

describe('a file', () => {
  test('has operations, actors, sections, holds and instants, each on its track', () => {
    const file = fileOf(sampleTrace());
    expect(problemsOf(file)).toEqual([]);
    expect(slices(file)).toEqual([
      ['CPU 0: touch write 100-180', { region: 'heap', page: 7, pages: 1 }],
      ['CPU 0: fault 110-170', undefined],
      ['RCU read sections: read section 120-160', undefined],
      ['holds ptl: ptl of table 12 130-150', { site: SITE }],
    ]);
    expect(eventsOf(file, 'i')).toMatchObject([
      { name: 'pteChanged', cat: 'race', args: { noticedBy: 'fault', causedBy: 'madvise' } },
    ]);
  });

  test('has microseconds with nanoseconds behind the point', () => {
    const file = fileOf(sampleTrace([[enter(654_700_494, 'fault'), leave(654_700_571, 'fault')]]));
    const [, , fault] = eventsOf(file, 'X');
    expect([fault!.ts, fault!.dur]).toEqual([654_700.494, 0.077]);
  });

  test('has phases, counters and violations of the machine', () => {
    const violations = [{ kind: 'lost-entry', message: 'entry 17 was lost' }];
    const file = fileOf(sampleTrace([TOUCH], { violations }));
    expect(eventsOf(file, 'X').filter(({ cat }) => cat === 'phase')).toMatchObject([
      { name: 'setup', ts: 0.001, dur: 0.009 },
      { name: 'main', ts: 0.01, dur: 0.99 },
    ]);
    expect(eventsOf(file, 'C').map(({ name, ts, args }) => [name, ts, args])).toEqual([
      ['VmPTE', 0.02, { KiB: 8 }],
      ['RSS', 0.02, { KiB: 4 }],
      ['RCU backlog', 0.02, { callbacks: 0 }],
      ['VmPTE', 0.9, { KiB: 16 }],
      ['RSS', 0.9, { KiB: 8 }],
      ['RCU backlog', 0.9, { callbacks: 3 }],
    ]);
    expect(eventsOf(file, 'i')).toContainEqual(
      expect.objectContaining({ s: 'g', name: 'lost-entry', ts: 1 }),
    );
  });

  test('comes in pieces that are one document', () => {
    const events = Array.from({ length: 2000 }, (_, i): TraceEvent[] => [
      acquired(10 * i),
      released(10 * i + 5),
    ]);
    const pieces = [...traceEventText(sampleTrace([events.flat()], { endNs: 20_000 }), {})];
    expect(pieces.length).toBeGreaterThan(2);
    const file = traceFile.parse(JSON.parse(pieces.join('')));
    expect(eventsOf(file, 'X').filter(({ cat }) => cat === 'lock')).toHaveLength(2000);
  });

  test('says what is missing of which track, and since when it is complete', () => {
    const cut = { name: 'CPU 0', events: [leave(70, 'fault')], dropped: 9, sinceNs: 50 };
    const file = fileOf(sampleTrace([], { tracks: [cut, { ...cut, name: 'CPU 1', dropped: 0 }] }));
    expect(file.otherData.tracks).toMatchObject({
      'CPU 0': { events: 1, dropped: 9, completeSinceUs: 0.05 },
      'CPU 1': { dropped: 0 },
      'grace periods': { events: 0, dropped: 0, completeSinceUs: 0 },
    });
    expect(eventsOf(file, 'i')).toMatchObject([
      { name: '9 earlier events dropped', pid: 100, tid: 100, ts: 0.05 },
    ]);
  });
});

describe('a beginning and its end', () => {
  test('that was never seen: the slice lasts to the end of the recording', () => {
    expect(slicesOf([enter(100, 'fault'), waits(120), acquired(900, PML)])).toEqual([
      ['CPU 0: fault 100-1000', { unfinished: true }],
      [`CPU 0: wait for ptl of table 12 120-1000`, { site: SITE, unfinished: true }],
      ['holds pml: pml of table 3 900-1000', { unfinished: true }],
    ]);
  });

  test('whose beginning was dropped: the slice lasts from where the track is complete', () => {
    const events = [got(60), released(80), leave(90, 'fault'), enter(95, 'gup'), leave(99, 'gup')];
    expect(slicesOf(events, 5)).toEqual([
      ['CPU 0: fault 50-90', { beganEarlier: true }],
      ['CPU 0: wait for ptl of table 12 50-60', { beganEarlier: true }],
      ['CPU 0: gup 95-99', undefined],
      ['holds ptl: ptl of table 12 50-80', { beganEarlier: true }],
    ]);
  });

  test('whose beginning never was, where nothing was dropped, makes no slice', () => {
    const ends: TraceEvent[] = [
      { ns: 90, kind: 'operationEnd' },
      { ns: 91, kind: 'sectionEnd' },
    ];
    expect(slicesOf([got(60), released(80), leave(85, 'fault'), ...ends])).toEqual([]);
  });

  test('of an inner slice that was left without it is that of the outer one', () => {
    const events = [enter(100, 'madvise'), enter(110, 'fault'), leave(200, 'madvise')];
    expect(slicesOf(events)).toEqual([
      ['CPU 0: madvise 100-200', undefined],
      ['CPU 0: fault 110-200', { unfinished: true }],
    ]);
  });

  test('of an operation that had nothing to do is that of none', () => {
    const events: TraceEvent[] = [...TOUCH, { ns: 190, kind: 'operationEnd' }];
    expect(slicesOf(events, 1).filter(([slice]) => /operation|touch/.test(slice))).toHaveLength(1);
  });

  test('of a part of a wait for a lock is left out', () => {
    const parts = [10, 40].flatMap((ns): TraceEvent[] => [
      { ns: 100 + ns, kind: 'wait', awaited: 'word 9' },
      { ns: 120 + ns, kind: 'waitEnd', awaited: 'word 9' },
    ]);
    expect(slicesOf([waits(100), ...parts, got(200)])).toEqual([
      ['CPU 0: wait for ptl of table 12 100-200', { site: SITE }],
    ]);
  });
});

describe('locks', () => {
  test('released in another order than taken do not overlap on a track', () => {
    const other = { class: 'ptl', name: 'ptl of table 13' };
    const events = [acquired(100), acquired(110, other), released(120), released(130, other)];
    expect(slicesOf(events)).toEqual([
      ['holds ptl: ptl of table 12 100-120', undefined],
      ['holds ptl (2): ptl of table 13 110-130', undefined],
    ]);
  });

  test('held exclusively are released together, those held shared are not', () => {
    const vma = (n: number) => ({ class: 'vma', name: `lock of VMA ${n}` });
    const events: TraceEvent[] = [
      { ...acquired(100, vma(1)), isShared: true } as TraceEvent,
      ...[acquired(110, vma(2)), acquired(120, vma(3))],
      { ns: 130, kind: 'releasedAll', class: 'vma' },
    ];
    expect(slicesOf(events)).toEqual([
      ['holds vma: lock of VMA 1 100-1000', { shared: true, unfinished: true }],
      ['holds vma: lock of VMA 2 110-130', undefined],
      ['holds vma: lock of VMA 3 120-130', undefined],
    ]);
  });
});

describe('an arrow', () => {
  const arrows = (trace: RunTrace): [from: number, to: number][] => {
    const file = fileOf(trace);
    expect(problemsOf(file)).toEqual([]);
    const to = new Map(eventsOf(file, 'f').map((event) => [event.id, event]));
    return eventsOf(file, 's').map(({ id, ts }) => [ts * 1000, to.get(id)!.ts * 1000]);
  };

  test('leads from the release to the wait that it ended', () => {
    const holder = [acquired(100), released(200)];
    expect(arrows(sampleTrace([holder, [waits(150), got(210)]]))).toEqual([[199, 209]]);
  });

  test('begins at the latest release by another CPU', () => {
    const first = [acquired(100), released(200)];
    const second = [acquired(210), released(300)];
    expect(arrows(sampleTrace([first, second, [waits(150), got(320)]]))).toEqual([[299, 319]]);
  });

  const instantly = [acquired(200), released(200)];
  test.each([
    ['took no time', sampleTrace([instantly, [waits(199), got(200)]])],
    ['took no time, nor did the wait', sampleTrace([instantly, [waits(200), got(200)]])],
    [
      'is there from its release on',
      sampleTrace([], {
        tracks: [
          { name: 'CPU 0', events: [released(200)], dropped: 2, sinceNs: 200 },
          { name: 'CPU 1', events: [waits(199), got(200)], dropped: 0, sinceNs: 0 },
        ],
      }),
    ],
  ])('lies in the hold and in the wait, though the hold %s', (_name, trace) => {
    expect(arrows(trace)).toEqual([[200, 200]]);
  });

  test.each([
    ['was released before the wait began', 0, [waits(250), got(260)]],
    ['was not got', 0, [waits(150)]],
    ['may have been released later by a CPU whose ring lost it', 205, [waits(150), got(210)]],
  ])('is not there where the lock %s', (_name, sinceNs, waiter) => {
    const tracks = sampleTrace([[acquired(100), released(200)], waiter, []]).tracks;
    const [holder, other, third] = tracks;
    const cut = { ...third!, dropped: sinceNs, sinceNs };
    expect(arrows(sampleTrace([], { tracks: [holder!, other!, cut] }))).toEqual([]);
  });
});

describe('grace periods', () => {
  const events = (dropped: number): [number, number, number][] => {
    const recorded = {
      events: [
        { ns: 90, kind: 'over', epoch: 4 },
        { ns: 100, kind: 'wanted', epoch: 5 },
        { ns: 110, kind: 'wanted', epoch: 6 },
        { ns: 120, kind: 'wanted', epoch: 5 },
        { ns: 200, kind: 'over', epoch: 5 },
      ],
      ...{ dropped, sinceNs: dropped === 0 ? 0 : 60 },
    } as const;
    const file = fileOf(sampleTrace([], { gracePeriods: recorded }));
    expect(problemsOf(file)).toEqual([]);
    const ends = new Map(eventsOf(file, 'e').map(({ id, ts }) => [id, ts]));
    return eventsOf(file, 'b').map(({ id, ts }) => [id, ts * 1000, ends.get(id)! * 1000]);
  };

  test('may overlap; the first who asks begins one, and the last lasts to the end', () => {
    expect(events(0)).toEqual([
      [5, 100, 200],
      [6, 110, 1000],
    ]);
  });

  test('that were asked for before the ring begins are there from its beginning', () => {
    expect(events(3)).toEqual([
      [4, 60, 90],
      [5, 100, 200],
      [6, 110, 1000],
    ]);
  });
});

describe('the checker sees', () => {
  const holder = [enter(90, 'fault'), acquired(100), released(200), leave(250, 'fault')];
  const gracePeriods = {
    events: [
      { ns: 100, kind: 'wanted', epoch: 5 },
      { ns: 200, kind: 'over', epoch: 5 },
    ],
    ...{ dropped: 0, sinceNs: 0 },
  } as const;
  const good = fileOf(sampleTrace([holder, [waits(150), got(210)]], { gracePeriods }));
  type Change = (event: Record<string, unknown>) => Record<string, unknown> | null;
  const changed = (change: Change): TraceFile => ({
    ...good,
    traceEvents: good.traceEvents.flatMap((event) => {
      const next = change({ ...event });
      return next === null ? [] : [next as typeof event];
    }),
  });

  const breaches: [name: string, change: Change, message: RegExp][] = [
    [
      'one that outlasts what it is in',
      (event) =>
        event['cat'] === 'lock' && event['ph'] === 'X' ? { ...event, tid: 100, dur: 0.16 } : event,
      /"ptl of table 12" on 100\/100 outlasts what it is in/,
    ],
    [
      'slices out of order',
      (event) => (event['name'] === 'main' ? { ...event, ts: 0 } : event),
      /"main" on 1\/1 is out of order/,
    ],
    [
      'a track without a name',
      (event) => (event['name'] === 'thread_name' && event['tid'] === 100 ? null : event),
      /track 100\/100 has no name/,
    ],
    [
      'a process without a name',
      (event) => (event['name'] === 'process_name' && event['pid'] === 1 ? null : event),
      /process 1 has not one name/,
    ],
    ['a flow without end', (event) => (event['ph'] === 'f' ? null : event), /s 1 has no f/],
    ['a flow without beginning', (event) => (event['ph'] === 's' ? null : event), /f 1 has no s/],
    [
      'a flow that goes back',
      (event) => (event['ph'] === 'f' ? { ...event, ts: 0.15 } : event),
      /f 1 comes before its s/,
    ],
    [
      'a flow that begins in no slice',
      (event) => (event['ph'] === 's' ? { ...event, tid: 100 } : event),
      /arrow 1 begins in no hold/,
    ],
    [
      'a flow that ends in no slice',
      (event) => (event['ph'] === 'f' ? { ...event, ts: 0.5 } : event),
      /arrow 1 ends in no wait/,
    ],
    ['an async begin alone', (event) => (event['ph'] === 'e' ? null : event), /b 5 has no e/],
    ['an async end alone', (event) => (event['ph'] === 'b' ? null : event), /e 5 has no b/],
    [
      'a negative counter',
      (event) => (event['name'] === 'RSS' ? { ...event, args: { KiB: -4 } } : event),
      /counter "RSS" is negative/,
    ],
    [
      'a counter that goes back in time',
      (event) => (event['name'] === 'RSS' ? { ...event, ts: 0.5 } : event),
      /counter "RSS" goes back in time/,
    ],
  ];
  test('nothing wrong with what is right', () => {
    expect(eventsOf(good, 's')).toHaveLength(1);
    expect(eventsOf(good, 'b')).toHaveLength(1);
    expect(problemsOf(good)).toEqual([]);
  });
  test.each(breaches)('%s', (_name, change, message) => {
    expect(problemsOf(changed(change)).join('\n')).toMatch(message);
  });

  test('fields that the format does not have', () => {
    const [event] = eventsOf(good, 'X');
    const traceEvents = [{ ...event!, duration: 1 }];
    expect(traceFile.safeParse({ ...good, traceEvents }).success).toBe(false);
  });
});
