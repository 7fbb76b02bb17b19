/** The text report says what the result says, and fits. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { property } from '#base/property.suite';
import type { LockSummary, Result, Run } from '#result/result';
import { sampleResult, sampleRun } from '#result/sample.suite';
import { resultSchema } from '#result/schema';
import { comparisonReport, textReport } from './text.ts';

const WIDE = { width: 80 };
const words = (line: string): string[] => line.trim().split(/\s+/);
const lineWith = (text: string, part: string): string =>
  text.split('\n').find((line) => line.includes(part)) ?? '';

describe('the report of one run', () => {
  const text = textReport(sampleResult(), WIDE);

  test('begins with what was run and how it ended', () => {
    const [first] = text.split('\n');
    expect(first).toBe('churn, 2 CPUs, seed 7');
    expect(text).toContain('size=1GiB, regions=4');
    expect(text).toMatch(/^churn under async-scanner\npass: /m);
  });

  test('gives page-table memory to the last KiB, and as a plot', () => {
    expect(text).toContain('start 16 KiB, peak 102,616 KiB, end 772 KiB (756 KiB above the start)');
    const plotted = text.split('\n').filter((line) => /^ *[\d.]+ [KM]iB[┤]/.test(line));
    expect(plotted).toHaveLength(7);
    expect(plotted[0]).toMatch(/^ *100 MiB┤.*╭/);
    expect(plotted[6]).toMatch(/^ *0 KiB┤/);
  });

  test('gives rates', () => {
    expect(text).toContain('13,107,200 faulted (1.07M/s)');
    expect(text).toContain('1.96x wall');
  });

  test('tells reclaimable tables from others', () => {
    expect(text).toContain('25,650 allocated, 25,600 freed; reclaimed 25,600 of 25,720\n');
    expect(text).toContain('reclaimable; 136 PTE tables at the end, 48 of zero pages only');
  });

  test('gives what calls and walks cost', () => {
    expect(text).toContain('a fault    p50 448 ns, p99 2.05 us, max 1.23 ms (214,873 timed)');
    expect(text).toContain('a madvise  p50 49.2 us, p99 131 us, max 5.01 s (25,600 timed)');
    const costs = { walks: 1000, atomics: 4500, lockAcquisitions: 1250, graceWaits: 31 };
    const costly = textReport(sampleResult([sampleRun({ costs })]), WIDE);
    expect(costly).toContain(
      '4.50 atomic read-modify-writes, 1.25 lock acquisitions (1,000 walks)',
    );
    expect(costly).toContain('4,321 grace periods, 31 waited for;');
    const none = { p50: 0, p99: 0, max: 0, samples: 0 };
    const idle = { latencyNs: { fault: none, madvise: none }, costs: { ...costs, walks: 0 } };
    const dashes = /^a fault +-\na madvise +-\na walk +-$/m;
    expect(textReport(sampleResult([sampleRun(idle)]), WIDE)).toMatch(dashes);
  });

  test('gives the throughput of each round, where there were several', () => {
    const rounds = { n: 2, perSecond: [1_050_000, 998_000.5] };
    const several = textReport(sampleResult([sampleRun({ rounds })]), WIDE);
    expect(several).toContain('rounds     2: 1.05M, 998k faults/s');
    expect(text).not.toContain('rounds ');
  });

  test('names the parts of the main phase', () => {
    const fill = { name: 'fill', seconds: 2.5, vmpteKiB: 1024 };
    const named = sampleRun({ phases: [...sampleRun().phases, fill] });
    expect(textReport(sampleResult([named]), WIDE)).toContain('fill 2.50 s (VmPTE 1.00 MiB)');
  });

  test('shows who noticed and who had done it', () => {
    expect(words(lineWith(text, 'noticed by'))).toEqual(
      words('race noticed by fault madvise scanner sum'),
    );
    expect(words(lineWith(text, 'pmdChanged'))).toEqual(
      words('pmdChanged fault . 12,034 1,203 13,237'),
    );
    expect(words(lineWith(text, 'refilled'))).toEqual(
      words('refilled scanner 1,234,567 . . 1,234,567'),
    );
    expect(text).not.toContain('staleWalk');
  });

  test('leaves open what was not measured', () => {
    expect(words(lineWith(text, 'mmap '))).toEqual(words('mmap 51.2k 9 <0.1% 0 - 900 ns -'));
  });

  test('does not end with a command when all is well', () => {
    expect(text).not.toContain('run it again');
    expect(text).not.toContain('protocols compared');
  });
});

describe('the report of a failure', () => {
  const violations = [
    { kind: 'lost-entry', message: 'entry 17 was lost', cpus: [0, 1], replay: null },
    { kind: 'lost-entry', message: 'entry 18 was lost', cpus: [], replay: 'again abc' },
  ];
  const unmet = {
    ...{ figure: 'vmpteAboveStartKiB', phase: null },
    ...{ min: null, max: 208, found: 756, met: false },
  };
  const run = sampleRun({
    exit: 'violation',
    violations,
    expectations: [unmet],
    note: 'cpu 1 died',
  });
  const text = textReport(sampleResult([run], { broken: 'no-recheck' }), {
    ...WIDE,
    explain: (kind) => (kind === 'lost-entry' ? 'an entry is out of reach' : undefined),
  });

  test('tells each violation, and explains a kind once', () => {
    expect(text).toContain('VIOLATED: 2 violations (lost-entry).');
    expect(text).toContain('lost-entry: entry 17 was lost [cpu 0, 1]');
    expect(text).toContain('lost-entry: entry 18 was lost\n');
    expect(text.match(/an entry is out of reach/g)).toHaveLength(1);
    expect(text).toContain('replay: again abc');
    expect(text).toContain('cpu 1 died');
    expect(text).toContain('broken version no-recheck');
  });

  test('says which expectation is not met, and by how much', () => {
    expect(text).toContain('UNMET: vmpteAboveStartKiB is 756, expected at most 208');
    const late = { ...unmet, figure: 'phaseSeconds', phase: 'fill' };
    const other = textReport(sampleResult([sampleRun({ expectations: [late] })]), WIDE);
    expect(other).toContain('UNMET: phaseSeconds of fill is 756, expected at most 208');
    expect(other).toContain('but phaseSeconds of fill is not as the scenario expects');
  });

  test('ends with the command that runs it again', () => {
    expect(text.trimEnd().split('\n').at(-1)).toBe('  pttorture run churn --protocol all --seed 7');
  });

  test('counts the violations that it does not tell', () => {
    const many = Array.from({ length: 13 }, () => violations[0]);
    const long = textReport(sampleResult([sampleRun({ violations: many })]), WIDE);
    expect(long).toContain('and 3 more violations.');
  });
});

test('paint changes no letter', () => {
  const result = sampleResult([sampleRun(), sampleRun({ protocol: 'none' })]);
  const painted = textReport(result, { ...WIDE, paint: (style, text) => `<${style}>${text}</>` });
  expect(painted).toContain('<good>pass');
  expect(painted.replace(/<[a-z/]*>/g, '').replace(/ +$/gm, '')).toBe(textReport(result, WIDE));
});

test('control characters of a saved file do not reach the terminal', () => {
  const run = sampleRun({ protocol: 'x\u001b[2Jy', note: 'a\u0007b\nc' });
  const text = textReport(sampleResult([run, run], { scenario: '\u001b]0;t\u0007' }), WIDE);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what we look for.
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
});

describe('any result', () => {
  // A document may hold these words; here they would hide a number that went wrong.
  const slip = /NaN|undefined|Infinity|\[object/;
  const text = (limits: fc.StringConstraints = {}) =>
    fc.string(limits).filter((value) => !slip.test(value));
  const name = fc.oneof(fc.constantFrom('fault', 'madvise', 'pmdChanged'), text());
  const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
  const amount = fc.double({ min: 0, max: 1e15, noNaN: true });
  const kib = fc.oneof(count, fc.double({ min: -1e9, max: 1e15, noNaN: true }));
  const counts = fc.dictionary(text(), fc.integer(), { maxKeys: 5 });
  const lock: fc.Arbitrary<LockSummary> = fc.record({
    class: name,
    acquisitions: count,
    contended: count,
    trylockFailed: count,
    bounces: fc.option(count),
    waitNs: amount,
    holdNs: fc.option(amount),
  });
  const latency = fc.record({ p50: amount, p99: amount, max: amount, samples: count });
  const run: fc.Arbitrary<Run> = fc.record({
    protocol: fc.oneof(fc.constant('none'), name),
    cpus: fc.integer({ min: 1, max: 64 }),
    seconds: amount,
    cpuSeconds: amount,
    exit: fc.constantFrom('pass', 'violation', 'deadline', 'interrupted'),
    vmpteKiB: fc.record({
      start: kib,
      peak: kib,
      end: kib,
      series: fc.array(fc.tuple(amount, kib), { maxLength: 50 }),
    }),
    rssKiB: fc.record({ start: kib, peak: kib, end: kib }),
    pages: fc.record({ faulted: count, zapped: count, perSecond: amount }),
    faults: fc.record({ read: count, write: count, segv: count, oom: count }),
    tables: fc.record({
      ...{ allocated: count, reclaimed: count, freed: count, pteTablesEnd: count },
      ...{ reclaimable: count, zeroPageOnly: count },
    }),
    operations: counts,
    protocolCounts: counts,
    races: fc.array(fc.record({ kind: name, noticedBy: name, causedBy: name, count: fc.nat() }), {
      maxLength: 20,
    }),
    rcu: fc.record({
      gracePeriods: count,
      backlogPeak: count,
      latencyUs: fc.record({ p50: amount, p99: amount, max: amount }),
    }),
    locks: fc.array(lock, { maxLength: 4 }),
    latencyNs: fc.record({ fault: latency, madvise: latency }),
    costs: fc.record({
      ...{ walks: count, atomics: count, lockAcquisitions: count, graceWaits: count },
    }),
    tlbFlushes: count,
    phases: fc.array(
      fc.record({
        name: fc.oneof(fc.constantFrom('setup', 'main', 'fair'), text()),
        seconds: amount,
        vmpteKiB: kib,
      }),
      { maxLength: 5 },
    ),
    dataChecks: fc.record({ compared: count, unjudged: count }),
    violations: fc.array(
      fc.record({
        kind: name,
        message: text({ unit: 'binary', maxLength: 300 }),
        cpus: fc.array(fc.nat(63), { maxLength: 3 }),
        replay: fc.option(text()),
      }),
      { maxLength: 15 },
    ),
    expectations: fc.array(
      fc.record({
        figure: name,
        phase: fc.option(text()),
        min: fc.option(kib),
        max: fc.option(kib),
        found: kib,
        met: fc.boolean(),
      }),
      { maxLength: 3 },
    ),
    rounds: fc.record({
      n: fc.integer({ min: 1, max: 20 }),
      perSecond: fc.array(amount, { maxLength: 20 }),
    }),
    note: fc.option(text()),
  });
  const result: fc.Arbitrary<Result> = fc.record({
    pttorture: text(),
    schema: fc.constant(1 as const),
    command: text({ maxLength: 300 }),
    scenario: text(),
    broken: fc.option(text()),
    seed: count,
    parameters: fc.dictionary(text(), fc.oneof(fc.integer(), text()), { maxKeys: 9 }),
    machine: fc.record({
      node: text(),
      platform: text(),
      cores: count,
      memoryGiB: amount,
    }),
    runs: fc.array(run, { maxLength: 4 }),
    plan: fc.constant(null),
  });

  property([result, fc.integer({ min: 20, max: 200 })], { numRuns: 300 })(
    'is valid, is rendered, and no line is too long',
    (document, width) => {
      expect(resultSchema.safeParse(document).success).toBe(true);
      for (const render of [textReport, comparisonReport]) {
        const rendered = render(document, { width });
        const longest = Math.max(...rendered.split('\n').map((line) => [...line].length));
        expect(longest).toBeLessThanOrEqual(Math.max(width, 40));
        expect(rendered).not.toMatch(slip);
      }
    },
  );
});
