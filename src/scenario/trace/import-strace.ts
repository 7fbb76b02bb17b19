/**
 * What `strace -f -ttt -o FILE` writes of memory calls becomes a recording. Only the program that
 * was run first is followed; touches are not to be seen.
 */
import { UserError } from '#base/user-error';
import type { RecordingBuilder } from './builder.ts';
import {
  ADVICE_NAMES,
  BITS,
  isCallName,
  type SystemCall,
  takesEffectAtReturn,
} from './system-call.ts';

const LINE = /^(?:\[pid\s+(\d+)\]\s+|(\d+)\s+)?(\d+\.\d+)\s+(\S.*)$/;
const UNFINISHED = /\s*<unfinished \.\.\.>$/;
const RESUMED = /^<\.\.\. (\w+) resumed>\s?/;
const CALL = /^(\w+)\((.*)\)\s+= (\?|0x[0-9a-f]+|-?\d+)(?: (E[A-Z]+))?/;

/** Without -o, strace writes a number only while there are several threads. */
const UNNUMBERED = 0;

/** A call that has returned, in the thread `pid`. */
interface Entry {
  readonly pid: number;
  readonly seconds: number;
  readonly name: string;
  readonly text: string;
  readonly result: string;
  readonly error: string | null;
  /** Number of the line at which it takes effect. */
  readonly at: number;
}

/** Whether a line looks like those of strace -ttt. */
export function isStraceLine(line: string): boolean {
  return LINE.test(line);
}

/** The program's name, or null: no line says it. Throws a `UserError` with a line's number. */
export function importStrace(
  lines: Iterable<string>,
  name: string,
  builder: RecordingBuilder,
): string | null {
  const { entries, first } = entriesOf(lines, name);
  if (first === null) throw new UserError(`${name}: line 1: no call of strace -ttt is in here`);
  const threads = threadsOf(entries, first);
  let program: string | null = null;
  for (const { pid, seconds, name: word, text, result, error } of entries) {
    if (!threads.has(pid)) {
      if (isCallName(word)) builder.ofOtherProcess();
    } else if (word === 'execve' && error === null) {
      builder.executed();
      program = /^"([^"]*)"/.exec(text)?.[1]?.replace(/^.*\//, '') ?? program;
    } else if (isCallName(word)) {
      builder.call(pid, seconds, { ...callOf(word, text), result: Number(result), error });
    }
  }
  return program;
}

/** In the order of their effect; `first`: the thread that the first line is of. */
function entriesOf(
  lines: Iterable<string>,
  name: string,
): { entries: Entry[]; first: number | null } {
  const entries: Entry[] = [];
  const open = new Map<number, { text: string; seconds: number; at: number }>();
  let first: number | null = null;
  let number = 0;
  for (const line of lines) {
    number++;
    if (/^\s*$/.test(line) || /^strace: /.test(line)) continue;
    const found = LINE.exec(line);
    // What has a number only now and then cannot be told apart.
    if (found === null || (found[1] !== undefined && first === UNNUMBERED))
      throw new UserError(
        `${name}: line ${number}: not "PID TIME CALL(...) = ..."; give -f -ttt -o FILE`,
      );
    const pid: number = Number(found[1] ?? found[2] ?? first ?? UNNUMBERED);
    first ??= pid;
    const seconds = Number(found[3]);
    const said = found[4]!;
    if (UNFINISHED.test(said)) {
      open.set(pid, { text: said.replace(UNFINISHED, ''), seconds, at: number });
      continue;
    }
    const begun = RESUMED.test(said) ? open.get(pid) : undefined;
    const text = begun === undefined ? said : begun.text + said.replace(RESUMED, '');
    const call = CALL.exec(text);
    if (call === null) continue;
    const [, word, args, result] = call;
    const error = call[4] ?? (result!.startsWith('-') ? 'unknown' : null);
    // One that never returned has done nothing that is known.
    if (result === '?' && error === null) continue;
    const isLate = begun === undefined || (isCallName(word!) && takesEffectAtReturn(word!));
    const when = isLate ? { seconds, at: number } : { seconds: begun.seconds, at: begun.at };
    entries.push({ pid, ...when, name: word!, text: args!, result: result!, error });
  }
  return { entries: entries.sort((a, b) => a.at - b.at), first };
}

/** The threads of the process that `first` is of. */
function threadsOf(entries: readonly Entry[], first: number): Set<number> {
  const threads = new Set([first]);
  const children = entries.filter(
    ({ name, text, error }) =>
      /^(clone|clone3)$/.test(name) && error === null && text.includes('CLONE_THREAD'),
  );
  for (let before = 0; before < threads.size; ) {
    before = threads.size;
    for (const { pid, result } of children) if (threads.has(pid)) threads.add(Number(result));
  }
  return threads;
}

function callOf(
  name: SystemCall['name'],
  text: string,
): Pick<SystemCall, 'name' | 'words' | 'advice' | 'ranges'> {
  if (name === 'process_madvise') return { name, words: [], ...adviceForMany(text) };
  const parts = text.split(/, /);
  const words = parts.map(numberOf);
  if (name !== 'madvise') return { name, words };
  const [start = 0, bytes = 0] = words;
  return { name, words, advice: adviceName(parts[2] ?? ''), ranges: [{ start, bytes }] };
}

/** What can be said of another process is of this one only where no other is named. */
function adviceForMany(text: string): Pick<SystemCall, 'advice' | 'ranges'> {
  const advice = adviceName(/\], \d+, ([^,]+),/.exec(text)?.[1] ?? '');
  const isOwn = advice === 'dontneed' || advice === 'free' || text.startsWith('PIDFD_SELF');
  if (!isOwn) return { advice };
  const ranges = [...text.matchAll(/iov_base=(0x[0-9a-f]+), iov_len=(\d+)/g)];
  return {
    advice,
    ranges: ranges.map(([, start, bytes]) => ({ start: Number(start), bytes: Number(bytes) })),
  };
}

/** `MADV_DONTNEED`, or `0x66 /* MADV_??? *\/` of what this strace does not know. */
function adviceName(word: string): string {
  const number = /^(0x[0-9a-f]+|\d+)/.exec(word)?.[1];
  if (number !== undefined) return ADVICE_NAMES[Number(number)] ?? number;
  return word
    .replace(/^MADV_/, '')
    .toLowerCase()
    .replaceAll('_', '-');
}

/** A number, or the names of bits. */
function numberOf(word: string): number {
  if (/^(-?\d+|0x[0-9a-f]+)$/.test(word)) return Number(word);
  let bits = 0;
  for (const name of word.split('|')) bits |= BITS[name as keyof typeof BITS] ?? 0;
  return bits;
}
