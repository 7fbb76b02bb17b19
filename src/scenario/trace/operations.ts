/**
 * A recording as operations of a plan, one after another, each naming its pages in one region. Only
 * private anonymous memory is in it. The parts of the address space that one top-level entry maps
 * keep their order and what is in them; those that the program did not use are left out between.
 */
import type { Op, PageSpan, Where } from '../plan.ts';
import { AddressSpace } from './address-space.ts';
import type { Pages, RecordedCall, Recording } from './recording.ts';

/** Pages that one entry of the top-level table maps: 512 GiB. */
export const TOP_LEVEL_PAGES = 2 ** 27;

/** One call of one thread, or a part of it. */
export interface TracedOp {
  readonly thread: number;
  readonly op: Op;
}

/** Pages of the region that `traceOperations` is of. */
export function regionPages(recording: Recording): number {
  return Math.max(1, topLevelsOf(recording).size) * TOP_LEVEL_PAGES;
}

/** In recorded order. */
export function* traceOperations(recording: Recording): Generator<TracedOp> {
  const tops = topLevelsOf(recording);
  const space = new AddressSpace();
  const place = (page: number): number =>
    tops.get(Math.floor(page / TOP_LEVEL_PAGES))! * TOP_LEVEL_PAGES + (page % TOP_LEVEL_PAGES);
  for (const event of recording.events) {
    if (event.kind === 'sample') continue;
    for (const op of operationsOf(space, place, event)) yield { thread: event.thread, op };
    space.apply(event);
  }
}

type Place = (page: number) => number;

function operationsOf(space: AddressSpace, place: Place, call: RecordedCall): Op[] {
  const { page, pages } = call;
  const within = (): Where[] =>
    space.anonymous(page, page + pages).map(({ start, end }) => whereOf(place, start, end));
  switch (call.kind) {
    case 'mmap':
      return [{ op: 'mmap', protection: call.protection, ...whereOf(place, page, page + pages) }];
    case 'read':
    case 'write': {
      const where = whereOf(place, page, page + pages);
      return [{ op: 'touch', access: call.kind, pages: 'every', ...where }];
    }
    case 'opaque':
    case 'munmap':
      return within().map((where) => ({ op: 'munmap', ...where }));
    case 'mprotect':
      return within().map((where) => ({ op: 'mprotect', protection: call.protection, ...where }));
    case 'madvise': {
      const { advice } = call;
      if (advice === 'dontneed') return within().map((where) => ({ op: 'dontneed', ...where }));
      return within().map((where) => ({ op: 'madvise', advice, ...where }));
    }
    case 'mremap':
      return remapsOf(space, place, call);
    case 'brk':
      return heapOf(space, place, call);
  }
}

/** The heap's end moves by mapping or unmapping what is between the old and the new one. */
function heapOf(space: AddressSpace, place: Place, { page, pages }: Pages): Op[] {
  const heap = space.heapPages();
  const before = heap?.page === page ? heap.pages : 0;
  if (pages > before)
    return [{ op: 'mmap', protection: 'write', ...whereOf(place, page + before, page + pages) }];
  if (pages === before) return [];
  return space
    .anonymous(page + pages, page + before)
    .map(({ start, end }) => ({ op: 'munmap', ...whereOf(place, start, end) }));
}

/** Of each part that is anonymous; the last one may grow, and what does not fit any more goes. */
function remapsOf(
  space: AddressSpace,
  place: Place,
  { page, pages, to, newPages }: RecordedCall & { kind: 'mremap' },
): Op[] {
  const parts = space.anonymous(page, page + pages);
  const moved = parts.reduce((sum, { start, end }) => sum + end - start, 0);
  const ops: Op[] = [];
  // Where something opaque comes, nothing else replaces what is there.
  if (to !== page && moved < pages)
    for (const { start, end } of space.anonymous(to, to + newPages))
      ops.push({ op: 'munmap', ...whereOf(place, start, end) });
  for (const { start, end } of parts) {
    const left = Math.min(end, page + newPages);
    const isLast = end === page + pages;
    const where = whereOf(place, start, end);
    if (left <= start) {
      ops.push({ op: 'munmap', ...where });
      continue;
    }
    const length = (isLast ? page + newPages : left) - start;
    if (to === page && length === end - start) continue;
    const newPlace = to === page ? null : place(to + start - page);
    ops.push({ op: 'mremap', to: newPlace, newPages: length, ...where });
  }
  return ops;
}

function whereOf(place: Place, start: number, end: number): Where & { readonly extent: PageSpan } {
  return { region: 0, extent: { page: place(start), pages: end - start }, share: 'all' };
}

/** The numbers that the used entries of the top-level table get, in ascending order. */
function topLevelsOf({ events }: Recording): Map<number, number> {
  const used = new Set<number>();
  const use = (page: number, pages: number): void => {
    const last = Math.floor((page + Math.max(pages, 1) - 1) / TOP_LEVEL_PAGES);
    for (let top = Math.floor(page / TOP_LEVEL_PAGES); top <= last; top++) used.add(top);
  };
  for (const event of events) {
    if (event.kind === 'mmap' || event.kind === 'brk') use(event.page, event.pages);
    else if (event.kind === 'mremap') use(event.to, event.newPages);
  }
  return new Map([...used].sort((a, b) => a - b).map((top, index) => [top, index]));
}
