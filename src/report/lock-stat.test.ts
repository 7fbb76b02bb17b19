/** The layout of /proc/lock_stat, to the column. */
import { expect, test } from 'vitest';
import { sampleLocks } from '#result/lock-sample.suite';
import { sampleResult, sampleRun } from '#result/sample.suite';
import { lockStatReport } from './lock-stat.ts';

const RULE = '-'.repeat(221);
/** As lockdep prints it: the name in 40 columns, each figure in 14 behind a space. */
const ROW = [
  '                              class name    con-bounces    contentions   waittime-min',
  '   waittime-max waittime-total   waittime-avg    acq-bounces   acquisitions   holdtime-min',
  '   holdtime-max holdtime-total   holdtime-avg',
].join('');
const text = lockStatReport(sampleResult([sampleRun(sampleLocks())]));
const lines = text.split('\n');
const point = (waits: number, site: string, name: string): string =>
  `                                     ptl              ${waits}          [<${site}>] ${name}`;

test('begins with a header, in which a note says what is estimated', () => {
  expect(lines[0]).toBe('lock_stat version 0.4');
  expect(lines[1]).toMatch(
    /^\*NOTE\* hold times .* sample \(7\).* taken 127 locks; .* 41 ns are taken off$/,
  );
  expect(lines.slice(2, 6)).toEqual([RULE, ROW, RULE, '']);
});

test('has the class that was waited for most first, and its contention points', () => {
  expect(lines.slice(6, 16)).toEqual([
    [
      '                                     ptl:             3              4           0.25',
      '        1234.57        1328.91         332.23             46           1007           0.02',
      '           3.40          36.00           0.04',
    ].join(''),
    '                                     ---',
    point(3, '0000000000000002', 'doAnonymousPage mm/fault.ts:97'),
    point(1, '0000000000000040', 'zapPteRange mm/zap.ts:86'),
    '                                     ---',
    point(2, '0000000000000040', 'zapPteRange mm/zap.ts:86'),
    point(1, '0000000000000002', 'doAnonymousPage mm/fault.ts:97'),
    point(1, '0000000000000000', 'unknown'),
    '',
    '.'.repeat(221),
  ]);
});

test('has writers and readers apart', () => {
  expect(lines.slice(16)).toEqual([
    '',
    [
      '                                  mmap-W:             0              0           0.00',
      '           0.00           0.00           0.00              1              2           0.10',
      '     5000000.00     5000000.10     2500000.05',
    ].join(''),
    [
      '                                  mmap-R:             0              0           0.00',
      '           0.00           0.00           0.00              1              1           0.75',
      '           0.75           0.75           0.75',
    ].join(''),
    '',
  ]);
});

test('can be read by fields: the name up to the colon, then twelve numbers', () => {
  const rows = lines.filter((line) => /^\s+\S+:/.test(line));
  expect(rows.length).toBe(3);
  for (const row of rows) expect(row).toMatch(/^\s+[\w-]+:(\s+\d+){2}(\s+\d+\.\d\d){4}(\s+\d+){2}/);
  const points = lines.filter((line) => line.includes('[<'));
  for (const point of points) expect(point).toMatch(/^\s+\S+\s+\d+\s+\[<[0-9a-f]{16}>\] \S+/);
});

test('tells runs apart, and leaves out those without statistics', () => {
  const runs = ['none', 'pt-reclaim'].map((protocol) => sampleRun({ ...sampleLocks(), protocol }));
  const several = lockStatReport(sampleResult([...runs, sampleRun()]));
  expect(several.match(/^churn under .*$/gm)).toEqual([
    'churn under none',
    'churn under pt-reclaim',
  ]);
  expect(several.match(/^lock_stat version 0\.4$/gm)).toHaveLength(2);
  expect(lockStatReport(sampleResult())).toBe('no lock statistics: run with --lock-stat\n');
});
