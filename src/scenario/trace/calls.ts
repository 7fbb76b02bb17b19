/**
 * The operations of a recording as one text for each CPU, small enough for a plan: the base64 of a
 * row of numbers, each of which is written seven bits to a byte, the lowest first. The row begins
 * with the number that the CPU's first call has among those of all CPUs. Then for each call:
 *
 *     code                        of the call and its kind (CODE)
 *     first page                  less the page after the call before, and folded: 0, -1, 1, -2
 *     pages
 *     to, new pages               of mremap only; `to` is one more than the page, 0: in place
 *     CPU of the next call        one more than its number; 0: this CPU, or nobody has another
 *     calls of others after this  where another CPU is next; 0: this CPU has no further one
 */
import { UserError } from '#base/user-error';
import type { Op, PageSpan } from '../plan.ts';
import type { TracedOp } from './operations.ts';
import { RECORDED_ADVICE } from './recording.ts';

/** Those with kinds are followed by a code for each: protections, and advice. */
export const CODE = {
  read: 0,
  write: 1,
  munmap: 2,
  mremap: 3,
  dontneed: 4,
  mmap: 5,
  mprotect: 8,
  madvise: 11,
} as const;
export const PROTECTION_ORDER = ['none', 'read', 'write'] as const;
export const ADVICE_ORDER = RECORDED_ADVICE.filter((advice) => advice !== 'dontneed');

/** A text for each of `cpus` CPUs; thread t is on CPU t mod `cpus`. */
export function encodeCalls(ops: readonly TracedOp[], cpus: number): string[] {
  const rows = Array.from({ length: cpus }, () => new Row());
  // The number of the CPU's next call, for each position; found from behind.
  const followers = new Int32Array(ops.length);
  const next = new Int32Array(cpus).fill(-1);
  for (let i = ops.length - 1; i >= 0; i--) {
    const cpu = ops[i]!.thread % cpus;
    followers[i] = next[cpu]!;
    next[cpu] = i;
  }
  for (const [cpu, row] of rows.entries()) if (next[cpu]! >= 0) row.number(next[cpu]!);
  for (const [i, { thread, op }] of ops.entries()) {
    const cpu = thread % cpus;
    const row = rows[cpu]!;
    row.call(op);
    const other = i + 1 < ops.length ? ops[i + 1]!.thread % cpus : cpu;
    row.number(other === cpu ? 0 : other + 1);
    if (other !== cpu) row.number(followers[i]! < 0 ? 0 : followers[i]! - i - 1);
  }
  return rows.map((row) => row.text());
}

class Row {
  private bytes: number[] = [];
  private after = 0;

  call(op: Op): void {
    const { page, pages } = spanOf(op);
    this.number(codeOf(op));
    const delta = page - this.after;
    this.number(delta >= 0 ? 2 * delta : -2 * delta - 1);
    this.number(pages);
    if (op.op === 'mremap') {
      this.number(op.to === null ? 0 : op.to + 1);
      this.number(op.newPages);
    }
    this.after = page + pages;
  }

  /** A whole number, not negative; too large for shifts. */
  number(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.bytes.push((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.bytes.push(rest);
  }

  text(): string {
    const pieces: string[] = [];
    for (let at = 0; at < this.bytes.length; at += PIECE_BYTES)
      pieces.push(String.fromCharCode(...this.bytes.slice(at, at + PIECE_BYTES)));
    return btoa(pieces.join(''));
  }
}

/** As many arguments as any call may have. */
const PIECE_BYTES = 2 ** 14;

function spanOf(op: Op): PageSpan {
  if ('extent' in op && typeof op.extent === 'object') return op.extent;
  throw new UserError(`"${op.op}" is no operation of a recording`);
}

function codeOf(op: Op): number {
  switch (op.op) {
    case 'touch':
      return CODE[op.access];
    case 'munmap':
    case 'mremap':
    case 'dontneed':
      return CODE[op.op];
    case 'mmap':
    case 'mprotect':
      return CODE[op.op] + PROTECTION_ORDER.indexOf(op.protection);
    case 'madvise':
      return CODE.madvise + (ADVICE_ORDER as readonly string[]).indexOf(op.advice);
    default:
      throw new UserError(`"${op.op}" is no operation of a recording`);
  }
}
