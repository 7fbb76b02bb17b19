/** What a trace says of the real program that was recorded: where a plan is of a recording. */
import { z } from 'zod';
import { amount, count } from './document.ts';

/** Of samples of the real program: the first, the highest and the last. */
export interface SampledKiB {
  start: number;
  peak: number;
  end: number;
}

export interface RecordedProgram {
  /** Name of the trace. */
  name: string;
  program: string;
  recordedWith: 'perf' | 'strace';
  /** `assumed`: what became writable counts as touched. */
  touches: 'recorded' | 'assumed';
  /** Release of the kernel that it ran on, and the mode of its transparent huge pages. */
  kernel: string;
  transparentHugePages: string;
  threads: number;
  events: number;
  /** Events that could not be recorded. */
  lost: number;
  /** Events after the last sample: what a program does while it ends is not in the samples. */
  unsampled: number;
  /** Null: there were no samples. */
  vmpteKiB: SampledKiB | null;
  rssKiB: SampledKiB | null;
}

const sampledKiB = z.object({ start: amount, peak: amount, end: amount });

export const recordedProgram = z.object({
  name: z.string(),
  program: z.string(),
  recordedWith: z.enum(['perf', 'strace']),
  touches: z.enum(['recorded', 'assumed']),
  kernel: z.string(),
  transparentHugePages: z.string(),
  threads: count,
  events: count,
  lost: count,
  unsampled: count,
  vmpteKiB: sampledKiB.nullable(),
  rssKiB: sampledKiB.nullable(),
});
