/** For tests: recordings that could have been, drawn or made up. */
import fc from 'fast-check';
import { PAGE_SIZE_BYTES } from '#base/units';
import { AddressSpace } from './address-space.ts';
import {
  type Pages,
  RECORDED_ADVICE,
  type RecordedCall,
  type RecordedEvent,
  type Recording,
  type RecordingHeader,
} from './recording.ts';

export const HEADER: RecordingHeader = {
  program: 'refill',
  arguments: ['4', '--name=<two words>'],
  recordedAt: '2026-11-21T12:00:00.000Z',
  recordedWith: 'perf',
  touches: 'recorded',
  kernel: '6.18.0',
  pageSize: PAGE_SIZE_BYTES,
  threads: 4,
  transparentHugePages: 'madvise',
  leftOut: { faults: 3, otherProcesses: 0, failedCalls: 1, lost: 0, advice: { hugepage: 2 } },
};

/** Where memory begins: a heap; mappings; and a little below a multiple of 512 GiB. */
const BASES = [0x55a8be000, 0x7fe100000, 2 ** 27 * 200 - 600];
const ROOM = 1200;

const drawn = fc.record({
  kind: fc.constantFrom(
    ...(['mmap', 'munmap', 'madvise', 'mprotect', 'mremap', 'brk'] as const),
    ...(['read', 'write', 'write', 'write', 'opaque', 'sample'] as const),
  ),
  thread: fc.nat(3),
  base: fc.constantFrom(...BASES),
  page: fc.nat(ROOM),
  pages: fc.integer({ min: 1, max: 600 }),
  to: fc.nat(ROOM),
  newPages: fc.integer({ min: 1, max: 600 }),
  protection: fc.constantFrom('none', 'read', 'write', 'write'),
  advice: fc.constantFrom(...RECORDED_ADVICE),
});
type Drawn = typeof drawn extends fc.Arbitrary<infer T> ? T : never;

/** Recordings of `events` events at most; touches are where there is something to touch. */
export function recordings(events: number): fc.Arbitrary<Recording> {
  return fc.array(drawn, { maxLength: events }).map((draws) => recordingOf(draws));
}

function recordingOf(draws: readonly Drawn[]): Recording {
  const space = new AddressSpace();
  const events: RecordedEvent[] = [];
  for (const [i, draw] of draws.entries()) {
    if (draw.kind === 'sample') {
      events.push({ kind: 'sample', ms: 10 * i, vmpteKiB: 4 * draw.page, rssKiB: draw.pages });
      continue;
    }
    const call = callOf(space, draw);
    if (call === null) continue;
    events.push(call);
    space.apply(call);
  }
  return { header: HEADER, events };
}

function callOf(space: AddressSpace, draw: Drawn): RecordedCall | null {
  const { kind, thread, base, pages, protection, advice, newPages } = draw;
  const at = { thread, page: base + draw.page, pages };
  switch (kind) {
    case 'mmap':
    case 'mprotect':
      return { kind, ...at, protection };
    case 'madvise':
      return { kind, ...at, advice };
    case 'brk':
      return { kind, thread, page: BASES[0]! - 2000, pages: draw.page };
    case 'mremap': {
      const to = base + draw.to;
      const overlaps = to < at.page + pages && at.page < to + newPages;
      return overlaps ? null : { kind, ...at, to, newPages };
    }
    case 'read':
    case 'write': {
      const found: Pages | null = touchable(space, at);
      return found === null ? null : { kind, thread, ...found };
    }
    case 'sample':
      return null;
    default:
      return { kind, ...at };
  }
}

function touchable(space: AddressSpace, { page, pages }: Pages): Pages | null {
  const [first] = space.anonymous(page, page + pages);
  return first === undefined ? null : { page: first.start, pages: first.end - first.start };
}
