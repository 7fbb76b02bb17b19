/**
 * The group `locks`: a spinlock pair by each algorithm, as the simulator uses it (held locks noted,
 * acquisitions counted), alone and with several threads, without lock statistics and with them;
 * beside it native locks that do the same.
 */
import { contendedVariant, p9999Name, timedVariant } from './contended-locks.ts';
import type { BenchOptions, Figure, Group, Prepared } from './harness.ts';
import { lockName, withStatistics } from './lock-names.ts';
import { ALONE, LOCK_THREAD, type OurLock } from './lock-thread.ts';
import { measuredForms } from './measured-forms.ts';
import { CROWDS, type NativeLock, nativeLocks, nativeName } from './native/locks.ts';
import { operationVariants } from './operation-variants.ts';

/** Our locks, and the native one that does the same. */
const OURS: readonly { lock: OurLock; native: NativeLock }[] = [
  { lock: 'ttas', native: 'ttas-backoff' },
  { lock: 'ticket', native: 'ticket' },
  { lock: 'mcs', native: 'mcs' },
];

export const locks: Group = {
  summary: 'a spinlock taken and released: by one thread, by two, by more than there may be cores',
  async prepare(options: BenchOptions): Promise<Prepared> {
    const forms = await measuredForms();
    const url = LOCK_THREAD;
    const crowds = CROWDS.filter((cpus) => cpus > 1);
    const contended = crowds.flatMap((cpus) => [
      ...OURS.map(({ lock }) => ({ name: withStatistics(lock, false), build: { cpus, lock } })),
      {
        name: withStatistics('ttas', true),
        build: { cpus, lock: 'ttas', lockStat: true } as const,
      },
    ]);
    const native = nativeLocks(options);
    return {
      variants: [
        ...operationVariants(url, ALONE, forms, options),
        ...contended.map((lock) => contendedVariant(url, forms, lock, options.ms)),
        timedVariant(url, forms, { name: 'ttas', build: { cpus: MOST, lock: 'ttas' } }, options.ms),
        ...native.variants,
      ],
      figures: [...GOALS, ...crowds.map(costOfStatistics), ...OURS.flatMap(toNative)],
      notes: native.notes,
    };
  },
};

const MOST = CROWDS[CROWDS.length - 1];
const OFF = lockName(withStatistics('ttas', false), 1);
const ON = lockName(withStatistics('ttas', true), 1);
const LONGEST = p9999Name(lockName(withStatistics('ttas', false), MOST));

const GOALS: readonly Figure[] = [
  {
    ...{ name: 'ttas pair, no statistics', of: OFF, profile: OFF },
    goal: { bound: 'at most', limit: 30 },
  },
  {
    ...{ name: 'ttas pair, with statistics', of: ON, profile: ON },
    goal: { bound: 'at most', limit: 45 },
  },
  { name: LONGEST, of: LONGEST, profile: LONGEST, goal: { bound: 'at most', limit: 100_000 } },
];

function costOfStatistics(threads: number): Figure {
  return {
    name: `${lockName('ttas', threads)}: with statistics to without`,
    of: lockName(withStatistics('ttas', true), threads),
    over: lockName(withStatistics('ttas', false), threads),
  };
}

function toNative({ lock, native }: (typeof OURS)[number]): Figure[] {
  return CROWDS.map((threads) => ({
    name: `${lockName(lock, threads)}: time to native ${native}`,
    of: lockName(lock, threads),
    over: nativeName(native, threads),
  }));
}
