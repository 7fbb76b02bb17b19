/**
 * The native locks (`locks.c`) as variants: the same loop over the same protected word, by
 * algorithms of our own in C and by those of the C library. They only spin, where ours sleep after
 * a while, but for `ttas-backoff` and the mutex.
 */
import type { BenchOptions, Reading, Variant } from '../harness.ts';
import { lockName } from '../lock-names.ts';
import { compileNative, runNative, type Source } from './compile.ts';

export const LOCKS: Source = { name: 'native-locks', file: 'locks' };

export const NATIVE_LOCKS = [
  'tas',
  'ttas-backoff',
  'ticket',
  'mcs',
  'pthread_mutex',
  'pthread_spinlock',
] as const;
export type NativeLock = (typeof NATIVE_LOCKS)[number];

/** Threads: alone, as many as this machine's cores are at least, and more. */
export const CROWDS = [1, 2, 4, 8] as const;

/** Part of a simulated run's time that a loop over a lock is given. */
export const MEASURED_SHARE = 0.15;

/** What the program prints. */
export interface LockSample {
  readonly nsPerAcquisition: number;
  readonly acquisitions: readonly number[];
}

export function nativeName(lock: NativeLock, threads: number): string {
  return lockName(`native ${lock}`, threads);
}

export function fairnessName(shown: string): string {
  return `${shown}: least to most`;
}

/** Acquisitions of the thread with the fewest, as part of those of the one with the most. */
export function fairness(acquisitions: readonly number[]): number {
  return Math.min(...acquisitions) / Math.max(...acquisitions);
}

export function nativeLocks({ ms }: BenchOptions): { variants: Variant[]; notes: string[] } {
  const program = compileNative(LOCKS);
  if ('missing' in program)
    return { variants: [], notes: [program.missing, `with it: ${NATIVE_LOCKS.join(', ')}`] };
  const variants = CROWDS.flatMap((threads) =>
    NATIVE_LOCKS.map((lock) => variant(program.path, lock, threads, ms * MEASURED_SHARE)),
  );
  return { variants, notes: [] };
}

function variant(path: string, lock: NativeLock, threads: number, ms: number): Variant {
  let evenness = 0;
  const name = nativeName(lock, threads);
  const beside: Reading = { name: fairnessName(name), unit: 'parts', read: () => evenness };
  return {
    name,
    unit: 'ns',
    async sample() {
      const found = await runNative(path, [lock, String(threads), String(Math.ceil(ms))]);
      const { nsPerAcquisition, acquisitions } = found as LockSample;
      evenness = fairness(acquisitions);
      return nsPerAcquisition;
    },
    beside: threads === 1 ? [] : [beside],
  };
}
