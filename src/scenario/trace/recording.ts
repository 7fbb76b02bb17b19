/**
 * A recording of what a real program did with its memory: calls, first touches of pages, and how
 * large its page tables were meanwhile, all in the order in which they happened. Pages are numbered
 * as the program's own address space has them.
 */
import type { Advice, Protection } from '../plan.ts';

/** The name and version that a trace file's first line begins with. */
export const FORMAT = 'pttorture-trace';
export const VERSION = 1;

/** Pages of the user's half of an address space of 48 bits. */
export const USER_PAGES = 2 ** 35;

/** Advice that the simulator knows, of that which a program can give. */
export const RECORDED_ADVICE = [
  'dontneed',
  'free',
  'cold',
  'pageout',
  'willneed',
  'populate-read',
  'populate-write',
  'guard-install',
  'guard-remove',
] as const satisfies readonly (Advice | 'dontneed')[];
export type RecordedAdvice = (typeof RECORDED_ADVICE)[number];

export interface Recording {
  readonly header: RecordingHeader;
  readonly events: readonly RecordedEvent[];
}

export interface RecordingHeader {
  readonly program: string;
  readonly arguments: readonly string[];
  /** When, as ISO 8601 has it, and by what. */
  readonly recordedAt: string;
  readonly recordedWith: 'perf' | 'strace';
  /** `assumed`: nothing is known of touches; what became writable counts as written. */
  readonly touches: 'recorded' | 'assumed';
  /** Release of the kernel. */
  readonly kernel: string;
  readonly pageSize: number;
  readonly threads: number;
  /** The word in brackets of `transparent_hugepage/enabled`, or `unknown`. */
  readonly transparentHugePages: string;
  readonly leftOut: LeftOut;
}

/** What happened, and is not among the events. */
export interface LeftOut {
  /** Faults outside of anonymous memory that is known. */
  readonly faults: number;
  /** Calls and faults of other processes. */
  readonly otherProcesses: number;
  /** Calls that failed. */
  readonly failedCalls: number;
  /** Events that the kernel could not hand over in time. */
  readonly lost: number;
  /** Advice that the simulator does not know, by name or number. */
  readonly advice: Readonly<Record<string, number>>;
}

/** A stretch of the program's address space. */
export interface Pages {
  readonly page: number;
  readonly pages: number;
}

/** What one thread did; threads are numbered from 0 in the order of their first event. */
export type RecordedCall = { readonly thread: number } & Pages &
  (
    | { readonly kind: 'mmap'; readonly protection: Protection }
    | { readonly kind: 'munmap' }
    | { readonly kind: 'madvise'; readonly advice: RecordedAdvice }
    | { readonly kind: 'mprotect'; readonly protection: Protection }
    | { readonly kind: 'mremap'; readonly to: number; readonly newPages: number }
    /** The heap begins at `page`, and now has `pages` pages. */
    | { readonly kind: 'brk' }
    | { readonly kind: 'read' }
    | { readonly kind: 'write' }
    /** Something else than private anonymous memory is mapped here: a file, shared memory. */
    | { readonly kind: 'opaque' }
  );

/** What `/proc/PID/status` said, `ms` milliseconds after the first event. */
export interface RecordedSample {
  readonly kind: 'sample';
  readonly ms: number;
  readonly vmpteKiB: number;
  readonly rssKiB: number;
}

export type RecordedEvent = RecordedCall | RecordedSample;
