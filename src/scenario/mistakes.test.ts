/**
 * Mistakes in a scenario file or a request: each is one line that says where, and what is allowed.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isMap, isPair, isScalar, parseDocument, visit } from 'yaml';
import { buildPlan, type PlanRequest } from './build-plan.ts';
import { requestOf } from './request.suite.ts';
import { parseScenario } from './scenario.ts';

const GOOD = `question: Is it well?
source: a test
parameters:
  size: { type: size, default: 8MiB, min: 2MiB, max: 1GiB, summary: Length. }
  lock: { type: choice, choices: [ttas, mcs], default: ttas, summary: Lock. }
  pause: { type: duration, default: 1s, summary: Pause. }
machine: { cpus: 4, gather: 8 }
regions:
  heap: { size: $size }
  pool: { size: 4MiB, gap: 0B, flags: [hugepage] }
protocols:
  async-scanner: { delay: 0ms }
setup:
  - mmap: heap
columns:
  - cpu: [0, 1]
    do:
      - sweep: { region: heap, by: 2MiB, share: own }
        do:
          - touch: chunk
          - dontneed: { extent: chunk }
      - mix: forever
        choices:
          - { weight: 1, do: [locktorture: $lock, scan] }
          - { weight: 1, do: [sleep: $pause] }
  - cpu: rest
    do:
      - loop: 3
        do: [{ touch: { region: heap, extent: page, pages: 4 } }]
duration: 1s
expect:
  any:
    - { figure: pteTables, max: 10, when: { size: 8MiB } }
`;

function read(text: string): string {
  try {
    parseScenario({ path: 'x.yaml', text });
    return 'well';
  } catch (error) {
    expect((error as Error).name).toBe('UserError');
    return (error as Error).message;
  }
}

function build(changes: Partial<PlanRequest>, text = GOOD): string {
  try {
    buildPlan(parseScenario({ path: 'x/mine.yaml', text }), requestOf(changes));
    return 'well';
  } catch (error) {
    expect((error as Error).name).toBe('UserError');
    return (error as Error).message;
  }
}

test('the file that the other tests spoil is well', () => {
  expect(read(GOOD)).toBe('well');
  expect(build({})).toBe('well');
});

describe('a mistake in the file is told with its place', () => {
  const cases: [was: string, becomes: string, complaint: string][] = [
    ['question: Is', 'quest: Is', 'x.yaml:1:1: quest: unknown key; allowed: question, source, '],
    ['source: a test\n', '', 'x.yaml:1:1: source: is missing'],
    ['source: a test', 'source: [a]', 'x.yaml:2:9: source: expected a text, found a list'],
    ['source: a test', 'question: again', 'x.yaml:2:1: not valid YAML: Map keys must be unique'],
    ['[0, 1]', '[0, 1', 'x.yaml:17:5: not valid YAML: Flow sequence in block collection'],
    ['type: size', 'type: length', 'x.yaml:4:17: parameters.size.type: "length" is not allowed; '],
    ['default: 8MiB', 'default: 8', 'parameters.size.default: size "8" has no unit; write e.g.'],
    ['default: 8MiB', 'default: 1MiB', 'size "1MiB" is out of range; allowed: 2MiB to 1GiB'],
    ['  size: {', '  Size: {', 'x.yaml:4:3: parameters.Size: "Size" is not a name: a lower-case'],
    ['size: $size', 'size: 50', 'x.yaml:9:17: regions.heap.size: size "50" has no unit; write'],
    ['size: $size', 'size: 5KiB2', 'regions.heap.size: size "5KiB2" is not a number with a unit'],
    [
      'size: $size',
      'size: 5KiB',
      'regions.heap.size: size "5KiB" is not a whole number of 4KiB pages',
    ],
    ['size: $size', 'size: $sise', 'no parameter "sise"; parameters: size, lock, pause'],
    ['size: $size', 'size: $pause', '"$pause" is of type duration; size is wanted here'],
    ['size: $size', 'size: 1000TiB', 'regions need 1048576004MiB; user address space ends below'],
    ['cpus: 4', 'cpus: 65', 'machine.cpus: integer "65" is out of range; allowed: 1 to 64'],
    ['gather: 8', 'gather: many', 'machine.gather: "many" is not a whole number; write e.g. 1'],
    ['gather: 8', 'gatherr: 8', 'x.yaml:7:21: machine.gatherr: unknown key; allowed: cpus, '],
    ['[hugepage]', '[huge]', 'x.yaml:10:40: regions.pool.flags.0: "huge" is not allowed; choose '],
    [
      'mmap: heap',
      'mmap: heep',
      'x.yaml:14:11: setup.0.mmap: no region "heep"; regions: heap, pool',
    ],
    ['mmap: heap', 'nmap: heap', 'x.yaml:14:5: setup.0.nmap: unknown key; allowed: mmap, munmap'],
    ['mmap: heap', 'scam', 'setup.0: expected "scan" or "scan-until-idle" or "pressure" or a m'],
    ['mmap: heap', '{}', 'expected one operation: scan, scan-until-idle, pressure, mmap, munmap, '],
    [
      'mmap: heap',
      'madvise: { advice: fre, region: heap }',
      'x.yaml:14:24: setup.0.madvise.advice: "fre" is not allowed; choose one of free, pageout, ',
    ],
    [
      'mmap: heap',
      'mmap: { region: heap, protection: no }',
      '"no" is not allowed; choose one of none, read',
    ],
    ['mmap: heap', 'mprotect: heap', 'setup.0.mprotect: expected a mapping, found "heap"'],
    ['mmap: heap', 'mprotect: { region: heap }', 'setup.0.mprotect.protection: is missing'],
    [
      'mmap: heap',
      'mremap: { region: heap, page: 0, pages: 2, to: 1 }',
      'setup.0.mremap.to: pages cannot be moved to where some of them are',
    ],
    [
      'mmap: heap',
      'mremap: { region: heap, page: 3, newPages: 9999999 }',
      'setup.0.mremap.newPages: pages 3 to 10000001 of "heap", which has pages 0 to ',
    ],
    ['mmap: heap', 'mremap: { region: heap, extent: slot }', 'mremap is of pages by number'],
    [
      'mmap: heap',
      '{ loop: 2, do: [brk: { region: heap, pages: 1 }, brk: { region: pool, pages: 1 }] }',
      'setup: brk of "heap" and of "pool": a process has one heap',
    ],
    ['mmap: heap', 'brk: { region: heap, pages: 99999999 }', 'setup.0.brk.pages: "heap" has'],
    ['mmap: heap', 'madvise: { region: heap }', 'setup.0.madvise.advice: is missing'],
    ['mmap: heap', 'madvise: { advice: $lock }', '"$lock" may be ttas; allowed here: free, page'],
    ['mmap: heap', 'madvise: { advice: free }', 'setup.0.madvise: name a region'],
    ['mmap: heap', 'madvise: heap', 'setup.0.madvise: expected a mapping, found "heap"'],
    [
      'mmap: heap',
      'walk: { walker: top, region: heap }',
      'x.yaml:14:21: setup.0.walk.walker: "top" is not allowed; choose one of smaps, pagemap, ',
    ],
    ['mmap: heap', 'walk: { walker: gup, region: heep }', 'setup.0.walk.region: no region "heep"'],
    ['mmap: heap', 'walk: { walk: gup }', 'setup.0.walk.walk: unknown key; allowed: region, exte'],
    ['mmap: heap', 'reclaim: heep', 'x.yaml:14:14: setup.0.reclaim: no region "heep"; regions: '],
    ['mmap: heap', 'reclaim: { percent: 3 }', 'setup.0.reclaim.percent: unknown key; allowed: reg'],
    ['mmap: heap', 'pressure: 1', 'setup.0.pressure: unknown key; allowed: mmap'],
    ['gather: 8', 'allocfail: 1000001', 'machine.allocfail: integer "1000001" is out of range; al'],
    ['gather: 8', 'gatherTables: 501', 'machine.gatherTables: integer "501" is out of range; allo'],
    ['gather: 8', 'gatherTables: 0', 'machine.gatherTables: integer "0" is out of range; allowed:'],
    [
      'gather: 8',
      'tableFree: never',
      'x.yaml:7:32: machine.tableFree: "never" is not allowed; choose one of rcu, ipi, sync, now',
    ],
    ['gather: 8', 'walkers: good', '"good" is not allowed; choose one of fixed, as-posted'],
    [
      'mmap: heap',
      '{ mmap: heap, munmap: heap }',
      'expected one operation instead of mmap and mun',
    ],
    [
      'mmap: heap',
      'touch: chunk',
      'setup.0.touch: "chunk" is of a sweep, and there is none around',
    ],
    ['mmap: heap', 'touch: { pages: 3 }', 'setup.0.touch: name a region'],
    ['mmap: heap', '{ scan: 1 }', 'setup.0.scan: unknown key; allowed: mmap'],
    ['mmap: heap', '{ sweep: { region: heap, by: 2MiB } }', '"sweep" needs "do" beside it'],
    ['mmap: heap', '{ mmap: heap, do: [] }', 'x.yaml:14:19: setup.0.do: "mmap" takes no "do"'],
    ['mmap: heap', '{ mix: 3 }', 'setup.0: "mix" needs "choices" beside it'],
    ['mmap: heap', '{ loop: forever, do: [] }', 'only the last operation of a column may go on'],
    ['{ extent: chunk }', '{ region: pool, extent: chunk }', 'no sweep of "pool" is around this'],
    ['by: 2MiB', 'by: 0KiB', 'sweep.by: size "0KiB" is out of range; allowed: at least 4KiB'],
    ['share: own', 'share: mine', 'sweep.share: "mine" is not allowed; choose one of all, own'],
    ['extent: page', 'extent: bit', 'x.yaml:29:47: columns.1.do.0.do.0.touch.extent: "bit" is not'],
    [
      'pages: 4',
      'pages: some',
      '"some" is not a whole number; write e.g. 1 (or every, one-per-slot',
    ],
    ['mmap: heap', 'reclaim: { region: heap, pages: 3 }', '"pages" needs "page" beside it'],
    [
      'mmap: heap',
      'walk: { walker: gup, region: pool, page: 1024 }',
      'x.yaml:14:46: setup.0.walk.page: page 1024 of "pool", which has pages 0 to 1023',
    ],
    [
      'mmap: heap',
      'touch: { region: pool, page: 1022, pages: 3 }',
      'x.yaml:14:47: setup.0.touch.pages: pages 1022 to 1024 of "pool", which has pages 0 to 1023',
    ],
    ['mmap: heap', 'dontneed: { region: heap, page: -1 }', 'integer "-1" is out of range; allowed'],
    ['mmap: heap', 'dontneed: { region: heap, page: 0, pages: 0 }', '"0" is out of range; allowed'],
    ['mmap: heap', 'dontneed: { region: heap, page: $lock }', '"$lock" is of type choice; integer'],
    [
      'mmap: heap',
      'dontneed: { region: heap, page: 0, share: own }',
      'x.yaml:14:40: setup.0.dontneed.share: "page" is of the whole region; leave "share" out',
    ],
    [
      'mmap: heap',
      'touch: { region: heap, page: 0, extent: slot }',
      'x.yaml:14:37: setup.0.touch.extent: "page" is of the whole region; leave "extent" out',
    ],
    ['mmap: heap', 'touch: { region: heap, page: 0, pages: every }', '"every" is not a whole num'],
    ['$lock', 'mutex', '"mutex" is not allowed; choose one of ttas, ticket, mcs, rwsem, vma-lock'],
    ['[ttas, mcs]', '[ttas, futex]', '"$lock" may be futex; allowed here: ttas, ticket, mcs'],
    ['$pause', '10', 'sleep: duration "10" has no unit; write e.g. 10s'],
    [
      'cpu: rest',
      'cpu: most',
      'x.yaml:26:10: columns.1.cpu: expected all, even, odd, rest, a CPU nu',
    ],
    ['cpu: rest', 'cpu: 1', 'x.yaml:26:10: columns.1.cpu: CPU 1 has a column already'],
    [
      'duration: 1s',
      'duration: 1',
      'x.yaml:30:11: duration: duration "1" has no unit; write e.g. 10s',
    ],
    ['max: 10,', '', 'expect.any.0: needs min or max'],
    ['{ size: 8MiB }', '{ sise: 8MiB }', 'expect.any.0.when.sise: no parameter "sise"; param'],
    [
      'pteTables',
      'ptes',
      'figure: "ptes" is not allowed; choose one of vmpteAboveStartKiB, vmpteK',
    ],
  ];
  test.each(cases)('%s -> %s', (was, becomes, complaint) => {
    expect(GOOD).toContain(was);
    expect(read(GOOD.replace(was, () => becomes))).toContain(complaint);
  });

  test('all problems are told, in the order of the file', () => {
    const spoilt = GOOD.replace('gather: 8', 'gather: no').replace('cpu: rest', 'cpu: most');
    const lines = read(spoilt).split('\n');
    expect(lines.map((line) => line.split(': ')[1])).toEqual(['machine.gather', 'columns.1.cpu']);
  });

  test('outcomes are of a closed list, and never, sometimes or always', () => {
    const outcome = (text: string) => read(`${GOOD}outcomes: { none: ${text} }\n`);
    expect(outcome('{ pmdGone: sometimes }')).toBe('well');
    expect(outcome('{ pmdLost: never }')).toContain(
      'x.yaml:34:21: outcomes.none.pmdLost: unknown key; allowed: pmdChanged, pmdGone, pteChanged,',
    );
    expect(outcome('{ pmdGone: often }')).toBe(
      'x.yaml:34:30: outcomes.none.pmdGone: "often" is not allowed; ' +
        'choose one of never, sometimes, always',
    );
  });

  test('an empty file is a mistake', () => {
    expect(read('')).toBe('x.yaml:1:1: expected a mapping, found nothing');
  });
});

test('an unknown key is reported at its place, wherever it stands', () => {
  // Maps whose keys are names take any key.
  const named = ['parameters', 'regions', 'protocols', 'async-scanner', 'expect', 'when'];
  const strict: number[] = [];
  let count = 0;
  visit(parseDocument(GOOD), {
    Map(_key, _map, ancestors) {
      const parent = ancestors.at(-1);
      const key = isPair(parent) && isScalar(parent.key) ? String(parent.key.value) : '';
      if (!named.includes(key)) strict.push(count);
      count++;
    },
  });
  expect(strict).toHaveLength(count - named.length);
  fc.assert(
    fc.property(fc.constantFrom(...strict), (chosen) => {
      const document = parseDocument(GOOD);
      let index = 0;
      visit(document, {
        Map(_key, map) {
          if (index++ === chosen && isMap(map)) map.add(document.createPair('bogus', 1));
        },
      });
      const text = document.toString({ lineWidth: 0 });
      const line = text.split('\n').findIndex((content) => content.includes('bogus'));
      const column = text.split('\n')[line]!.indexOf('bogus');
      const complaint = read(text);
      expect(complaint.split('\n').join(' ')).toContain(`x.yaml:${line + 1}:${column + 1}: `);
      expect(complaint).toContain('bogus: unknown key; allowed: ');
    }),
  );
});

describe('a mistake in the request is one line', () => {
  const cases: [changes: Partial<PlanRequest>, complaint: string][] = [
    [{ parameters: { size: '50' } }, '-p size: size "50" has no unit; write e.g. 50GiB'],
    [
      { parameters: { size: '5GiB' } },
      '-p size: size "5GiB" is out of range; allowed: 2MiB to 1GiB',
    ],
    [{ parameters: { size: '2049KiB' } }, 'size "2049KiB" is not a whole number of 4KiB pages'],
    [
      { parameters: { lock: 'rwlock' } },
      '-p lock: "rwlock" is not allowed; choose one of ttas, mcs',
    ],
    [
      { parameters: { sise: '1GiB' } },
      '-p sise: "mine" has no such parameter; parameters: size, lock, pause; options of protocols',
    ],
    [
      { parameters: { 'scanner.delay': '1ms' } },
      '-p scanner.delay: no protocol "scanner"; protocols:',
    ],
    [
      { parameters: { 'async-scanner.dely': '1ms' } },
      '-p async-scanner.dely: no such option; options of async-scanner: delay, size, where',
    ],
    [
      { parameters: { 'async-scanner.delay': '5' } },
      '-p async-scanner.delay: duration "5" has no u',
    ],
    [{ protocol: 'magic' }, 'no protocol "magic"; protocols: none, async-scanner, pt-reclaim'],
    [{ cpus: 0 }, '--cpus: integer "0" is out of range; allowed: 1 to 64'],
    [{ cpus: -3 }, '--cpus: integer "-3" is out of range; allowed: 1 to 64'],
    [{ cpus: 1.5 }, '--cpus: "1.5" is not a whole number'],
    [{ ops: 0 }, '--ops: integer "0" is out of range; allowed: at least 1'],
    [{ noise: 101 }, '--noise: integer "101" is out of range; allowed: 0 to 100'],
    [{ allocFail: -1 }, '--alloc-fail: integer "-1" is out of range; allowed: 0 to 1000000'],
    [{ durationMs: null }, '"mine" would go on forever; give --duration or --ops'],
    [{ cpus: 1 }, 'cpu 1 in "mine": the run has 1 CPU (0); raise --cpus or drop the column'],
  ];
  test.each(cases)('%o', (changes, complaint) => {
    const found = build(changes);
    expect(found).toContain(complaint);
    expect(found).not.toContain('\n');
  });

  test('a column for a CPU that the run lacks', () => {
    expect(build({ cpus: 4 }, GOOD.replace('[0, 1]', '5'))).toBe(
      'cpu 5 in "mine": the run has 4 CPUs (0-3); raise --cpus or drop the column',
    );
  });

  test('protocols that the file names must exist', () => {
    expect(build({}, GOOD.replace('  async-scanner', '  scanner'))).toBe(
      'x/mine.yaml:12:3: protocols.scanner: no such protocol; protocols: ' +
        'none, async-scanner, pt-reclaim',
    );
    expect(build({}, GOOD.replace('delay: 0ms', 'dely: 0ms'))).toContain(
      'x/mine.yaml:12:20: protocols.async-scanner.dely: no such option; options of async-scanner: ',
    );
    expect(build({}, GOOD.replace('  any:', '  all:'))).toContain('expect.all: no such protocol');
    const outcomes = `${GOOD}outcomes: { any: { oom: never }, all: {} }\n`;
    expect(build({}, outcomes)).toBe(
      'x/mine.yaml:34:34: outcomes.all: no such protocol; protocols: ' +
        'any, none, async-scanner, pt-reclaim',
    );
  });
});
