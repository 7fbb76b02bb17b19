/** Facts about a recording as operations: where they apply, and what they need. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { property } from '#base/property.suite';
import type { Op, PageSpan } from '../plan.ts';
import { demandOf } from './demand.ts';
import { regionPages, TOP_LEVEL_PAGES, traceOperations } from './operations.ts';
import { HEADER, recordings } from './recording.suite.ts';
import type { RecordedEvent } from './recording.ts';

const opsOf = (events: RecordedEvent[]): Op[] =>
  [...traceOperations({ header: HEADER, events })].map(({ op }) => op);
const where = (page: number, pages: number) =>
  ({ region: 0, extent: { page, pages }, share: 'all' }) as const;
const mmap = (page: number, pages: number): RecordedEvent => ({
  ...{ kind: 'mmap', thread: 0, page, pages, protection: 'write' },
});

test('what one top-level entry maps keeps its place, and unused entries are left out', () => {
  const ops = opsOf([mmap(3 * TOP_LEVEL_PAGES + 5, 2), mmap(9 * TOP_LEVEL_PAGES - 1, 2)]);
  expect(ops).toEqual([
    { op: 'mmap', protection: 'write', ...where(5, 2) },
    { op: 'mmap', protection: 'write', ...where(2 * TOP_LEVEL_PAGES - 1, 2) },
  ]);
  const events = [mmap(3 * TOP_LEVEL_PAGES + 5, 2), mmap(9 * TOP_LEVEL_PAGES - 1, 2)];
  expect(regionPages({ header: HEADER, events })).toBe(3 * TOP_LEVEL_PAGES);
});

test('opaque memory takes the place of what was there, and calls do not apply to it', () => {
  const at = { thread: 1, page: 0, pages: 12 };
  const ops = opsOf([
    mmap(0, 12),
    { kind: 'opaque', thread: 0, page: 4, pages: 4 },
    { kind: 'madvise', ...at, advice: 'dontneed' },
    { kind: 'munmap', ...at },
  ]);
  expect(ops.slice(1)).toEqual([
    { op: 'munmap', ...where(4, 4) },
    { op: 'dontneed', ...where(0, 4) },
    { op: 'dontneed', ...where(8, 4) },
    { op: 'munmap', ...where(0, 4) },
    { op: 'munmap', ...where(8, 4) },
  ]);
});

test('the heap grows and shrinks by its end; mremap in place has no new place', () => {
  const ops = opsOf([
    { kind: 'brk', thread: 0, page: 100, pages: 0 },
    { kind: 'brk', thread: 0, page: 100, pages: 30 },
    { kind: 'brk', thread: 0, page: 100, pages: 10 },
    { kind: 'mremap', thread: 0, page: 100, pages: 10, to: 100, newPages: 20 },
    { kind: 'mremap', thread: 0, page: 100, pages: 20, to: 500, newPages: 40 },
  ]);
  expect(ops).toEqual([
    { op: 'mmap', protection: 'write', ...where(100, 30) },
    { op: 'munmap', ...where(110, 20) },
    { op: 'mremap', to: null, newPages: 20, ...where(100, 10) },
    { op: 'mremap', to: 500, newPages: 40, ...where(100, 20) },
  ]);
});

property([recordings(40)])('every operation names pages of the region', (recording) => {
  const pages = regionPages(recording);
  for (const { op } of traceOperations(recording)) {
    const span = 'extent' in op ? (op.extent as PageSpan) : { page: 0, pages: 0 };
    expect(span.pages).toBeGreaterThan(0);
    expect(span.page + span.pages).toBeLessThanOrEqual(pages);
  }
});

property([recordings(40), fc.nat()])(
  'the machine has a frame and a table for every page that is touched',
  (recording) => {
    const ops = [...traceOperations(recording)];
    const touched = new Set<number>();
    for (const { op } of ops) {
      if (op.op !== 'touch') continue;
      const { page, pages } = op.extent as PageSpan;
      for (let each = page; each < page + pages; each++) touched.add(each);
    }
    const slots = new Set([...touched].map((page) => page >> 9));
    const { pages, tables } = demandOf(ops);
    expect(pages).toBeGreaterThanOrEqual(touched.size);
    expect(tables).toBeGreaterThan(slots.size);
  },
);
