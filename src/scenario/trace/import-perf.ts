/**
 * What `perf script -F pid,tid,time,event,addr,trace --show-task-events` prints of system calls and
 * page faults becomes a recording. Only the program that was run first is followed.
 */
import { UserError } from '#base/user-error';
import type { RecordingBuilder } from './builder.ts';
import {
  ADVICE_NAMES,
  type CallName,
  isCallName,
  type SystemCall,
  takesEffectAtReturn,
} from './system-call.ts';

/** Bit of a page fault's error code: it was a write. */
const WRITE = 2;

/** What perf calls the faults it counts itself; how they came about is not known. */
const SOFTWARE_FAULT = /^(page-faults|minor-faults|major-faults|faults)$/;
const LINE = /^\s*(-?\d+)\/(-?\d+)\s+(\d+\.\d+):\s+(?:\d+\s+)?(\S+?):?(?:\s+(.*))?$/;
/** What a call has returned. */
const RESULT = /^(-?\d+|0x[0-9a-f]+)\s*$/;
/** A line of a call chain, of a comment, of nothing. */
const PASSED_OVER = /^(\s+[0-9a-f]+ .*|#.*|\s*)$/;

interface Entry {
  readonly pid: number;
  readonly tid: number;
  readonly seconds: number;
  readonly event: string;
  readonly rest: string;
  /** Of an entry or a return: the call, if it has returned. */
  call?: SystemCall;
}

/** Whether a line looks like those of perf script. */
export function isPerfLine(line: string): boolean {
  return LINE.test(line);
}

/** The program's name, or null: no line says it. Throws a `UserError` with a line's number. */
export function importPerf(
  lines: Iterable<string>,
  name: string,
  builder: RecordingBuilder,
): string | null {
  const entries = entriesOf(lines, name);
  const program = programOf(entries);
  if (program === null) throw new UserError(`${name}: line 1: no event of perf script is in here`);
  pairCalls(entries);
  for (const entry of entries) {
    const lost = /^PERF_RECORD_LOST/.test(entry.event) ? entry.rest.match(/lost (\d+)/) : null;
    if (lost) builder.lost(Number(lost[1]));
    else if (entry.pid === program.pid) follow(builder, entry, program.pid);
    else if (/^(exceptions|syscalls):/.test(entry.event) || SOFTWARE_FAULT.test(entry.event))
      builder.ofOtherProcess();
  }
  return program.name;
}

function entriesOf(lines: Iterable<string>, name: string): Entry[] {
  const entries: Entry[] = [];
  let number = 0;
  for (const line of lines) {
    number++;
    const [found, pid, tid, seconds, event = '', rest = ''] = LINE.exec(line) ?? [];
    const isCutOff = event.startsWith('syscalls:sys_exit_') && !RESULT.test(rest);
    if (found !== undefined && !isCutOff) {
      const whole = { pid: Number(pid), tid: Number(tid), seconds: Number(seconds) };
      entries.push({ ...whole, event, rest });
    } else if (!PASSED_OVER.test(line)) {
      throw new UserError(
        `${name}: line ${number}: not "PID/TID TIME: EVENT: ..."; ` +
          'let perf script print -F pid,tid,time,event,addr,trace',
      );
    }
  }
  return entries;
}

/** Who was executed first, or else had the first event. */
function programOf(entries: readonly Entry[]): { pid: number; name: string | null } | null {
  const executed = entries.find(isExec);
  if (executed !== undefined) {
    const name = /exec: (.*):-?\d+\/-?\d+$/.exec(`${executed.event} ${executed.rest}`)?.[1];
    const [last] = entries.filter((each) => isExec(each) && each.pid === executed.pid).slice(-1);
    const latest = /exec: (.*):-?\d+\/-?\d+$/.exec(`${last!.event} ${last!.rest}`)?.[1];
    return { pid: executed.pid, name: latest ?? name ?? null };
  }
  const first = entries.find(({ pid }) => pid > 0);
  return first === undefined ? null : { pid: first.pid, name: null };
}

function isExec({ event, rest }: Entry): boolean {
  return event === 'PERF_RECORD_COMM' && rest.startsWith('exec:');
}

/** Puts each call where it takes effect; one that never returned has done nothing that is known. */
function pairCalls(entries: readonly Entry[]): void {
  const open = new Map<number, Entry>();
  for (const entry of entries) {
    const [, side, name] = /^syscalls:sys_(enter|exit)_(\w+)$/.exec(entry.event) ?? [];
    if (name === undefined || !isCallName(name)) continue;
    if (side === 'enter') {
      open.set(entry.tid, entry);
      continue;
    }
    const entered = open.get(entry.tid);
    open.delete(entry.tid);
    if (entered === undefined || !entered.event.endsWith(`_${name}`)) continue;
    const call = callOf(name, entered.rest, entry.rest);
    if (takesEffectAtReturn(name)) entry.call = call;
    else entered.call = call;
  }
}

function callOf(name: CallName, entered: string, returned: string): SystemCall {
  const words = [...entered.matchAll(/\w+: (0x[0-9a-f]+|\d+)/g)].map(([, word]) => Number(word));
  const signed = BigInt.asIntN(64, BigInt(returned.trim()));
  const error = signed < 0 && signed > -4096 ? (ERRORS[Number(-signed)] ?? `${-signed}`) : null;
  const call = { name, words, result: Number(signed), error };
  if (name === 'madvise') {
    const [start = 0, bytes = 0, advice = 0] = words;
    return { ...call, advice: ADVICE_NAMES[advice] ?? `${advice}`, ranges: [{ start, bytes }] };
  }
  // Which ranges is in the program's memory, which perf does not see.
  if (name === 'process_madvise')
    return { ...call, advice: ADVICE_NAMES[words[3] ?? 0] ?? `${words[3]}` };
  return call;
}

/** Of the numbers, the one that matters has its name. */
const ERRORS: Readonly<Record<number, string>> = { 12: 'ENOMEM' };

function follow(builder: RecordingBuilder, entry: Entry, pid: number): void {
  const { tid, seconds, event, rest, call } = entry;
  if (isExec(entry)) builder.executed();
  else if (call !== undefined) builder.call(tid, seconds, call);
  else if (event === 'PERF_RECORD_MMAP2' || event === 'PERF_RECORD_MMAP')
    mapped(builder, entry, pid);
  else if (event.startsWith('exceptions:page_fault_')) {
    const [, address, code] = /address=0x([0-9a-f]+).*error_code=0x([0-9a-f]+)/.exec(rest) ?? [];
    if (address === undefined || code === undefined) return;
    const isWrite = (Number.parseInt(code, 16) & WRITE) !== 0;
    builder.fault(tid, seconds, Number.parseInt(address, 16), isWrite);
  } else if (SOFTWARE_FAULT.test(event)) {
    builder.fault(tid, seconds, Number.parseInt(rest, 16), true);
  }
}

/** Files, and the stack, that the kernel mapped; anonymous memory has no name of its own. */
function mapped(builder: RecordingBuilder, { tid, seconds, rest }: Entry, pid: number): void {
  const found = /^(-?\d+)\/-?\d+: \[0x([0-9a-f]+)\(0x([0-9a-f]+)\) .*\]: \S+ (.*)$/.exec(rest);
  if (found === null || Number(found[1]) !== pid) return;
  const [, , start, bytes, file] = found;
  if (/^(\/\/anon|\[heap\]|anon_inode)/.test(file!)) return;
  builder.opaque(tid, seconds, Number.parseInt(start!, 16), Number.parseInt(bytes!, 16));
}
