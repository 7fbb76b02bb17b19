/** Facts about what perf script and strace print, on samples of both. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RecordingBuilder, type TimedSample } from './builder.ts';
import { importPerf } from './import-perf.ts';
import { importStrace } from './import-strace.ts';
import { HEADER } from './recording.suite.ts';
import type { Recording } from './recording.ts';
import { traceLines } from './write.ts';

const PERF = readFileSync(new URL('./perf.sample.txt', import.meta.url), 'utf8');

/** The lines between the header and the end. */
const linesOf = (recording: Recording): string[] =>
  [...traceLines(recording)].slice(1, -1).map((line) => line.trimEnd());

function imported(
  text: string,
  from: typeof importPerf,
  samples: TimedSample[] = [],
): { recording: Recording; program: string | null } {
  const builder = new RecordingBuilder(from === importStrace, samples);
  const program = from(text.split('\n'), 'x', builder);
  return { recording: builder.finish(HEADER), program };
}

test('perf: calls and faults of the program that was executed last', () => {
  const sample = { vmpteKiB: 48, rssKiB: 1000 };
  const { recording, program } = imported(PERF, importPerf, [
    { seconds: 44262.0993, ...sample },
    { seconds: 44262.0999, ...sample },
  ]);
  expect(program).toBe('a b');
  expect(linesOf(recording)).toEqual([
    '0 o 7fe125ca1 26',
    '0 b 55a8be362 0',
    '1 u 7fe125c8c a',
    '0 m 7fe125c96 3 w',
    '0 w 7fe125c96 2',
    '1 r 7fe125c98 1',
    '0 o 7fe125c8c a',
    '0 a 7fe125c96 1 dontneed',
    's 0 48 1000',
    '0 a 7fe125c97 2 free',
    '0 v 7fe125c96 3 7fe125000 4',
    '0 p 7fe125000 1 n',
    '0 b 55a8be362 21',
  ]);
  const { leftOut, threads } = recording.header;
  expect([leftOut, threads]).toEqual([
    { faults: 1, otherProcesses: 1, failedCalls: 1, lost: 303, advice: { hugepage: 1 } },
    2,
  ]);
});

test('perf: faults that it counts itself are taken for writes', () => {
  const calls = PERF.split('\n').slice(4, 11);
  const fault = ' 4014/4014  44262.099751584: page-faults:     7fe125c96008';
  const { recording } = imported([...calls.slice(3), fault].join('\n'), importPerf);
  expect(linesOf(recording)).toEqual(['0 b 55a8be362 0']);
  const mapped = PERF.split('\n').slice(2, 4);
  const other = ' 4014/4014  44262.099751584: page-faults:     7fe000001008';
  const { recording: second } = imported([...mapped, other].join('\n'), importPerf);
  expect(linesOf(second)).toEqual(['0 m 7fe000000 2 w', '0 w 7fe000001 1']);
});

/** One call of perf's, in two lines. */
function perfCall(
  tid: number,
  name: string,
  enters: number,
  args: string,
  leaves: number,
  result: string,
): { seconds: number; line: string }[] {
  const at = (seconds: number) => ` 1/${tid}  ${seconds.toFixed(9)}: syscalls:sys_`;
  return [
    { seconds: enters, line: `${at(enters)}enter_${name}: ${args}` },
    { seconds: leaves, line: `${at(leaves)}exit_${name}: ${result}` },
  ];
}

test('perf: an mremap waits until another thread has unmapped what is in its way', () => {
  const heap = '0x7fe000000000';
  const flags = 'prot: 0x3, flags: 0x22, fd: 0xffffffff, off: 0x0';
  const lines = [
    ...perfCall(1, 'mmap', 1, `addr: 0x0, len: 0x4000, ${flags}`, 2, heap),
    ...perfCall(1, 'mremap', 3, `addr: ${heap}, old_len: 0x2000, new_len: 0x4000`, 6, heap),
    ...perfCall(2, 'munmap', 4, 'addr: 0x7fe000002000, len: 0x2000', 5, '0x0'),
  ]
    .sort((a, b) => a.seconds - b.seconds)
    .map(({ line }) => line);
  const { recording } = imported(lines.join('\n'), importPerf);
  expect(linesOf(recording)).toEqual([
    '0 m 7fe000000 4 w',
    '1 u 7fe000002 2',
    '0 v 7fe000000 2 7fe000000 4',
  ]);
});

const STRACE = readFileSync(new URL('./strace.sample.txt', import.meta.url), 'utf8');

test('strace: calls, in the order of their effects, and touches of what became writable', () => {
  const { recording, program } = imported(STRACE, importStrace);
  expect(program).toBe('t');
  expect(linesOf(recording)).toEqual([
    '0 b 561f4c20d 0',
    '0 m 7fb79d80d 2 w',
    '0 w 7fb79d80d 2',
    '0 o 7fb79d803 a',
    '0 b 561f4c20d 21',
    '0 w 561f4c20d 21',
    '0 m 7fb79ce1d 4 n',
    '0 p 7fb79ce1e 3 w',
    '0 w 7fb79ce1e 3',
    '1 a 7fb79ce1d 4 dontneed',
    '1 u 7fb79d80d 1',
    '0 m 7fb79d000 2 w',
    '0 w 7fb79d000 2',
    '0 a 7fb79d000 1 dontneed',
    '0 a 7fb79d001 1 dontneed',
    '0 v 7fb79d000 2 7fb79d200 4',
    '0 w 7fb79d202 2',
  ]);
  const { leftOut } = recording.header;
  expect(leftOut).toMatchObject({ failedCalls: 1, otherProcesses: 1, advice: { hugepage: 1 } });
});

test.each([
  [importStrace, '1 2.5 mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = ?'],
  [importStrace, '1 2.5 munmap(0x7f0000000000, 4096) = -1 (errno 600)'],
  [
    importPerf,
    ' 1/1 2.5: PERF_RECORD_MMAP2 1/1: [0xffffffffff600000(0x1000) @ 0 0 0]: --xp [vsyscall]',
  ],
])('nothing is recorded of what did nothing, or is not of the program', (from, text) => {
  expect(linesOf(imported(text, from).recording)).toEqual([]);
});

test.each([
  [importPerf, 'Hello, world.', 'x: line 1: not "PID/TID TIME: EVENT: ..."; let perf script print'],
  [importPerf, `${PERF}program 4014 44262.1: syscalls:x: 1`, 'x: line 36: not "PID/TID TIME: '],
  [importPerf, '', 'x: line 1: no event of perf script is in here'],
  [importPerf, `${PERF} 1/1 44262.2: syscalls:sys_exit_brk: 0x`, 'x: line 36: not "PID/TID TIME: '],
  [importStrace, '2.5 brk(NULL) = 0x1000\n[pid 7] 2.6 brk(NULL) = 0x1000', 'x: line 2: not "PID T'],
  [importStrace, `${STRACE}nonsense`, 'x: line 24: not "PID TIME CALL(...) = ..."'],
  [importStrace, '', 'x: line 1: no call of strace -ttt is in here'],
])('a text that is none is said to be none, with its line', (from, text, complaint) => {
  expect(() => imported(text, from)).toThrow(complaint);
});
