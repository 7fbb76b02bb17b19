/** Facts about the short form of a recording: it says the same, in the same order. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { property } from '#base/property.suite';
import type { Op } from '#scenario/plan';
import { CODE, encodeCalls } from '#scenario/trace/calls';
import { traceOperations } from '#scenario/trace/operations';
import { recordings } from '#scenario/trace/recording.suite';
import { RecordedCalls } from './recorded-calls.ts';

property([recordings(60), fc.integer({ min: 1, max: 5 })])(
  'turns lead through all calls in recorded order',
  (recording, cpus) => {
    const ops = [...traceOperations(recording)];
    const columns = encodeCalls(ops, cpus).map((text) => new RecordedCalls(text));
    let cpu = ops.length === 0 ? 0 : ops[0]!.thread % cpus;
    for (const [i, { thread, op }] of ops.entries()) {
      expect(thread % cpus).toBe(cpu);
      const calls = columns[cpu]!;
      expect(calls.readCall()).toBe(true);
      expect(calls.number).toBe(i);
      expect(callIn(calls)).toEqual(op);
      if (calls.handTo >= 0) cpu = calls.handTo;
    }
    for (const calls of columns) expect(calls.readCall()).toBe(false);
  },
);

function callIn(calls: RecordedCalls): Op {
  switch (calls.code) {
    case CODE.munmap:
      return calls.munmap;
    case CODE.mremap:
      return calls.mremap;
    case CODE.dontneed:
      return calls.dontneed;
    case CODE.mmap:
      return calls.mmap;
    case CODE.mprotect:
      return calls.mprotect;
    case CODE.madvise:
      return calls.madvise;
    default:
      return calls.touch;
  }
}
