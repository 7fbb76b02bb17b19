/** Facts about recording real programs, where perf or strace is there to do it. */
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { figuresOf } from '#scenario/trace/figures';
import { importText } from './import-text.ts';
import { type Recorded, record } from './record.ts';
import { findProgram, problemOf, type Tool } from './tools.ts';

const SEARCH_PATH = process.env['PATH'] ?? '';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'pttorture-test-'));
});
afterEach(() => rmSync(scratch, { recursive: true }));

function recordOf(
  tool: Tool | null,
  command: readonly string[],
  { searchPath = SEARCH_PATH, signal = new AbortController().signal } = {},
): Promise<Recorded> {
  const clocks = { monotonic: () => performance.now() / 1000, realtime: () => Date.now() / 1000 };
  return record({ command, tool, searchPath, scratch, clocks, signal });
}

describe.each(['perf', 'strace'] as const)('%s', (tool) => {
  const problem = problemOf(tool, SEARCH_PATH);
  const isMissing = problem !== null;

  test.skipIf(isMissing)(`records${isMissing ? ` (skipped: ${problem})` : ''}`, async () => {
    const { recording, ending } = await recordOf(tool, ['/bin/sh', '-c', 'exit 3', '/a/b']);
    const { header, events } = recording;
    expect(ending).toBe('exit code 3');
    expect(header).toMatchObject({ program: 'sh', arguments: ['-c', 'exit 3', 'b'] });
    expect(header.touches).toBe(tool === 'perf' ? 'recorded' : 'assumed');
    expect(figuresOf(events).touchedPages).toBeGreaterThan(0);
    expect(events.some(({ kind }) => kind === 'mmap')).toBe(true);
  });
});

const noStrace = problemOf('strace', SEARCH_PATH);
test.skipIf(noStrace !== null)('a program that is told to end has been recorded', async () => {
  const running = join(scratch, 'running');
  const command = ['sh', '-c', `: > '${running}'; while :; do :; done`];
  const enough = new AbortController();
  const watch = setInterval(() => {
    if (!existsSync(running)) return;
    clearInterval(watch);
    // Longer than a sampler's period, by the clock that both go by.
    setTimeout(() => enough.abort(), 50);
  }, 10);
  const { recording, ending } = await recordOf('strace', command, { signal: enough.signal });
  expect(ending).not.toBeNull();
  expect(recording.events.some(({ kind }) => kind === 'sample')).toBe(true);
});

describe('what is missing is said', () => {
  test('a program', async () => {
    await expect(recordOf(null, ['no-such'])).rejects.toThrow('"no-such": no executable file');
  });

  test('perf and strace', async () => {
    const bare = { searchPath: scratch };
    const program = join(scratch, 'program');
    writeFileSync(program, '');
    chmodSync(program, 0o755);
    expect(findProgram('program', scratch)).toBe(program);
    const install = '(on Debian: apt-get install';
    await expect(recordOf('perf', [program], bare)).rejects.toThrow(
      `cannot record with perf: perf is not installed ${install} linux-perf)`,
    );
    await expect(recordOf(null, [program], bare)).rejects.toThrow(
      'nothing here can record: perf is not installed',
    );
  });

  test('what a text is of', () => {
    const path = join(scratch, 'text');
    writeFileSync(path, 'Hello, world.\n');
    expect(() => importText(path)).toThrow(`${path}: line 1: neither perf script`);
  });
});

test('a text is recognised by its first line that says something', () => {
  const path = join(scratch, 'text');
  writeFileSync(path, '# from elsewhere\n\n 1/1  2.5: page-faults: 7f0000001000\n');
  expect(importText(path).header).toMatchObject({ recordedWith: 'perf', program: 'unknown' });
  writeFileSync(path, '1 2.5 munmap(0x7f0000000000, 4096) = 0');
  expect(importText(path).events).toMatchObject([{ kind: 'munmap', pages: 1 }]);
});
