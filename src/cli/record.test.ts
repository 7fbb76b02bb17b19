/** Facts about `record`: what it writes, what it says, and that a mistake leaves nothing behind. */
import { describe, expect, test } from 'vitest';
import type { Recorded } from '#live/record/record';
import type { RecordedEvent } from '#scenario/trace/recording';
import { HEADER } from '#scenario/trace/recording.suite';
import { EXIT } from './exit-code.ts';
import { say } from './fake.suite.ts';
import { packTrace } from './trace-file.ts';

const EVENTS: RecordedEvent[] = [
  { kind: 'mmap', thread: 0, page: 16, pages: 8, protection: 'write' },
  { kind: 'sample', ms: 1, vmpteKiB: 44, rssKiB: 900 },
  { kind: 'write', thread: 1, page: 16, pages: 5 },
];
const recording = { header: HEADER, events: EVENTS };
const recorded: Recorded = { recording, ending: null, note: null };

test('a program becomes a trace of its name, and one line says what is in it', async () => {
  const { code, files, stdout, stderr } = await say(['record', '--', '/bin/refill', '--fast'], {
    record: (command) => {
      expect(command).toEqual(['/bin/refill', '--fast']);
      return recorded;
    },
  });
  expect([code, stdout]).toEqual([EXIT.well, '']);
  expect([...files.keys()]).toEqual(['refill.trace.gz']);
  expect(stderr).toBe(
    '3 events of 4 threads, 5 pages touched, VmPTE at most 44 KiB, 1 KiB in refill.trace.gz; ' +
      'run it: pttorture run refill.trace.gz\n',
  );
});

test('what is missing in a recording is said', async () => {
  const leftOut = { ...HEADER.leftOut, lost: 7, otherProcesses: 9 };
  const header = { ...HEADER, touches: 'assumed', leftOut } as const;
  const { stderr } = await say(['record', '--', 'x'], {
    record: () => ({
      recording: { header, events: [] },
      ending: 'exit code 3',
      note: 'perf is not here',
    }),
  });
  expect(stderr.split('\n').slice(0, 2)).toEqual([
    'perf is not here: so strace was taken, and touches are assumed',
    'x ended with exit code 3',
  ]);
  expect(stderr).toContain(
    '7 events lost, 9 of other processes left out, 0 pages touched (assumed), VmPTE not sampled',
  );
});

test('an interruption before there is anything to record is no mistake', async () => {
  const { code, files, stderr } = await say(['record', '--', 'x'], { signal: AbortSignal.abort() });
  expect([code, files.size]).toEqual([EXIT.interrupted, 0]);
  expect(stderr).toBe('x was interrupted before anything of it was recorded\n');
});

test('a text made elsewhere becomes a trace of its name', async () => {
  const { code, files, stdout } = await say(['record', '--import', 'a/redis.txt'], {
    importRecording: () => recording,
  });
  expect([code, [...files.keys()]]).toEqual([EXIT.well, ['redis.trace.gz']]);
  expect(stdout).toContain('run it: pttorture run redis.trace.gz');
});

describe('one line complains, and nothing is written', () => {
  test.each([
    [[], 'no program given; write pttorture record -- PROGRAM ARGS'],
    [['--output', 'x.gz', '--', 'x'], '--output "x.gz" is no name of a trace; end it in .trace.gz'],
    [['--with', 'gdb', '--', 'x'], 'unknown tool "gdb"; choose from perf, strace'],
    [['--import', 'f', '--', 'x'], '--import reads a text and runs nothing; leave the program out'],
    [
      ['--import', 'f', '--with', 'perf'],
      '--import sees by itself what made the text; leave --with',
    ],
    [['--import', 'f'], 'f: line 1: no events'],
    [['--', 'x'], 'nothing here can record'],
  ])('%j', async (words, complaint) => {
    const { code, stderr, files, discarded } = await say(['record', ...words]);
    expect([code, files.size]).toEqual([EXIT.wrong, 0]);
    expect(stderr).toContain(complaint);
    expect(stderr.trimEnd()).not.toContain('\n');
    expect(discarded.every((path) => path.endsWith('.trace.gz'))).toBe(true);
  });
});

describe('a trace file', () => {
  const packed = packTrace(recording);

  test('that is cut off is refused with the byte', async () => {
    const bytes = { 'x.trace.gz': packed.subarray(0, 99) };
    const { code, stderr } = await say(['run', 'x.trace.gz'], { bytes });
    expect([code, stderr]).toEqual([
      EXIT.wrong,
      'x.trace.gz: byte 99: the compressed data breaks off\n',
    ]);
  });

  test('that is not there is no scenario', async () => {
    const { code, stderr } = await say(['run', 'x.trace.gz']);
    expect([code, stderr]).toEqual([EXIT.wrong, 'cannot read "x.trace.gz": no such file\n']);
  });
});
