/** Facts about the text of trace files: what is written is read, and what is wrong is said. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { property } from '#base/property.suite';
import { UserError } from '#base/user-error';
import { readRecording } from './read.ts';
import { HEADER, recordings } from './recording.suite.ts';
import type { RecordedEvent, Recording } from './recording.ts';
import { traceLines } from './write.ts';

const textOf = (recording: Recording): string => [...traceLines(recording)].join('');

property([recordings(40)])('what is written is read again', (recording) => {
  expect(readRecording(textOf(recording), 'x')).toEqual(recording);
});

property([recordings(10), fc.nat(), fc.nat(255)], { numRuns: 300 })(
  'a text that breaks off or has another character says where, or means the same or another',
  (recording, place, code) => {
    const text = textOf(recording);
    const at = place % text.length;
    expect(() => readRecording(text.slice(0, at), 'x')).toThrow(/^x: line \d+: /);
    const other = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
    try {
      readRecording(other, 'x');
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      expect((error as Error).message).toMatch(/^x: line \d+: [^\n]+$/);
    }
  },
);

const heap: RecordedEvent = { kind: 'mmap', thread: 0, page: 16, pages: 8, protection: 'write' };
const HEAD = textOf({ header: HEADER, events: [heap] })
  .split('\n')
  .slice(0, 2)
  .join('\n');

describe('a trace with a mistake', () => {
  test.each([
    ['', 'line 3: the file breaks off, without "end"'],
    ['end 2\n', 'line 3: "end" says "2" events; there are 1'],
    ['end 1\nend 1\n', 'line 4: something follows "end"'],
    ['0 x 10 1\n', 'line 3: "0 x 10 1" is no event'],
    ['0 w 10\n', 'line 3: "0 w 10" has 3 words instead of 4'],
    ['0 w 1G 1\n', 'line 3: "1G" is no hexadecimal number'],
    ['4 w 10 1\n', 'line 3: thread 4 of 4, which are 0 to 3'],
    ['0 w 10 0\n', 'line 3: an event of no pages'],
    ['0 w 10 9\n', 'line 3: pages are touched that are not in anonymous memory'],
    ['0 u 7ffffffff 2\n', 'line 3: pages beyond the end of the address space'],
    ['0 a 10 1 hugepage\n', 'line 3: "hugepage" is no advice of a trace'],
    ['0 p 10 1 x\n', 'line 3: "x" is not n, r or w'],
    ['0 v 10 8 14 8\n', 'line 3: mremap to pages that overlap with the old ones'],
    ['s 5 1 1\ns 4 1 1\n', 'line 4: a sample of 4 ms follows one of 5 ms'],
  ])('%j', (rest, complaint) => {
    expect(() => readRecording(`${HEAD}\n${rest}`, 'x')).toThrow(`x: ${complaint}`);
  });

  test.each([
    ['nonsense\n', 'line 1: expected the header of a trace, which is JSON'],
    ['{}\n', 'line 1: expected the header of a trace, with format "pttorture-trace"'],
    ['{"format":"pttorture-trace","version":2}\n', 'line 1: trace version "2"; this program'],
    ['{"format":"pttorture-trace","version":1}\n', 'line 1: program: '],
  ])('in the header, %j', (text, complaint) => {
    expect(() => readRecording(text, 'x')).toThrow(`x: ${complaint}`);
  });
});
