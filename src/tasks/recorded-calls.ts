/**
 * The calls of one CPU of a recording, read one after another from the text that a plan has of them
 * (`scenario/trace/calls.ts`). What was read is in fields that are used again for each call.
 */
import type { Op, PageSpan } from '#scenario/plan';
import { ADVICE_ORDER, CODE, PROTECTION_ORDER } from '#scenario/trace/calls';

type Changeable<T> = { -readonly [Key in keyof T]: T[Key] };
type Of<Name extends Op['op']> = Changeable<Op & { op: Name }>;

/** Pages that were written lately, as many as are known. */
const WRITTEN_MAX = 64;

export class RecordedCalls {
  /** Number of the call in hand, among those of all CPUs. */
  number = 0;
  /** The CPU whose call is the next one; -1: this CPU, or there is none. */
  handTo = -1;
  /** The call: one of the operations below, which one `code` says (`CODE`, without kinds). */
  code = 0;
  readonly touch: Of<'touch'>;
  readonly mmap: Of<'mmap'>;
  readonly munmap: Of<'munmap'>;
  readonly mprotect: Of<'mprotect'>;
  readonly mremap: Of<'mremap'>;
  readonly dontneed: Of<'dontneed'>;
  readonly madvise: Of<'madvise'>;
  /** Pages of the address space that this CPU wrote lately, and how many there are. */
  readonly written = new Float64Array(WRITTEN_MAX);
  writtenCount = 0;
  private writtenNext = 0;
  private readonly span: Changeable<PageSpan> = { page: 0, pages: 0 };
  private readonly bytes: string;
  private at = 0;
  private upcoming = 0;

  constructor(text: string) {
    this.bytes = atob(text);
    const where = { region: 0, extent: this.span, share: 'all' } as const;
    this.touch = { op: 'touch', access: 'read', pages: 'every', ...where };
    this.mmap = { op: 'mmap', protection: 'none', ...where };
    this.munmap = { op: 'munmap', ...where };
    this.mprotect = { op: 'mprotect', protection: 'none', ...where };
    this.mremap = { op: 'mremap', to: null, newPages: 0, ...where };
    this.dontneed = { op: 'dontneed', ...where };
    this.madvise = { op: 'madvise', advice: 'free', ...where };
    if (this.bytes.length > 0) this.upcoming = this.readNumber();
  }

  /** Reads the next call; false: there is none. */
  readCall(): boolean {
    if (this.at >= this.bytes.length) return false;
    this.number = this.upcoming;
    const code = this.readNumber();
    const folded = this.readNumber();
    const delta = folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
    this.span.page += this.span.pages + delta;
    this.span.pages = this.readNumber();
    this.readKind(code);
    this.handTo = this.readNumber() - 1;
    this.upcoming = this.number + 1 + (this.handTo < 0 ? 0 : this.readNumber());
    return true;
  }

  /** The pages of the call in hand, in the region. */
  pages(): PageSpan {
    return this.span;
  }

  noteWritten(page: number): void {
    this.written[this.writtenNext] = page;
    this.writtenNext = (this.writtenNext + 1) % WRITTEN_MAX;
    this.writtenCount = Math.max(this.writtenCount, this.writtenNext);
  }

  private readKind(code: number): void {
    if (code >= CODE.madvise) {
      this.code = CODE.madvise;
      this.madvise.advice = ADVICE_ORDER[code - CODE.madvise]!;
    } else if (code >= CODE.mprotect) {
      this.code = CODE.mprotect;
      this.mprotect.protection = PROTECTION_ORDER[code - CODE.mprotect]!;
    } else if (code >= CODE.mmap) {
      this.code = CODE.mmap;
      this.mmap.protection = PROTECTION_ORDER[code - CODE.mmap]!;
    } else {
      this.code = code;
      this.touch.access = code === CODE.write ? 'write' : 'read';
      if (code !== CODE.mremap) return;
      const to = this.readNumber();
      this.mremap.to = to === 0 ? null : to - 1;
      this.mremap.newPages = this.readNumber();
    }
  }

  private readNumber(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.bytes.charCodeAt(this.at++);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }
}
