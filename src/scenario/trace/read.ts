/**
 * A trace file's text becomes a recording. What is wrong is said with the number of its line:
 * a file that breaks off, a line that says nothing, a call that cannot have been.
 */
import { z } from 'zod';
import { PAGE_SIZE_BYTES } from '#base/units';
import { UserError } from '#base/user-error';
import { AddressSpace } from './address-space.ts';
import {
  FORMAT,
  RECORDED_ADVICE,
  type RecordedCall,
  type RecordedEvent,
  type Recording,
  type RecordingHeader,
  USER_PAGES,
  VERSION,
} from './recording.ts';
import { END, LETTERS, PROTECTION_LETTERS, SAMPLE } from './write.ts';

/** Throws a `UserError` that begins with `name` and the number of a line. */
export function readRecording(text: string, name: string): Recording {
  const reader = new Reader(text, name);
  const header = readHeader(reader);
  const events: RecordedEvent[] = [];
  const space = new AddressSpace();
  let ms = 0;
  for (let line = reader.next(); !isEnd(line); line = reader.next()) {
    const event = readEvent(reader, line.split(' '));
    if (event.kind === 'sample') {
      if (event.ms < ms) reader.complain(`a sample of ${event.ms} ms follows one of ${ms} ms`);
      ms = event.ms;
    } else {
      checkCall(reader, header, space, event);
      space.apply(event);
    }
    events.push(event);
  }
  reader.checkEnd(events.length);
  return { header, events };
}

/** The text's lines, and complaints about the one that was read last. */
class Reader {
  private readonly text: string;
  private readonly name: string;
  private at = 0;
  private line = 0;
  private current = '';

  constructor(text: string, name: string) {
    this.text = text;
    this.name = name;
  }

  next(): string {
    this.line++;
    const end = this.text.indexOf('\n', this.at);
    if (end < 0) {
      const isEmpty = this.at === this.text.length;
      this.complain(isEmpty ? `the file breaks off, without "${END}"` : 'the line breaks off');
    }
    this.current = this.text.slice(this.at, end);
    this.at = end + 1;
    return this.current;
  }

  /** The line in hand is the last one, and says how many events there are. */
  checkEnd(events: number): void {
    const said = this.current.slice(END.length + 1);
    if (said !== `${events}`)
      this.complain(`"${END}" says ${quoted(said)} events; there are ${events}`);
    if (this.at < this.text.length) {
      this.line++;
      this.complain(`something follows "${END}"`);
    }
  }

  complain(what: string): never {
    throw new UserError(`${this.name}: line ${this.line}: ${what}`);
  }
}

function isEnd(line: string): boolean {
  return line.startsWith(`${END} `) || line === END;
}

const count = z.int().nonnegative();

const headerSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  program: z.string(),
  arguments: z.array(z.string()),
  recordedAt: z.string(),
  recordedWith: z.enum(['perf', 'strace']),
  touches: z.enum(['recorded', 'assumed']),
  kernel: z.string(),
  pageSize: z.literal(PAGE_SIZE_BYTES),
  threads: z.int().positive(),
  transparentHugePages: z.string(),
  leftOut: z.object({
    faults: count,
    otherProcesses: count,
    failedCalls: count,
    lost: count,
    advice: z.record(z.string(), count),
  }),
});

function readHeader(reader: Reader): RecordingHeader {
  const line = reader.next();
  let found: unknown;
  try {
    found = JSON.parse(line);
  } catch {
    reader.complain('expected the header of a trace, which is JSON');
  }
  const { format, version } = (found ?? {}) as { format?: unknown; version?: unknown };
  if (format !== FORMAT) reader.complain(`expected the header of a trace, with format "${FORMAT}"`);
  if (version !== VERSION)
    reader.complain(`trace version ${quoted(String(version))}; this program reads ${VERSION}`);
  const parsed = headerSchema.safeParse(found);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    reader.complain(`${issue!.path.join('.') || 'the header'}: ${issue!.message.toLowerCase()}`);
  }
  const { format: _format, version: _version, ...header } = parsed.data!;
  return header;
}

const KINDS = new Map(Object.entries(LETTERS).map(([kind, letter]) => [letter as string, kind]));
const PROTECTIONS = new Map(
  Object.entries(PROTECTION_LETTERS).map(([protection, letter]) => [letter as string, protection]),
);

/** How many words the line of each kind has. */
const WORDS: Readonly<Record<RecordedCall['kind'], number>> = {
  mmap: 5,
  munmap: 4,
  madvise: 5,
  mprotect: 5,
  mremap: 6,
  brk: 4,
  read: 4,
  write: 4,
  opaque: 4,
};

function readEvent(reader: Reader, words: string[]): RecordedEvent {
  if (words[0] === SAMPLE) {
    checkWords(reader, words, 4);
    const [ms, vmpteKiB, rssKiB] = words.slice(1).map((word) => decimal(reader, word));
    return { kind: 'sample', ms: ms!, vmpteKiB: vmpteKiB!, rssKiB: rssKiB! };
  }
  const kind = KINDS.get(words[1] ?? '') as RecordedCall['kind'] | undefined;
  if (kind === undefined) reader.complain(`${quoted(words.join(' '))} is no event`);
  checkWords(reader, words, WORDS[kind]);
  const thread = decimal(reader, words[0]!);
  const page = hexadecimal(reader, words[2]!);
  const pages = hexadecimal(reader, words[3]!);
  const stretch = { thread, page, pages };
  switch (kind) {
    case 'mmap':
    case 'mprotect': {
      const protection = PROTECTIONS.get(words[4]!) as keyof typeof PROTECTION_LETTERS | undefined;
      if (protection === undefined) reader.complain(`${quoted(words[4]!)} is not n, r or w`);
      return { kind, ...stretch, protection };
    }
    case 'madvise': {
      const advice = RECORDED_ADVICE.find((known) => known === words[4]);
      if (advice === undefined) reader.complain(`${quoted(words[4]!)} is no advice of a trace`);
      return { kind, ...stretch, advice };
    }
    case 'mremap': {
      const [to, newPages] = words.slice(4).map((word) => hexadecimal(reader, word));
      return { kind, ...stretch, to: to!, newPages: newPages! };
    }
    default:
      return { kind, ...stretch };
  }
}

/** What cannot have been is a fault of the file. */
function checkCall(
  reader: Reader,
  { threads }: RecordingHeader,
  space: AddressSpace,
  call: RecordedCall,
): void {
  const { kind, thread, page, pages } = call;
  if (thread >= threads)
    reader.complain(`thread ${thread} of ${threads}, which are 0 to ${threads - 1}`);
  if (pages === 0 && kind !== 'brk') reader.complain('an event of no pages');
  if (page + pages > USER_PAGES) reader.complain('pages beyond the end of the address space');
  const isTouch = kind === 'read' || kind === 'write';
  if (isTouch && !isWithinAnonymous(space, page, page + pages))
    reader.complain('pages are touched that are not in anonymous memory');
  if (kind === 'mremap') checkMremap(reader, space, call);
}

function isWithinAnonymous(space: AddressSpace, start: number, end: number): boolean {
  const [first] = space.anonymous(start, end);
  return first?.start === start && first.end === end;
}

function checkMremap(
  reader: Reader,
  space: AddressSpace,
  { page, pages, to, newPages }: RecordedCall & { kind: 'mremap' },
): void {
  if (newPages === 0) reader.complain('a mapping of no pages after mremap');
  if (to + newPages > USER_PAGES) reader.complain('pages beyond the end of the address space');
  if (to !== page && to < page + pages && page < to + newPages)
    reader.complain('mremap to pages that overlap with the old ones');
  if (to === page && newPages > pages && !space.isFree(page + pages, page + newPages))
    reader.complain('mremap grows a mapping into another one');
}

function checkWords(reader: Reader, words: readonly string[], expected: number): void {
  if (words.length !== expected)
    reader.complain(`${quoted(words.join(' '))} has ${words.length} words instead of ${expected}`);
}

function decimal(reader: Reader, word: string): number {
  if (!/^(0|[1-9][0-9]{0,14})$/.test(word)) reader.complain(`${quoted(word)} is no number`);
  return Number(word);
}

function hexadecimal(reader: Reader, word: string): number {
  if (!/^(0|[1-9a-f][0-9a-f]{0,11})$/.test(word))
    reader.complain(`${quoted(word)} is no hexadecimal number`);
  return Number.parseInt(word, 16);
}

/** Characters of what was found that a complaint repeats. */
const FOUND_MAX = 40;

function quoted(found: string): string {
  const printable = found.replaceAll(/[^\x20-\x7e]/g, '?');
  return printable.length <= FOUND_MAX ? `"${printable}"` : `"${printable.slice(0, FOUND_MAX)}..."`;
}
