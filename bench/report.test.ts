/** The document of a bench, told as text and as Markdown; what the command line asks for. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { folderBytes, productionPackages } from './installed.ts';
import { markdown } from './markdown.ts';
import { busiest } from './profiled-variant.ts';
import type { BenchResult, MeasuredGroup } from './report.ts';
import { readRequest } from './request.ts';
import { groupLines } from './terminal.ts';

const spread = { samples: [1.234, 1.234], median: 1.234, min: 0.05, max: 1234 };
const group: MeasuredGroup = {
  group: 'locks',
  summary: 'a lock',
  variants: [{ name: 'a|b', unit: 'ns', ...spread }],
  figures: [
    {
      ...{ name: 'a to b', unit: 'x', ...spread },
      ...{ goal: { bound: 'at most', limit: 1, aim: 0.5 }, met: false, profile: 'a|b' },
    },
  ],
  references: [{ name: 'theirs', unit: 'us', value: 7, source: 'them' }],
  notes: ['no *compiler*'],
  profiles: [
    {
      ...{ variant: 'a|b', figures: ['a to b'] },
      functions: [{ name: 'spinLock', place: 'x.js:1', percent: 61.25 }],
    },
  ],
};
const result: BenchResult = {
  schema: 1,
  machine: { ...{ node: 'v1', cores: 2, cpu: 'c', kernel: 'k' }, compiler: null, load1: 0.1 },
  ...{ rounds: 2, ms: 3, wakeUpUs: spread, groups: [group] },
};

const folder = mkdtempSync(join(tmpdir(), 'pttorture-bench-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('as text, numbers stand to the right, and a missed goal is said', () => {
  expect(groupLines(group, 2)).toEqual([
    '',
    'locks: a lock',
    '  note: no *compiler*',
    '',
    '  variant (2 rounds)   median    min   max',
    '  a|b                 1.23 ns  0.050  1234',
    '',
    '  figure (pair by pair)  median    min   max  goal',
    '  a to b                  1.23x  0.050  1234  at most 1x, aim 0.5x  MISSED',
    '',
    '  measured elsewhere    value  by',
    '  theirs              7.00 us  them',
    '',
    '  self times: a|b  share  place',
    '  spinLock         61.3%  x.js:1',
  ]);
});

test('as Markdown, it has the machine, the notes and the same cells, escaped', () => {
  const text = markdown(result);
  for (const line of [
    '# Bench',
    '- 2 cores (c), k, node v1, no C compiler, load 0.10',
    '## locks',
    '- no \\*compiler\\*',
    '| variant (2 rounds) | median | min | max |',
    '| --- | --: | --: | --: |',
    '| a\\|b | 1.23 ns | 0.050 | 1234 |',
    '| a to b | 1.23x | 0.050 | 1234 | at most 1x, aim 0.5x | MISSED |',
    '| spinLock | 61.3% | x.js:1 |',
  ])
    expect(text.split('\n')).toContain(line);
});

test('a profile is of all threads but the main one, and of what they do', () => {
  const time = (name: string, us: number, place = 'x.js:1') => ({ name, place, us });
  const threads = [
    { file: '', thread: 0, times: [time('wait', 900)] },
    {
      file: '',
      thread: 1,
      times: [time('fault', 30), time('(idle)', 500, ''), time('start', 7, 'node:fs:1')],
    },
    { file: '', thread: 2, times: [time('fault', 30), time('zap', 40)] },
  ];
  expect(busiest(threads)).toEqual([
    { name: 'fault', place: 'x.js:1', percent: 60 },
    { name: 'zap', place: 'x.js:1', percent: 40 },
  ]);
});

test('the command line names groups and files', () => {
  const path = join(folder, 'out.md');
  const request = readRequest(['locks', '--rounds', '3', '--markdown', path]);
  expect(request).toMatchObject({ groups: ['locks'], rounds: 3, json: null, markdown: path });
  expect(readRequest([]).groups).toContain('faults');
  expect(readdirSync(folder)).toEqual([]);
});

test.each([
  [['lock'], 'no group "lock"; groups: faults, locks'],
  [['--ms', '0'], '--ms "0" is not a whole number from 1 to 9999999'],
  [['--json', join(folder, 'no', 'x')], 'ENOENT'],
  [['--markdown', folder], 'is a folder'],
  [['--fast'], 'flags: --rounds, --ms, --json, --markdown'],
])('%o is a mistake that is told', (args, message) => {
  expect(() => readRequest(args)).toThrow(message);
});

test('an installation is what is no development dependency and lies on the disk', () => {
  const packages = {
    '': {},
    'node_modules/a': {},
    'node_modules/a/node_modules/b': {},
    'node_modules/c': { dev: true },
    'node_modules/d': { devOptional: true },
  };
  expect(productionPackages({ packages })).toEqual([
    'node_modules/a',
    'node_modules/a/node_modules/b',
  ]);
  expect(folderBytes(join(folder, 'none'))).toBeNull();
  expect(folderBytes(folder)).toBe(0);
});
