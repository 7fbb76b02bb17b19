/**
 * Builds a recording from what importers read: keeps track of what is mapped, so that faults in
 * anonymous memory are told from others, and makes one event of touches that follow each other.
 */

import { PAGE_SIZE_BYTES } from '#base/units';
import type { Protection } from '../plan.ts';
import { AddressSpace, type Stretch } from './address-space.ts';
import {
  type LeftOut,
  type Pages,
  RECORDED_ADVICE,
  type RecordedAdvice,
  type RecordedCall,
  type RecordedEvent,
  type Recording,
  type RecordingHeader,
} from './recording.ts';
import { BITS, hasDoneNothing, type SystemCall } from './system-call.ts';

/** Addresses of the user's half. */
const USER_BYTES = 2 ** 47;

/** A sample as it was taken, at `seconds` of the clock that the events have. */
export interface TimedSample {
  readonly seconds: number;
  readonly vmpteKiB: number;
  readonly rssKiB: number;
}

type Touch = { -readonly [Key in keyof RecordedCall]: RecordedCall[Key] };

export class RecordingBuilder {
  private readonly assumesTouches: boolean;
  private readonly samples: readonly TimedSample[];
  private nextSample = 0;
  private events: RecordedEvent[] = [];
  private threads = new Map<number, number>();
  private space = new AddressSpace();
  /** The latest run of touches of each thread, while it can grow. */
  private readonly runs = new Map<number, Touch>();
  /** Calls of mremap that have begun, and whose new place is not free yet, by thread. */
  private readonly waiting = new Map<number, SystemCall>();
  private began: number | null = null;
  private leftOut: LeftOut = NOTHING;

  /** `samples` in ascending order of time. */
  constructor(assumesTouches: boolean, samples: readonly TimedSample[]) {
    this.assumesTouches = assumesTouches;
    this.samples = samples;
  }

  /** The program has replaced itself by another: what was before is none of its memory. */
  executed(): void {
    this.events = [];
    this.threads = new Map();
    this.space = new AddressSpace();
    this.runs.clear();
    this.waiting.clear();
    this.began = null;
    this.leftOut = { ...NOTHING, otherProcesses: this.leftOut.otherProcesses };
  }

  call(tid: number, seconds: number, call: SystemCall): void {
    this.at(seconds);
    if (hasDoneNothing(call)) {
      this.note('failedCalls');
      return;
    }
    const thread = this.threadOf(tid);
    this.endWait(thread);
    if (call.name === 'mmap') this.mmap(thread, call);
    else if (call.name === 'mremap') this.beginMremap(thread, call);
    else if (call.name === 'brk') this.brk(thread, call.result);
    else if (call.name === 'mprotect') this.mprotect(thread, call);
    else if (call.name === 'munmap') this.push({ kind: 'munmap', thread, ...pagesOf(call.words) });
    else this.advise(thread, call);
  }

  fault(tid: number, seconds: number, address: number, isWrite: boolean): void {
    this.at(seconds);
    const page = Math.floor(address / PAGE_SIZE_BYTES);
    if (address >= USER_BYTES || !this.space.isAnonymous(page)) {
      this.note('faults');
      return;
    }
    const thread = this.threadOf(tid);
    this.endWait(thread);
    const run = this.runs.get(thread);
    const kind = isWrite ? 'write' : 'read';
    if (run !== undefined && run.kind === kind && run.page + run.pages === page) {
      run.pages++;
      return;
    }
    const touch: Touch = { kind, thread, page, pages: 1 };
    this.events.push(touch as RecordedCall);
    this.runs.set(thread, touch);
  }

  /**
   * What is mapped without a call: by the kernel, when the program begins. What is in the kernel's
   * half is nobody's own.
   */
  opaque(tid: number, seconds: number, start: number, bytes: number): void {
    this.at(seconds);
    if (start >= USER_BYTES) return;
    this.putOpaque(this.threadOf(tid), pagesOf([start, bytes]));
  }

  ofOtherProcess(): void {
    this.note('otherProcesses');
  }

  lost(events: number): void {
    this.leftOut = { ...this.leftOut, lost: this.leftOut.lost + events };
  }

  finish(header: Omit<RecordingHeader, 'threads' | 'leftOut'>): Recording {
    for (const thread of this.waiting.keys()) this.endWait(thread);
    this.at(Number.POSITIVE_INFINITY);
    const threads = Math.max(1, this.threads.size);
    return { header: { ...header, threads, leftOut: this.leftOut }, events: this.events };
  }

  private mmap(thread: number, { words, result }: SystemCall): void {
    const [, bytes = 0, protection = 0, flags = 0] = words;
    const where = pagesOf([result, bytes]);
    const isPrivate = (flags & BITS.MAP_SHARED_VALIDATE) === BITS.MAP_PRIVATE;
    const isOther = (flags & (BITS.MAP_HUGETLB | BITS.MAP_GROWSDOWN)) !== 0;
    if (!isPrivate || isOther || (flags & BITS.MAP_ANONYMOUS) === 0) {
      this.putOpaque(thread, where);
      return;
    }
    const allowed = protectionOf(protection);
    this.push({ kind: 'mmap', thread, ...where, protection: allowed });
    // Pages that the kernel fills by itself are touched without a fault.
    const isFilled = (flags & (BITS.MAP_POPULATE | BITS.MAP_LOCKED)) !== 0;
    if (allowed === 'write' && (isFilled || this.assumesTouches))
      this.push({ kind: 'write', thread, ...where });
  }

  /**
   * Another thread may be about to unmap what is in its way: then this call waits for that one, and
   * has its effect afterwards, at the latest when its thread goes on.
   */
  private beginMremap(thread: number, call: SystemCall): void {
    if (this.inTheWay(call).length > 0) this.waiting.set(thread, call);
    else this.mremap(thread, call);
  }

  private endWait(thread: number): void {
    const call = this.waiting.get(thread);
    if (call === undefined) return;
    this.waiting.delete(thread);
    // It has gone, though no event said so.
    for (const { start, end } of this.inTheWay(call))
      this.push({ kind: 'munmap', thread, page: start, pages: end - start });
    this.mremap(thread, call);
  }

  /** What is mapped at the new place, beyond the old one, where it is not to be replaced. */
  private inTheWay({ words, result }: SystemCall): readonly Stretch[] {
    const [start = 0, oldBytes = 0, newBytes = 0, flags = 0] = words;
    if ((flags & BITS.MREMAP_FIXED) !== 0) return [];
    const { page: to, pages } = pagesOf([result, newBytes]);
    const from = start === result ? to + pagesOf([start, oldBytes]).pages : to;
    return from < to + pages ? this.space.within(from, to + pages) : [];
  }

  private mremap(thread: number, { words, result }: SystemCall): void {
    const [start = 0, oldBytes = 0, newBytes = 0, flags = 0] = words;
    const { page, pages } = pagesOf([start, oldBytes]);
    const { page: to, pages: newPages } = pagesOf([result, newBytes]);
    if (pages === 0) {
      // Only of shared memory is there a second mapping to be had like this.
      this.putOpaque(thread, { page: to, pages: newPages });
      return;
    }
    const [first] = this.space.within(page, page + pages);
    this.push({ kind: 'mremap', thread, page, pages, to, newPages });
    const content = first?.content ?? 'opaque';
    if ((flags & BITS.MREMAP_DONTUNMAP) !== 0 && content !== 'opaque')
      this.push({ kind: 'mmap', thread, page, pages, protection: content });
    if (this.assumesTouches && content === 'write' && newPages > pages)
      this.push({ kind: 'write', thread, page: to + pages, pages: newPages - pages });
  }

  /** The first call says where the heap begins. */
  private brk(thread: number, end: number): void {
    const endPage = Math.ceil(end / PAGE_SIZE_BYTES);
    const heap = this.space.heapPages() ?? { page: endPage, pages: 0 };
    if (endPage < heap.page) return;
    const pages = endPage - heap.page;
    if (pages === heap.pages && this.space.heapPages() !== null) return;
    this.push({ kind: 'brk', thread, page: heap.page, pages });
    const fresh = { page: heap.page + heap.pages, pages: pages - heap.pages };
    if (this.assumesTouches && fresh.pages > 0) this.push({ kind: 'write', thread, ...fresh });
  }

  private mprotect(thread: number, { words }: SystemCall): void {
    const where = pagesOf(words);
    const protection = protectionOf(words[2] ?? 0);
    const before = this.space.within(where.page, where.page + where.pages);
    const anonymous = before.filter(({ content }) => content !== 'opaque');
    if (anonymous.length === 0) return;
    this.push({ kind: 'mprotect', thread, ...where, protection });
    if (!this.assumesTouches || protection !== 'write') return;
    for (const { start, end, content } of anonymous)
      if (content !== 'write')
        this.push({ kind: 'write', thread, page: start, pages: end - start });
  }

  private advise(thread: number, { name, advice = name, ranges = [] }: SystemCall): void {
    const known = RECORDED_ADVICE.find((each) => each === advice);
    if (known === undefined || ranges.length === 0) {
      const named = known === undefined ? advice : `${name} ${advice}`;
      const before = this.leftOut.advice;
      const counted = { ...before, [named]: (before[named] ?? 0) + 1 };
      this.leftOut = { ...this.leftOut, advice: counted };
      return;
    }
    for (const { start, bytes } of ranges) this.adviseOne(thread, known, start, bytes);
  }

  private adviseOne(thread: number, advice: RecordedAdvice, start: number, bytes: number): void {
    const where = pagesOf([start, bytes]);
    if (this.space.anonymous(where.page, where.page + where.pages).length === 0) return;
    this.push({ kind: 'madvise', thread, ...where, advice });
  }

  private putOpaque(thread: number, where: Pages): void {
    if (this.space.isOpaque(where.page, where.page + where.pages)) return;
    this.push({ kind: 'opaque', thread, ...where });
  }

  private push(call: RecordedCall): void {
    if (call.pages === 0 && call.kind !== 'brk') return;
    this.runs.clear();
    this.events.push(call);
    this.space.apply(call);
    for (const [thread, waiting] of this.waiting) {
      if (this.inTheWay(waiting).length > 0) continue;
      this.waiting.delete(thread);
      this.mremap(thread, waiting);
    }
  }

  /** Puts in the samples that were taken before `seconds`, from the first event on. */
  private at(seconds: number): void {
    const { samples } = this;
    if (this.began === null) {
      this.began = seconds;
      while ((samples[this.nextSample]?.seconds ?? seconds) < seconds) this.nextSample++;
    }
    for (; this.nextSample < samples.length; this.nextSample++) {
      const sample = samples[this.nextSample]!;
      if (sample.seconds >= seconds) return;
      const { vmpteKiB, rssKiB } = sample;
      this.runs.clear();
      const ms = Math.round((sample.seconds - this.began) * 1000);
      this.events.push({ kind: 'sample', ms, vmpteKiB, rssKiB });
    }
  }

  private threadOf(tid: number): number {
    const known = this.threads.get(tid);
    if (known !== undefined) return known;
    const thread = this.threads.size;
    this.threads.set(tid, thread);
    return thread;
  }

  private note(what: 'faults' | 'otherProcesses' | 'failedCalls'): void {
    this.leftOut = { ...this.leftOut, [what]: this.leftOut[what] + 1 };
  }
}

const NOTHING: LeftOut = { faults: 0, otherProcesses: 0, failedCalls: 0, lost: 0, advice: {} };

/** The pages of `bytes` bytes from an address on. */
function pagesOf([start = 0, bytes = 0]: readonly number[]): Pages {
  return { page: Math.floor(start / PAGE_SIZE_BYTES), pages: Math.ceil(bytes / PAGE_SIZE_BYTES) };
}

/** Nothing can be written without being read. */
function protectionOf(bits: number): Protection {
  if ((bits & BITS.PROT_WRITE) !== 0) return 'write';
  return (bits & (BITS.PROT_READ | BITS.PROT_EXEC)) !== 0 ? 'read' : 'none';
}
