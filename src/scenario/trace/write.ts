/** A recording as the lines of a trace file; README, "Recording", says what they mean. */
import type { Protection } from '../plan.ts';
import {
  FORMAT,
  type RecordedCall,
  type RecordedEvent,
  type Recording,
  VERSION,
} from './recording.ts';

/** The letter that a line has for what a thread did. */
export const LETTERS = {
  mmap: 'm',
  munmap: 'u',
  madvise: 'a',
  mprotect: 'p',
  mremap: 'v',
  brk: 'b',
  read: 'r',
  write: 'w',
  opaque: 'o',
} as const satisfies Record<RecordedCall['kind'], string>;

export const PROTECTION_LETTERS = {
  none: 'n',
  read: 'r',
  write: 'w',
} as const satisfies Record<Protection, string>;

/** Begins the line of a sample, and the last line. */
export const SAMPLE = 's';
export const END = 'end';

/** The lines, each with its newline. */
export function* traceLines({ header, events }: Recording): Generator<string> {
  yield `${JSON.stringify({ format: FORMAT, version: VERSION, ...header })}\n`;
  for (const event of events) yield `${lineOf(event)}\n`;
  yield `${END} ${events.length}\n`;
}

function lineOf(event: RecordedEvent): string {
  if (event.kind === 'sample') return `${SAMPLE} ${event.ms} ${event.vmpteKiB} ${event.rssKiB}`;
  const { thread, kind, page, pages } = event;
  const start = `${thread} ${LETTERS[kind]} ${page.toString(16)} ${pages.toString(16)}`;
  switch (event.kind) {
    case 'mmap':
    case 'mprotect':
      return `${start} ${PROTECTION_LETTERS[event.protection]}`;
    case 'madvise':
      return `${start} ${event.advice}`;
    case 'mremap':
      return `${start} ${event.to.toString(16)} ${event.newPages.toString(16)}`;
    default:
      return start;
  }
}
