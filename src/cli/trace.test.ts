/**
 * `run --trace`: when there is one, what is said of it, and that the built program writes a file
 * that viewers understand.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { eventsOf, problemsOf, traceFile } from '#report/trace/trace-file.suite';
import { sampleTrace } from '#result/run-trace.suite';
import { sampleRun } from '#result/sample.suite';
import { EXIT } from './exit-code.ts';
import { type Stage, say } from './fake.suite.ts';
import { TRACE_EVENTS } from './trace-output.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const TRACING: Stage = {
  run(plan, { onTrace }) {
    onTrace?.(sampleTrace());
    return sampleRun({ protocol: plan.protocol });
  },
};
const words = (more: string): string[] => `run churn --protocol none ${more}`.split(' ');

describe('a trace', () => {
  test('is asked for with its size, and written with the command in it', async () => {
    const spoken = await say(words('--trace t.json'), TRACING);
    expect(spoken.plans[0]).toMatchObject({ traceEvents: TRACE_EVENTS });
    const file = traceFile.parse(JSON.parse(spoken.files.get('t.json')!));
    expect(file.otherData).toMatchObject({
      ...{ command: 'pttorture run churn --protocol none --trace t.json', scenario: 'churn' },
      ...{ protocol: 'pt-reclaim', pttorture: '0.1.0', seed: 1 },
    });
    expect(spoken.stdout).toContain('\ntrace of setup and the main phase: t.json, ');
    expect(spoken.discarded).toEqual([]);
    expect(spoken.code).toBe(EXIT.well);
  });

  test('keeps as many events as are wanted', async () => {
    const { plans } = await say(words('--trace t.json --trace-events 500'), TRACING);
    expect(plans[0]!.traceEvents).toBe(500);
  });

  test('is not recorded where nobody asks for it', async () => {
    const { plans, hooks, files } = await say(words('--duration 1s'), TRACING);
    expect([plans[0]!.traceEvents, hooks[0]!.onTrace, files.size]).toEqual([0, undefined, 0]);
  });

  test('leaves stdout to the document', async () => {
    const { stdout, stderr } = await say(words('--trace t.json --json -'), TRACING);
    expect(JSON.parse(stdout)).toMatchObject({ scenario: 'churn' });
    expect(stderr).toContain('t.json');
  });

  test('of a run with a violation is written all the same', async () => {
    const violations = [{ kind: 'lost-entry', message: 'lost', cpus: [0], replay: null }];
    const { code, files } = await say(words('--trace t.json'), {
      run(_plan, { onTrace }) {
        onTrace?.(sampleTrace([], { violations }));
        return sampleRun({ exit: 'violation', violations });
      },
    });
    expect(code).toBe(EXIT.found);
    expect(files.get('t.json')).toContain('"lost-entry"');
  });

  test('that was never made leaves no file', async () => {
    const { code, files, discarded } = await say(words('--trace t.json'), {
      run: () => Promise.reject(new Error('broken')),
    });
    expect([code, files.size, discarded]).toEqual([EXIT.failed, 0, ['t.json']]);
  });
});

describe('the built program', () => {
  test('writes a trace that viewers understand', async () => {
    const { file, stdout } = await traced('churn', '--protocol', 'pt-reclaim');
    expect(problemsOf(file)).toEqual([]);
    const slices = eventsOf(file, 'X');
    const names = new Set(slices.map(({ name }) => name));
    for (const name of ['main', 'fault', 'madvise', 'dontneed', 'read section', 'mmap lock'])
      expect(names).toContain(name);
    expect(slices.some(({ name }) => /^ptl of table \d+$/.test(name))).toBe(true);
    expect(slices.some(({ args }) => /\(mm\/fault\.ts:\d+\)$/.test(String(args?.['site'])))).toBe(
      true,
    );
    expect(eventsOf(file, 'i').some(({ cat }) => cat === 'table')).toBe(true);
    expect(eventsOf(file, 'b').length).toBeGreaterThan(0);
    expect(eventsOf(file, 'C').length).toBeGreaterThan(3);
    const isComplete = Object.values(file.otherData.tracks).every(({ dropped }) => dropped === 0);
    expect(stdout.includes('it is complete: no event was dropped')).toBe(isComplete);
  });

  test('says what small rings have dropped, and still nests', async () => {
    const small = ['--trace-events', '100'];
    const { file, stdout } = await traced('churn', '--protocol', 'async-scanner', ...small);
    expect(problemsOf(file)).toEqual([]);
    const { 'CPU 0': track } = file.otherData.tracks;
    expect(track).toMatchObject({ events: 100 });
    expect(track!.dropped).toBeGreaterThan(0);
    expect(stdout).toMatch(/^ {2}CPU 0 .* dropped before$/m);
  });
});

/** Half a second on two CPUs. */
async function traced(...more: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'pttorture-test-'));
  const path = join(folder, 'trace.json');
  const flags = ['--cpus', '2', '--duration', '500ms', '--trace', path];
  try {
    const stdout = await new Promise<string>((resolve, reject) => {
      execFile(
        process.execPath,
        [PROGRAM, 'run', ...more, ...flags],
        { timeout: 60_000, killSignal: 'SIGKILL' },
        (error, text) => (error === null ? resolve(text) : reject(error)),
      );
    });
    expect(readdirSync(folder)).toEqual(['trace.json']);
    return { stdout, file: traceFile.parse(JSON.parse(readFileSync(path, 'utf8'))) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
