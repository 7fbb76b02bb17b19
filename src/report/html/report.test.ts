/** The page as markup: whole, closed to what is not its own, and each part there or left out. */
import { describe, expect, test } from 'vitest';
import type { CatalogueReport } from '#result/catalogue';
import { sampleExploration, sampleInterleaving, sampleViolation } from '#result/exploration.suite';
import { sampleLocks } from '#result/lock-sample.suite';
import type { Run } from '#result/result';
import { sampleOccupancy, sampleResult, sampleRun, sampleTimeline } from '#result/sample.suite';
import type { PagedDocument } from '#result/saved';
import { ASSETS, type Element, elementsOf, textOf } from './page.suite.ts';
import { shadeOf } from './races.ts';
import { htmlReport } from './report.ts';

const HOSTILE = `</script><script>alert(1)</script><img src=x onerror="alert('2')">`;

function pageOf(document: PagedDocument): string {
  return htmlReport(document, { assets: ASSETS, explain: (kind) => `What ${kind} means.` });
}

/** A run with all parts. */
function fullRun(more: Partial<Run> = {}): Run {
  return sampleRun({
    rssKiB: {
      start: 0,
      peak: 2048,
      end: 0,
      series: [
        [0, 0],
        [9000, 2048],
        [12_300, 0],
      ],
    },
    occupancy: sampleOccupancy(),
    timeline: sampleTimeline(),
    ...more,
  });
}

const VIOLATED = fullRun({
  exit: 'violation',
  violations: [
    { kind: 'lost-entry', message: 'an entry is lost', cpus: [0, 1], replay: 'pt1:word' },
  ],
  lastActs: {
    ...{ options: {}, slots: [] },
    columns: [
      {
        ...{ cpu: 1, isInFlight: true },
        acts: [{ act: 'dontneed', count: 0, region: 0, page: 4, pages: 8 }],
      },
    ],
  },
});

function catalogue(): CatalogueReport {
  return {
    ...{ pttorture: '0.1.0', schema: 1, kind: 'catalogue', seed: 1, seconds: 9 },
    ...{ command: 'pttorture explore --broken all', isInterrupted: false },
    machine: sampleExploration().machine,
    entries: [
      {
        ...{ name: 'no-pmd-recheck', bug: 'K-30', summary: 'no look', source: 'a list' },
        ...{ oracle: 'lost-entry', before: null, conditions: { size: '4MiB' }, flaw: {} },
        ...{ outcome: 'found', exploration: sampleExploration() },
        replays: { times: 100, alike: 100, threads: 'same' },
      },
      {
        ...{ name: 'other', bug: 'K-31', summary: 'another', source: 'a list' },
        ...{ oracle: 'lost-data', before: { oracle: 'lost-entry', why: 'it is' } },
        ...{ conditions: {}, flaw: { variant: 'as-posted' }, outcome: 'silent', replays: null },
        exploration: sampleExploration({ violations: [] }),
      },
    ],
    controls: [{ of: ['no-pmd-recheck'], exploration: sampleExploration({ violations: [] }) }],
  };
}

const DOCUMENTS: readonly [string, PagedDocument][] = [
  ['a run', sampleResult([fullRun()])],
  ['several runs', sampleResult([sampleRun({ protocol: 'none' }), fullRun(), VIOLATED])],
  ['a result without runs', sampleResult([])],
  ['an exploration', sampleExploration()],
  ['a silent exploration', sampleExploration({ violations: [], outcomes: [] })],
  ['a catalogue', catalogue()],
];

describe.each(DOCUMENTS)('the page of %s', (_, document) => {
  const page = pageOf(document);
  const elements = elementsOf(page);
  const named = (name: string): Element[] => elements.filter((each) => each.name === name);

  test('has its parts closed, one first heading, and no id twice', () => {
    expect(named('h1')).toHaveLength(1);
    const ids = elements.flatMap(({ attributes }) => attributes['id'] ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    expect(named('main')).toHaveLength(1);
    expect(named('title')).toHaveLength(1);
  });

  test('lets nothing run or be loaded but what is in it', () => {
    const policy = named('meta').find((each) => each.attributes['http-equiv'] !== undefined)!;
    expect(policy.attributes['content']!.replaceAll('&#39;', "'")).toBe(
      "default-src 'none'; script-src 'sha256-c2NyaXB0'; style-src 'sha256-c3R5bGU='; " +
        "base-uri 'none'; form-action 'none'",
    );
    expect(
      named('script').filter(({ attributes }) => attributes['type'] === undefined),
    ).toHaveLength(1);
    for (const { attributes } of elements)
      for (const name of Object.keys(attributes)) {
        expect(name).not.toMatch(/^(src|srcset|style|action|on.*)$/);
        if (name === 'href') expect(attributes[name]).toMatch(/^#[\w-]+$/);
      }
  });

  test('leads to places that are there', () => {
    const ids = new Set(elements.flatMap(({ attributes }) => attributes['id'] ?? []));
    for (const { attributes } of named('a')) expect(ids).toContain(attributes['href']!.slice(1));
    for (const { attributes } of elements)
      if (attributes['aria-labelledby'] !== undefined)
        expect(ids).toContain(attributes['aria-labelledby']);
  });

  test('goes from heading to heading by one level', () => {
    const levels = elements.flatMap(({ name }) => /^h(\d)$/.exec(name)?.[1] ?? []).map(Number);
    for (const [i, level] of levels.entries())
      if (i > 0) expect(level - levels[i - 1]!).toBeLessThanOrEqual(1);
  });

  test('names what it draws, and all that scrolls', () => {
    for (const { attributes } of elements) {
      const role = attributes['role'];
      if (role === 'img' || role === 'region') expect(attributes['aria-label']).toMatch(/\w/);
    }
  });
});

describe('text from outside', () => {
  const hostile = sampleResult(
    [
      fullRun({
        ...{ protocol: HOSTILE, note: HOSTILE },
        violations: [{ kind: HOSTILE, message: HOSTILE, cpus: [0], replay: HOSTILE }],
        races: [{ kind: HOSTILE, noticedBy: HOSTILE, causedBy: HOSTILE, count: 3 }],
        locks: [{ ...sampleRun().locks[0]!, class: HOSTILE }],
        occupancy: {
          ...sampleOccupancy(),
          spans: [{ name: HOSTILE, firstSlot: 0, slots: 8, buckets: 4 }],
        },
        timeline: { ...sampleTimeline(), acts: [HOSTILE, HOSTILE, HOSTILE] },
        phases: [{ name: HOSTILE, seconds: 1, vmpteKiB: 1 }],
        operations: { [HOSTILE]: 1 },
      }),
    ],
    {
      ...{ scenario: HOSTILE, command: HOSTILE, broken: HOSTILE, pttorture: HOSTILE },
      parameters: { [HOSTILE]: HOSTILE },
    },
  );
  const interleaving = sampleInterleaving({
    columns: [{ cpu: 0, runs: HOSTILE }],
    rows: sampleInterleaving().rows.map((row) => ({ ...row, cpu: 0, text: HOSTILE })),
    waits: [{ cpu: 0, holds: [HOSTILE], waitsFor: HOSTILE }],
    closing: HOSTILE,
  });
  const violation = sampleViolation({ kind: HOSTILE, message: HOSTILE, replay: HOSTILE });
  const explored = sampleExploration({
    ...{ scenario: HOSTILE, protocol: HOSTILE, silence: HOSTILE },
    violations: [{ ...violation, interleaving }],
  });

  test.each([
    ['a result', hostile, 2],
    ['an exploration', explored, 1],
  ])('in %s is shown, and is no markup', (_, document, scripts) => {
    const page = pageOf(document);
    const elements = elementsOf(page);
    expect(elements.filter(({ name }) => name === 'script')).toHaveLength(scripts);
    expect(elements.some(({ name }) => name === 'img')).toBe(false);
    expect(page).not.toContain('<img');
    expect(page).not.toContain('</script><script>');
    expect(textOf(page)).toContain(HOSTILE);
  });
});

describe('the verdicts', () => {
  test('are said in words', () => {
    const passed = textOf(pageOf(sampleResult()));
    expect(passed).toContain('The run passed.');
    expect(passed).toContain('pass: nothing was lost in 12.3 s');
    const text = textOf(pageOf(sampleResult([sampleRun({ protocol: 'none' }), VIOLATED])));
    expect(text).toContain('Violated in 1 of 2 runs: lost-entry.');
    expect(text).toContain('VIOLATED: 1 violation (lost-entry).');
  });

  test('come with the command, the machine, and what the run was given', () => {
    const text = textOf(pageOf(sampleResult()));
    expect(text).toContain('pttorture run churn --protocol all --seed 7');
    expect(text).toContain('linux x64, 2 cores, 7.6 GiB, node v20.20.2');
    expect(text).toContain('size=1GiB, regions=4');
  });

  test.each<[string, Partial<Run>, string]>([
    ['deadline', { exit: 'deadline' }, 'had not ended when its deadline came'],
    ['interrupted', { exit: 'interrupted' }, 'Interrupted; the figures are partial.'],
    [
      'unmet',
      { expectations: [{ ...sampleRun().expectations[0]!, met: false }] },
      'No violation, but 1 of 1 not as expected.',
    ],
  ])('of a run that ended in %s', (_, more, told) => {
    expect(textOf(pageOf(sampleResult([sampleRun(more)])))).toContain(told);
  });

  test('of a violation come with its sentence, its replay, and the last acts', () => {
    const text = textOf(pageOf(sampleResult([VIOLATED])));
    expect(text).toContain('lost-entry : an entry is lost. What lost-entry means.');
    expect(text).toContain('pt1:word');
    expect(text).toContain('dontneed, pages 4 to 11 of region 0, going on');
  });
});

describe('a part without figures is left out', () => {
  const parts = (run: Run): string[] =>
    elementsOf(pageOf(sampleResult([run]))).flatMap(({ name, attributes }) =>
      name === 'figure' ? Object.keys(attributes).filter((key) => key.startsWith('data-')) : [],
    );

  test('but not from a run that has all', () => {
    expect(parts(fullRun())).toEqual([
      ...['data-plot', 'data-plot', 'data-occupancy', 'data-timeline', 'data-window'],
    ]);
  });

  const timeline = sampleTimeline();
  test.each<[string, Partial<Run>, string[]]>([
    [
      'of an older version',
      { occupancy: null, timeline: undefined, rssKiB: sampleRun().rssKiB },
      ['data-plot'],
    ],
    [
      'of no length',
      { vmpteKiB: { start: 0, peak: 0, end: 0, series: [[0, 0]] } },
      [...['data-plot', 'data-occupancy', 'data-timeline', 'data-window']],
    ],
    [
      'whose end was not seen',
      { timeline: { ...timeline, latest: null } },
      [...['data-plot', 'data-plot', 'data-occupancy', 'data-timeline']],
    ],
    [
      'that was never looked at',
      {
        timeline: { ...timeline, samples: [] },
        occupancy: {
          ...sampleOccupancy(),
          samples: [],
        },
      },
      ['data-plot', 'data-plot'],
    ],
  ])('of a run %s', (_, more, expected) => {
    expect(parts(fullRun(more))).toEqual(expected);
  });

  test('races and locks say so', () => {
    const text = textOf(pageOf(sampleResult([sampleRun({ races: [], locks: [] })])));
    expect(text).toContain('No race was noticed.');
    expect(text).toContain('No lock was taken.');
  });

  test('one run is compared with nothing', () => {
    expect(pageOf(sampleResult())).not.toContain('id="compared"');
    const several = textOf(pageOf(sampleResult([sampleRun(), sampleRun({ protocol: 'none' })])));
    expect(several).toContain('Runs compared');
    expect(several).toContain('faults/s, speed: pages faulted in each second');
  });

  test('throughput by CPUs needs several numbers of CPUs', () => {
    const two = sampleResult([sampleRun(), sampleRun({ protocol: 'none' })]);
    expect(pageOf(two)).not.toContain('id="scaling"');
    const scaled = pageOf(sampleResult([sampleRun(), sampleRun({ cpus: 8 })]));
    expect(scaled).toContain('id="scaling"');
    expect(textOf(scaled)).toContain('async-scanner, 8 CPUs');
    const three = [1, 2, 4].map((cpus) => sampleRun({ cpus, seconds: 8 / cpus }));
    const law = textOf(pageOf(sampleResult(three)));
    expect(law).toContain('async-scanner : Universal Scalability Law: one CPU');
    expect(law).toContain('protocol 1 CPU 2 CPUs 4 CPUs async-scanner 1.64M 3.28M 6.55M');
  });
});

describe('the race matrix', () => {
  const page = pageOf(sampleResult());

  test('has each number in its cell, and who stands for it in the heads', () => {
    const text = textOf(page);
    expect(text).toContain('race noticed by fault madvise scanner sum');
    expect(text).toContain('pmdChanged fault 0 12.0k 1.20k 13.2k madvise 0 0 4 4');
    expect(text).toContain('refilled scanner 1.23M 0 0 1.23M');
  });

  test('shades by the number, from the first shade to the last', () => {
    expect([1, 2, 1000].map((count) => shadeOf(count, 1000))).toEqual([1, 2, 7]);
    expect(shadeOf(1, 1)).toBe(1);
    const shades = [...page.matchAll(/shade-(\d)/g)].map(([, shade]) => Number(shade));
    expect(Math.max(...shades)).toBe(7);
    expect(Math.min(...shades)).toBeGreaterThanOrEqual(1);
  });
});

describe('the locks', () => {
  const counted = fullRun(sampleLocks());
  const text = textOf(pageOf(sampleResult([counted])));

  test('have a row for each class, and of those that were waited for, for how long', () => {
    expect(text).toContain('lock taken contended share try failed bounces waited of the time held');
    expect(text).toContain('ptl 1.01k 4 0.4% 0 46 1.33 ms <0.1% 36.0 us');
  });

  test('have histograms where statistics were kept, with their figures', () => {
    expect(text).toContain('waited for, 128 ns to 2.10 ms held, 16 ns to');
    expect(text).toMatch(/mmap, shared - p50 750 ns, p99 750 ns, max 750 ns; 1 timed/);
    expect(text).toContain('again when it has taken 127 locks');
    const drawn = elementsOf(pageOf(sampleResult([counted]))).filter(
      ({ attributes }) => attributes['class'] === 'histogram',
    );
    expect(drawn).toHaveLength(4);
  });

  test('name the call sites, and who waited for whom', () => {
    expect(text).toContain('doAnonymousPage mm/fault.ts:97 ptl 1.00k 3 40');
    expect(text).toContain('doAnonymousPage mm/fault.ts:97 ptl zapPteRange mm/zap.ts:86 2 1.32 ms');
    expect(text).toContain('doAnonymousPage mm/fault.ts:97 ptl not known 1 250 ns');
  });

  test('without statistics have neither', () => {
    const plain = pageOf(sampleResult([fullRun()]));
    expect(plain).not.toContain('class="histogram"');
    expect(plain).not.toContain('call site');
  });
});

describe('figures that are drawn', () => {
  const text = textOf(pageOf(sampleResult([fullRun()])));

  test('are in tables too', () => {
    expect(text).toContain('time async-scanner 0 s 16 KiB');
    expect(text).toContain('2.00 s 4 1 0 0');
    expect(text).toContain('cpu0 33.3% 0.0% 33.3% 33.3%');
    expect(text).toContain('scanner 0 0 1 0 0 0');
  });

  test('say what a bucket is, and how the last time looks', () => {
    expect(text).toContain('A column is 2 places of a PTE table, 4.00 MiB of the address space');
    expect(text).toContain('of heap; pool.');
    expect(text).toContain('4.00 s: 2 live, 2 empty, 4 unhooked (3 of unknown place)');
  });

  test('are in the data of the script, once', () => {
    const page = pageOf(sampleResult([fullRun()]));
    const [, json] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)!;
    const data = JSON.parse(json!);
    expect(data.occupancies).toEqual([sampleOccupancy()]);
    expect(data.timelines).toEqual([sampleTimeline()]);
    expect(data.vmpte).toEqual([sampleRun().vmpteKiB.series]);
  });
});

describe('an interleaving', () => {
  const page = pageOf(sampleExploration());

  test('has its rows in the columns of their CPUs', () => {
    const rows = elementsOf(page).filter(({ attributes }) => attributes['data-row'] !== undefined);
    expect(rows.map(({ attributes }) => attributes['class'])).toEqual(
      [1, 1, 2, 2, 1].map((column) => `row column-${column}`),
    );
    const text = textOf(page);
    expect(text).toContain('reads pmd[0]: table 3 (cpu1 changes it in row 4)');
    expect(text).toContain('^ table 3 is unhooked: the entry is lost');
  });

  test('has a state before the first row and after each, of which the last is shown', () => {
    const states = elementsOf(page).filter(
      ({ attributes }) => attributes['data-state'] !== undefined,
    );
    expect(states).toHaveLength(6);
    expect(states.filter(({ attributes }) => attributes['hidden'] === undefined)).toHaveLength(1);
  });

  test('marks what a row has changed', () => {
    const sections = page.split('<section class="state"').slice(1).map(textOf);
    expect(sections[0]).not.toContain('changed');
    expect(sections[1]).toContain('pmd[0] table 3 changed');
    expect(sections[1]).toContain('cpu0 holds pml of table 2 changed');
    expect(sections[4]).toContain('pte table 3 (gen 2): unhooked changed');
    expect(sections[5]).toMatch(/pte\[0\] page 2 changed.* pte\[1\] none (?!changed)/);
  });

  test('without states, of an older version, has its rows alone', () => {
    const interleaving = sampleInterleaving({ states: undefined });
    const old = pageOf(sampleExploration({ violations: [sampleViolation({ interleaving })] }));
    expect(old).not.toContain('data-state');
    expect(old).toContain('data-row="5"');
  });

  test('of a deadlock says who waits for what', () => {
    const waits = [{ cpu: 1, holds: [], waitsFor: 'ptl of table 3' }];
    const interleaving = sampleInterleaving({ waits });
    const page = pageOf(sampleExploration({ violations: [sampleViolation({ interleaving })] }));
    expect(textOf(page)).toContain('cpu1 holds nothing and waits for ptl of table 3');
  });

  test('comes with the word that replays it, where there is one', () => {
    expect(textOf(page)).toContain('Replay it: pttorture replay pt1:fault-vs-zap');
    const wordless = pageOf(sampleExploration({ violations: [sampleViolation({ replay: null })] }));
    expect(wordless).not.toContain('Replay it');
  });
});

test('a catalogue has a table of all, the controls, and each story', () => {
  const text = textOf(pageOf(catalogue()));
  expect(text).toContain('1 of 2 broken versions found as named');
  expect(text).toContain('no-pmd-recheck K-30 fault-vs-zap pt-reclaim lost-entry found');
  expect(text).toContain('other K-31 fault-vs-zap pt-reclaim lost-data nothing found');
  expect(text).toContain('twin of outcome pttorture explore --broken no-pmd-recheck');
});
