/** Facts about trace files: whatever happened to one, it is read as it was or a line says where. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { property } from '#base/property.suite';
import { readRecording } from '#scenario/trace/read';
import { HEADER, recordings } from '#scenario/trace/recording.suite';
import { packTrace, unpackTrace } from './trace-file.ts';

const read = (packed: Uint8Array) => readRecording(unpackTrace(packed, 'x'), 'x');
const COMPLAINT = /^x: (line|byte) \d+: [^\n]+$/;

property([recordings(20)])('what is packed is read again', (recording) => {
  expect(read(packTrace(recording))).toEqual(recording);
});

test('of every beginning of a file it is said that it breaks off', () => {
  const packed = packTrace(fc.sample(recordings(30), { numRuns: 1, seed: 1 })[0]!);
  for (let bytes = 0; bytes < packed.length; bytes++) {
    expect(() => read(packed.subarray(0, bytes))).toThrow(COMPLAINT);
    if (bytes > 2)
      expect(() => read(packed.subarray(0, bytes))).toThrow(`byte ${bytes}: the compressed data`);
  }
});

property([recordings(20), fc.nat(), fc.integer({ min: 1, max: 255 })], { numRuns: 300 })(
  'one changed byte changes nothing, or is found',
  (recording, place, change) => {
    const packed = Uint8Array.from(packTrace(recording));
    packed[place % packed.length]! ^= change;
    let found: unknown;
    try {
      found = read(packed);
    } catch (error) {
      expect((error as Error).message).toMatch(COMPLAINT);
      return;
    }
    expect(found).toEqual(recording);
  },
);

test('what is no gzip is said to be none', () => {
  expect(() => unpackTrace(Buffer.from(JSON.stringify(HEADER)), 'x')).toThrow('x: byte 0: not the');
});
