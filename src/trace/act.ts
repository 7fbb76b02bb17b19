/**
 * What an operation was, as an event of the ring tells it: in the event's kind word, beside the
 * kind, the act by its number, a count and the region; then the pages, numbered from the region's
 * first. That is enough to do it again elsewhere.
 */

const PLAIN = [
  ...['touch write', 'touch read', 'dontneed', 'purge', 'punch', 'mmap', 'munmap', 'reclaim'],
  ...['pressure', 'scan', 'scan until-idle', 'sleep'],
  ...['mmap none', 'mmap read', 'mprotect none', 'mprotect read', 'mprotect write'],
  ...['mremap', 'mremap to', 'brk'],
];
const ADVICES = [
  ...(['free', 'pageout', 'cold', 'populate-read', 'populate-write', 'willneed'] as const),
  ...(['guard-install', 'guard-remove', 'pt-scan', 'no-pt-scan'] as const),
];
const WALKERS = [
  ...(['smaps', 'pagemap', 'mincore', 'mprotect', 'migrate', 'numa', 'uffd-copy'] as const),
  ...(['uffd-zeropage', 'uffd-wp', 'fork', 'gup', 'gup-fast', 'ksm', 'gup-fast-only'] as const),
  'perf' as const,
];

/** An operation's name, and where it comes in forms, which of them; order is identity. */
export const ACTS: readonly string[] = [
  ...PLAIN,
  ...ADVICES.map((advice) => `madvise ${advice}`),
  ...WALKERS.map((walker) => `walk ${walker}`),
];

export const ACT = {
  touchWrite: 0,
  touchRead: 1,
  dontneed: 2,
  purge: 3,
  punch: 4,
  mmap: 5,
  munmap: 6,
  reclaim: 7,
  pressure: 8,
  scan: 9,
  scanUntilIdle: 10,
  /** Milliseconds in place of pages. */
  sleep: 11,
  /** Two acts tell of it: what was mapped, and then where it is mapped. */
  mremap: 17,
  mremapTo: 18,
  brk: 19,
} as const;

export const MMAP_ACT = { none: 12, read: 13, write: ACT.mmap } as const;
export const MPROTECT_ACT = { none: 14, read: 15, write: 16 } as const;
export const ADVICE_ACT = numbered(ADVICES, PLAIN.length);
export const WALKER_ACT = numbered(WALKERS, PLAIN.length + ADVICES.length);

/** Of `touch`: all pages, the first of each slot, or up to 62 at random. */
export const ACT_COUNT = { every: 0, onePerSlot: 63, max: 62 } as const;
/** The region of an act that is of none. */
export const NO_REGION = 0x7fff;

const KIND_BITS = 4;
const ACT_BITS = 6;
const COUNT_BITS = 6;
const KIND_MASK = (1 << KIND_BITS) - 1;
const COUNT_SHIFT = KIND_BITS + ACT_BITS;
const REGION_SHIFT = COUNT_SHIFT + COUNT_BITS;

/** The kind word of an operation's event; `kind` is `EVENT.operation`. */
export function actWord(kind: number, act: number, count: number, region: number): number {
  return kind | (act << KIND_BITS) | (count << COUNT_SHIFT) | (region << REGION_SHIFT);
}

/** The kind of event that a kind word is of. */
export function eventKindOf(word: number): number {
  return word & KIND_MASK;
}

export function actOf(word: number): number {
  return (word >> KIND_BITS) & ((1 << ACT_BITS) - 1);
}

export function actCountOf(word: number): number {
  return (word >> COUNT_SHIFT) & ((1 << COUNT_BITS) - 1);
}

export function actRegionOf(word: number): number {
  return word >>> REGION_SHIFT;
}

function numbered<Name extends string>(
  names: readonly Name[],
  first: number,
): Readonly<Record<Name, number>> {
  const pairs = names.map((name, i) => [name, first + i]);
  return Object.fromEntries(pairs) as Readonly<Record<Name, number>>;
}
