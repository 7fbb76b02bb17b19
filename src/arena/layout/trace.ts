/**
 * The trace of a run (trace/tracing.ts), where one is recorded: what all CPUs share, then a ring of
 * the latest records of each CPU, and one more ring for grace periods, in which all of them write.
 *
 *     head | ring of CPU 0 | ... | ring of the grace periods
 */
import { DURATION } from './percpu.ts';
import { LINE_WORDS, roundUpToLine, struct } from './struct.ts';

/** Values of `CONTROL.phase`, with some to spare. */
const PHASES_MAX = 8;

/**
 * The origin of the main thread's clock (`clockOrigin`), and what that clock said when the machine
 * was made: times in a trace are counted from then. And when each phase began.
 */
export const TRACE_HEAD = struct({
  origin: DURATION.sizeWords,
  made: DURATION.sizeWords,
  phaseBegan: PHASES_MAX * DURATION.sizeWords,
  pad: LINE_WORDS - (((2 + PHASES_MAX) * DURATION.sizeWords) % LINE_WORDS),
});

/**
 * Before the records of a ring: the place of the next one, and how often the ring has been full. In
 * the ring of the grace periods `next` counts on, and `laps` is not used.
 */
export const TRACE_RING = struct({ next: 1, laps: 1, pad: LINE_WORDS - 2 });

/** `kind`: its kind in the low bits, details above (`TRACE_DETAIL`); `time`: since `made`. */
export const TRACE_RECORD = struct({ kind: 1, time: DURATION.sizeWords, a: 1, b: 1, c: 1 });

/** Three numbers of 8 bits beside the kind: how far up each stands. */
export const TRACE_DETAIL = { mask: 0xff, first: 8, second: 16, third: 24 } as const;

/** Words of a ring of `records`. */
export function wordsOfRing(records: number): number {
  return roundUpToLine(TRACE_RING.sizeWords + records * TRACE_RECORD.sizeWords);
}

/** Words of the trace of a machine of `cpus`, with rings of `records`; none without any. */
export function wordsOfTrace(cpus: number, records: number): number {
  return records === 0 ? 0 : TRACE_HEAD.sizeWords + (cpus + 1) * wordsOfRing(records);
}
