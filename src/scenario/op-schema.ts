/**
 * The operations of a scenario file: each is a mapping with one key that names the operation, and
 * beside it `do` or `choices` where it runs others; those that need nothing more are bare words.
 * Where an operation works on address space, a bare region name means all of that region, and
 * `chunk` the running sweep's chunk.
 */
import { z } from 'zod';
import { nameSchema, scalarSchema } from './scalar-schema.ts';
import type { Kind, Written } from './setting.ts';

export const EXTENTS = ['whole', 'chunk', 'slot', 'part', 'slots', 'page'] as const;
export const SHARES = ['all', 'own'] as const;
export const PROTECTIONS = ['none', 'read', 'write'] as const;
export const TORTURED_LOCKS = ['ttas', 'ticket', 'mcs', 'rwsem', 'vma-lock'] as const;
/** Rendezvous that one column may have. */
export const RENDEZVOUS_MAX = 4;
export const ADVICE = [
  'free',
  'pageout',
  'cold',
  'populate-read',
  'populate-write',
  'willneed',
  'guard-install',
  'guard-remove',
  'pt-scan',
  'no-pt-scan',
] as const;
export const WALKERS = [
  'smaps',
  'pagemap',
  'mincore',
  'mprotect',
  'migrate',
  'numa',
  'uffd-copy',
  'uffd-zeropage',
  'uffd-wp',
  'fork',
  'gup',
  'gup-fast',
  'ksm',
  'gup-fast-only',
  'perf',
] as const;

/** What each value of an operation may be; lowering reads them by the same table. */
export const OP_KINDS = {
  by: { type: 'size', min: '4KiB' },
  ms: { type: 'duration', max: '1h' },
  page: { type: 'integer', min: 0 },
  pages: { type: 'integer', min: 1 },
  heapPages: { type: 'integer', min: 0 },
  percent: { type: 'percent' },
  times: { type: 'integer', min: 1 },
  weight: { type: 'integer', min: 0, max: 1_000_000 },
  lock: { type: 'choice', choices: TORTURED_LOCKS },
  role: { type: 'choice', choices: ['reader', 'writer'] },
  extent: { type: 'choice', choices: EXTENTS },
  share: { type: 'choice', choices: SHARES },
  access: { type: 'choice', choices: ['write', 'read'] },
  advice: { type: 'choice', choices: ADVICE },
  walker: { type: 'choice', choices: WALKERS },
  protection: { type: 'choice', choices: PROTECTIONS },
} as const satisfies Record<string, Kind>;

const where = {
  region: z.string().optional().describe('Name of a region; inside a sweep, that of the sweep.'),
  extent: scalarSchema(OP_KINDS.extent)
    .optional()
    .describe(
      'Which part: whole, the chunk of the sweep, one random slot, a random part of one slot, a ' +
        'random run of up to eight slots, one random page. A slot is what one PTE table maps.',
    ),
  share: scalarSchema(OP_KINDS.share)
    .optional()
    .describe('Of which share of the region: all (default), or own: an equal part per CPU.'),
};

const span = {
  ...where,
  page: scalarSchema(OP_KINDS.page)
    .optional()
    .describe('Instead of an extent: from this page of the region on, the first being 0.'),
  pages: scalarSchema(OP_KINDS.pages).optional().describe('With page: so many; default 1.'),
};

const place = z.union([z.string(), z.strictObject(span)]);
const touch = z.strictObject({
  ...span,
  access: scalarSchema(OP_KINDS.access).optional().describe('write (default) or read.'),
  pages: scalarSchema(OP_KINDS.pages, ['every', 'one-per-slot'])
    .optional()
    .describe(
      'every page (default), one-per-slot, or a number of random ones; with page: so many from ' +
        'there on (default 1), each of them.',
    ),
});
const mmap = z.strictObject({
  ...span,
  protection: scalarSchema(OP_KINDS.protection)
    .optional()
    .describe('What may be done with the pages: none, read, or write (default).'),
});
const mprotect = z.strictObject({ ...span, protection: scalarSchema(OP_KINDS.protection) });
const mremap = z.strictObject({
  ...span,
  to: scalarSchema(OP_KINDS.page)
    .optional()
    .describe('Moves the pages to this page of the region and on; without it they stay.'),
  newPages: scalarSchema(OP_KINDS.pages)
    .optional()
    .describe('How many there are afterwards; default: as many as before.'),
});
const brk = z.strictObject({
  region: z.string(),
  pages: scalarSchema(OP_KINDS.heapPages).describe('Pages of the heap from now on.'),
});
const punch = z.strictObject({ ...span, percent: scalarSchema(OP_KINDS.percent) });
const madvise = z.strictObject({ ...span, advice: scalarSchema(OP_KINDS.advice) });
const walk = z.strictObject({ ...span, walker: scalarSchema(OP_KINDS.walker) });
const sweep = z.strictObject({
  region: z.string(),
  by: scalarSchema(OP_KINDS.by).describe('Size of a chunk.'),
  share: where.share,
});
const times = scalarSchema(OP_KINDS.times, ['forever']);

export type WhereForm = z.infer<typeof place>;
export type SpanForm = Exclude<WhereForm, string>;
export type TouchForm = string | z.infer<typeof touch>;
export type MmapForm = string | z.infer<typeof mmap>;
export type MprotectForm = z.infer<typeof mprotect>;
export type MremapForm = z.infer<typeof mremap>;
export type BrkForm = z.infer<typeof brk>;
export type PunchForm = z.infer<typeof punch>;
export type MadviseForm = z.infer<typeof madvise>;
export type WalkForm = z.infer<typeof walk>;
export type SweepForm = z.infer<typeof sweep>;

/** An operation that is a mapping: exactly one of the operations, and `do` or `choices`. */
export interface OpMap {
  mmap?: MmapForm | undefined;
  munmap?: WhereForm | undefined;
  mprotect?: MprotectForm | undefined;
  mremap?: MremapForm | undefined;
  brk?: BrkForm | undefined;
  touch?: TouchForm | undefined;
  dontneed?: WhereForm | undefined;
  purge?: WhereForm | undefined;
  punch?: PunchForm | undefined;
  madvise?: MadviseForm | undefined;
  walk?: WalkForm | undefined;
  reclaim?: WhereForm | undefined;
  sweep?: SweepForm | undefined;
  loop?: Written | undefined;
  mix?: Written | undefined;
  sleep?: Written | undefined;
  rendezvous?: string | undefined;
  rcutorture?: Written | undefined;
  locktorture?: Written | undefined;
  do?: OpForm[] | undefined;
  choices?: ChoiceForm[] | undefined;
}

export interface ChoiceForm {
  weight: Written;
  do: OpForm[];
}

/** Operations that are a bare word. */
export const OP_WORDS = ['scan', 'scan-until-idle', 'pressure'] as const;

export type OpForm = (typeof OP_WORDS)[number] | OpMap;

/** Operations that are a mapping, of which it names exactly one. */
export const OP_NAMES = [
  'mmap',
  'munmap',
  'mprotect',
  'mremap',
  'brk',
  'touch',
  'dontneed',
  'purge',
  'punch',
  'madvise',
  'walk',
  'reclaim',
  'sweep',
  'loop',
  'mix',
  'sleep',
  'rendezvous',
  'rcutorture',
  'locktorture',
] as const satisfies readonly (keyof OpMap)[];

const choice = z.strictObject({
  weight: scalarSchema(OP_KINDS.weight).describe('Share of the draws, relative to the others.'),
  do: z.lazy(() => opsSchema),
});

const words = z
  .enum(OP_WORDS)
  .describe(
    'scan: a scanner pass; scan-until-idle: passes until one finds nothing; pressure: memory ' +
      'pressure. Nothing where the protocol does not act on it.',
  );

const opMap = z
  .strictObject({
    mmap: z.union([z.string(), mmap]).describe('Maps the region, or part of it, afresh.'),
    munmap: place.describe('Unmaps it.'),
    mprotect: mprotect.describe('Says what may be done with the pages from now on.'),
    mremap: mremap.describe('Moves a mapping, or lets it shrink or grow where it is.'),
    brk: brk.describe('Sets the end of the heap that begins where the region does.'),
    touch: z.union([z.string(), touch]).describe('User accesses, page by page.'),
    dontneed: place.describe('MADV_DONTNEED.'),
    purge: place.describe('MADV_DONTNEED of the first page of each slot, in one call.'),
    punch: punch.describe('MADV_DONTNEED of single pages, each with a chance of percent.'),
    madvise: madvise.describe('Any other advice; dontneed is an operation of its own.'),
    walk: walk.describe('One walk of page tables that is neither a fault nor a zap.'),
    reclaim: place.describe('Memory reclaim: swaps out, drops clean pages after MADV_FREE.'),
    sweep: sweep.describe('Runs do for each chunk of the region, in address order.'),
    loop: times.describe('Runs do so many times, or forever.'),
    mix: times.describe('So many times, or forever: runs one of choices, drawn by weight.'),
    sleep: scalarSchema(OP_KINDS.ms),
    rendezvous: nameSchema.describe(
      'All CPUs meet, then the phase of this name begins. Outermost only; every column has the ' +
        `same ones in the same order, at most ${RENDEZVOUS_MAX}.`,
    ),
    rcutorture: scalarSchema(OP_KINDS.role).describe('One round of the RCU torture test.'),
    locktorture: scalarSchema(OP_KINDS.lock).describe('One round of the lock torture test.'),
    do: z.lazy(() => opsSchema),
    choices: z.array(choice).min(1),
  })
  .partial()
  .meta({ oneOf: OP_NAMES.map((name) => ({ required: [name] })) });

/** A list of operations. */
export const opsSchema: z.ZodType<OpForm[]> = z
  .array(z.union([words, opMap]).meta({ id: 'op' }))
  .meta({ id: 'ops' });
