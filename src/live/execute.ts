/**
 * Operations of a linear plan as system calls and accesses of the live kernel. Accesses are the
 * kernel's own, of the pages that read(2) from /dev/zero writes and pwrite(2) to a file reads: they
 * fault as those of a program do, but where one is refused the call says so.
 */
import { closeSync, openSync } from 'node:fs';
import { PAGE_SIZE_BYTES } from '#base/units';
import type { Advice, Op, PageSpan } from '#scenario/plan';
import type { Layout } from './messages.ts';
import { PROTECTION, type Syscalls } from './syscalls.ts';

const MADV_DONTNEED = 4;
/** Advice by Linux's numbers; what is not here has no counterpart, or none that can be compared. */
const MADV: Partial<Readonly<Record<Advice, number>>> = {
  free: 8,
  cold: 20,
  'populate-read': 22,
  'populate-write': 23,
  willneed: 3,
  'guard-install': 102,
  'guard-remove': 103,
};

/** Pages that one call accesses. */
const ACCESS_PAGES_MAX = 1000;

/** Whether the live kernel can be asked to do `op` so that the outcome can be compared. */
export function isExecutable(op: Op): boolean {
  if (op.op === 'madvise') return MADV[op.advice] !== undefined;
  return EXECUTED.has(op.op);
}

const EXECUTED: ReadonlySet<Op['op']> = new Set([
  'mmap',
  'munmap',
  'mprotect',
  'mremap',
  'brk',
  'touch',
  'dontneed',
  'madvise',
]);

export class Executor {
  /** Pages whose access was refused. */
  refused = 0;
  /** Pages of the heap, of which a process has one. */
  heapPages: number;
  private readonly calls: Syscalls;
  private readonly zero = openSync('/dev/zero', 'r');
  /** Where pages go that are read; a file, which has no page tables. */
  private readonly sink: number;
  /** Address of page 0 of the plan's address space. */
  private readonly base: number;
  private readonly starts: readonly number[];
  private readonly pages: readonly number[];
  private readonly noReserve: readonly boolean[];

  constructor(calls: Syscalls, base: number, { starts, pages, noReserve }: Layout, heapPages = 0) {
    this.calls = calls;
    this.heapPages = heapPages;
    this.sink = calls.memoryFile();
    this.base = base;
    this.starts = starts;
    this.pages = pages;
    this.noReserve = noReserve;
  }

  close(): void {
    closeSync(this.zero);
    closeSync(this.sink);
  }

  execute(op: Op): void {
    const { calls } = this;
    switch (op.op) {
      case 'mmap':
        calls.mmap(...this.range(op), PROTECTION[op.protection], this.noReserve[op.region]!);
        break;
      case 'munmap':
        calls.munmap(...this.range(op));
        break;
      case 'mprotect':
        calls.mprotect(...this.range(op), PROTECTION[op.protection]);
        break;
      case 'mremap': {
        const to = op.to === null ? 0 : this.addressOf(op.region, op.to);
        const [address, length] = this.range(op);
        calls.mremap(address, length, op.newPages * PAGE_SIZE_BYTES, to);
        break;
      }
      case 'brk':
        this.setBreak(op.region, op.pages);
        break;
      case 'touch':
        this.touch(...this.range(op), op.access === 'write');
        break;
      case 'dontneed':
        calls.madvise(...this.range(op), MADV_DONTNEED);
        break;
      case 'madvise':
        calls.madvise(...this.range(op), MADV[op.advice]!);
        break;
      default:
        throw new Error(`the live kernel is not asked to do "${op.op}"`);
    }
  }

  /**
   * The break of the plan's own heap: that of this process is the C library's. As brk does, it
   * leaves everything as it is where something else is mapped in what is added, or in the page
   * after, and where nothing is in what goes.
   */
  private setBreak(region: number, pages: number): void {
    const { calls } = this;
    const before = this.heapPages;
    const low = this.addressOf(region, Math.min(before, pages));
    const length = Math.abs(pages - before) * PAGE_SIZE_BYTES;
    if (pages > before) {
      if (!calls.isFree(low, length + PAGE_SIZE_BYTES)) return;
      calls.mmap(low, length, PROTECTION.write, this.noReserve[region]!);
    } else if (pages < before) {
      if (calls.isFree(low, length)) return;
      calls.munmap(low, length);
    }
    this.heapPages = pages;
  }

  /** Each page of the range; one that is refused is counted, and passed over. */
  private touch(address: number, length: number, write: boolean): void {
    const { calls, zero, sink } = this;
    const end = address + length;
    for (let at = address; at < end; ) {
      const bytes = Math.min(end - at, ACCESS_PAGES_MAX * PAGE_SIZE_BYTES);
      const done = write ? calls.read(zero, at, bytes) : calls.write(sink, at, bytes);
      if (done === bytes) at += bytes;
      else {
        this.refused++;
        at += (Math.floor(Math.max(0, done) / PAGE_SIZE_BYTES) + 1) * PAGE_SIZE_BYTES;
      }
    }
  }

  private range(where: { region: number; extent: unknown }): [address: number, length: number] {
    const { region, extent } = where;
    if (extent === 'whole')
      return [this.addressOf(region, 0), this.pages[region]! * PAGE_SIZE_BYTES];
    const { page, pages } = extent as PageSpan;
    return [this.addressOf(region, page), pages * PAGE_SIZE_BYTES];
  }

  private addressOf(region: number, page: number): number {
    return this.base + (this.starts[region]! + page) * PAGE_SIZE_BYTES;
  }
}
