/** Facts about reports on recordings: the real program stands beside the runs. */
import { expect, test } from 'vitest';
import type { RecordedProgram } from '#result/recording';
import { sampleResult, sampleRun } from '#result/sample.suite';
import { parseResult } from '#result/schema';
import { htmlReport } from './html/report.ts';
import { textReport } from './text.ts';

const RECORDING: RecordedProgram = {
  ...{ name: 'traces/a', program: 'redis-server', recordedWith: 'perf', touches: 'recorded' },
  ...{ kernel: '6.18.0', transparentHugePages: 'madvise', threads: 2, events: 12_828, lost: 0 },
  unsampled: 7,
  vmpteKiB: { start: 92, peak: 488, end: 404 },
  rssKiB: null,
};
const ASSETS = { script: '', style: '', scriptSha256: '', styleSha256: '' };
const RUNS = [sampleRun({ protocol: 'none' }), sampleRun({ protocol: 'pt-reclaim' })];
const resultWith = (recording: RecordedProgram) => ({ ...sampleResult(RUNS), recording });

test('the real program is in the first row, each run below', () => {
  const text = textReport(resultWith(RECORDING), { width: 80 });
  expect(text).toContain('redis-server, recorded with perf on Linux 6.18.0 (huge pages: madvise)');
  expect(text).toMatch(/the real program +92 KiB +488 KiB +404 KiB +84 KiB\nnone +16 KiB/);
  expect(text).toContain('After the last sample came 7 events more.');
  const page = htmlReport(resultWith(RECORDING), { assets: ASSETS });
  expect(page).toContain('<h2 id="recording-head">The real program</h2>');
  expect(page).toContain('<th scope="row">the real program</th><td class="number">92 KiB</td>');
});

test('what is not known of it is said', () => {
  const recording = { ...RECORDING, touches: 'assumed', lost: 3, vmpteKiB: null } as const;
  const text = textReport(resultWith(recording), { width: 80 });
  expect(text).toContain('Touches are assumed: what became writable was written.');
  expect(text).toContain('3 events could not be recorded.');
  expect(text).toContain('The real program was not sampled.');
  expect(text).not.toMatch(/the real program +\d/);
});

test('a saved result has it, and one without is read as before', () => {
  for (const result of [resultWith(RECORDING), sampleResult(RUNS)])
    expect(parseResult(JSON.stringify(result), 'x')).toEqual(result);
});
