/**
 * Plans made at random, for finding out where the simulator does not do as the live kernel does;
 * fast-check makes them, and makes one that shows a difference smaller.
 *
 * The memory straddles what one PMD table reaches, and most ranges begin or end at or near the
 * bounds of PTE tables, since that is where tables come and go.
 */
import fc from 'fast-check';
import type { Advice, Op, PageSpan, Protection, Where } from '#scenario/plan';

/** The memory of a random plan: its regions as a scenario file has them. */
export const RANDOM_REGIONS = {
  memory: { size: '16MiB', gap: '1016MiB' },
  heap: { size: '4MiB', gap: '4MiB' },
} as const;

/** Entries of a table; pages of the memory (eight tables), and of the heap (two). */
const PTRS = 512;
const MEMORY_PAGES = 8 * PTRS;
const HEAP_PAGES = 2 * PTRS;

const MEMORY = 0;
const HEAP = 1;

/** A place: the bound of a table, a few pages off it, or any. */
const places: fc.Arbitrary<number> = fc.oneof(
  { weight: 4, arbitrary: fc.nat(MEMORY_PAGES / PTRS).map((slot) => slot * PTRS) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.nat(MEMORY_PAGES / PTRS), fc.integer({ min: -2, max: 2 }))
      .map(([slot, off]) => Math.min(MEMORY_PAGES, Math.max(0, slot * PTRS + off))),
  },
  { weight: 1, arbitrary: fc.nat(MEMORY_PAGES) },
);

const spans: fc.Arbitrary<PageSpan> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(places, places)
      .filter(([a, b]) => a !== b)
      .map(([a, b]) => ({ page: Math.min(a, b), pages: Math.abs(a - b) })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(places, fc.integer({ min: 1, max: 8 }))
      .map(([page, pages]) => cut(page, pages)),
  },
);

function cut(page: number, pages: number): PageSpan {
  const from = Math.min(page, MEMORY_PAGES - 1);
  return { page: from, pages: Math.min(pages, MEMORY_PAGES - from) };
}

const protections: fc.Arbitrary<Protection> = fc.oneof(
  { weight: 6, arbitrary: fc.constant('write' as const) },
  { weight: 2, arbitrary: fc.constant('read' as const) },
  { weight: 1, arbitrary: fc.constant('none' as const) },
);

const advice = fc.constantFrom<Advice>(
  ...(['free', 'free', 'populate-write', 'populate-read', 'cold'] as const),
  ...(['guard-install', 'guard-remove'] as const),
);

function on(extent: PageSpan): Where {
  return { region: MEMORY, extent, share: 'all' };
}

/** A move of whole spans, which do not overlap; or a mapping that shrinks or grows in its place. */
const remaps: fc.Arbitrary<Op> = fc.oneof(
  fc
    .tuple(spans, places)
    .map(([from, to]): Op => {
      const at = Math.min(to, MEMORY_PAGES - from.pages);
      const apart = at >= from.page + from.pages || at + from.pages <= from.page;
      const target = apart ? at : null;
      return { op: 'mremap', ...on(from), to: target, newPages: from.pages };
    }),
  fc.tuple(spans, places).map(([from, end]): Op => {
    const newPages = end > from.page ? end - from.page : 1;
    return { op: 'mremap', ...on(from), to: null, newPages };
  }),
);

const operations: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(spans, protections)
      .map(([span, protection]): Op => ({ op: 'mmap', protection, ...on(span) })),
  },
  { weight: 2, arbitrary: spans.map((span): Op => ({ op: 'munmap', ...on(span) })) },
  {
    weight: 8,
    arbitrary: fc
      .tuple(spans, fc.constantFrom('write' as const, 'write' as const, 'read' as const))
      .map(([span, access]): Op => ({ op: 'touch', access, pages: 'every', ...on(span) })),
  },
  { weight: 6, arbitrary: spans.map((span): Op => ({ op: 'dontneed', ...on(span) })) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(spans, advice)
      .map(([span, what]): Op => ({ op: 'madvise', advice: what, ...on(span) })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(spans, protections)
      .map(([span, protection]): Op => ({ op: 'mprotect', protection, ...on(span) })),
  },
  { weight: 3, arbitrary: remaps },
  {
    weight: 1,
    arbitrary: fc
      .nat(HEAP_PAGES)
      .map((pages): Op => ({ op: 'brk', region: HEAP, pages })),
  },
);

/** Which value stands in for an operation that is left out, once in so many. */
const LEFT_OUT_ONE_IN = 1000;

/**
 * Lists of `length` operations, rarely of fewer. What is made smaller loses operations first: each
 * may give way to none.
 */
export function randomOps(length: number): fc.Arbitrary<Op[]> {
  const maybe = fc.option(operations, { nil: null, freq: LEFT_OUT_ONE_IN });
  return fc
    .array(maybe, { minLength: length, maxLength: length })
    .map((ops) => ops.filter((op) => op !== null));
}
