/**
 * Variants of the group `locks` with several simulated CPUs: wall time of an acquisition over all
 * of them, how evenly they got the lock, and how long the longest acquisitions take.
 */
import { quantile } from '#machine/percentiles';
import { runCrowd } from './crowd.ts';
import type { Reading, Variant } from './harness.ts';
import { lockName } from './lock-names.ts';
import type { LockLoopFound } from './lock-thread.ts';
import type { MeasuredForms } from './measured-forms.ts';
import { buildMachine } from './measured-machine.ts';
import { fairness, fairnessName, MEASURED_SHARE } from './native/locks.ts';
import type { Build } from './operation.ts';

export interface ContendedLock {
  /** `ttas`, `ttas with statistics`. */
  readonly name: string;
  readonly build: Build;
}

/** `url`: of the module whose threads run `lockLoop`. */
export function contendedVariant(
  url: string,
  forms: MeasuredForms,
  { name, build }: ContendedLock,
  ms: number,
): Variant {
  let evenness = 0;
  const shown = lockName(name, build.cpus);
  const beside: Reading = { name: fairnessName(shown), unit: 'parts', read: () => evenness };
  return {
    name: shown,
    unit: 'ns',
    async sample() {
      const { ns, counts } = await contend(url, forms, build, ms, false);
      evenness = fairness(counts);
      return ns;
    },
    beside: [beside],
  };
}

/** All acquisitions but one in ten thousand take at most so long. */
const PART = 0.9999;

/** How long acquisitions take, each of which is timed. */
export function timedVariant(
  url: string,
  forms: MeasuredForms,
  { name, build }: ContendedLock,
  ms: number,
): Variant {
  let longestUs = 0;
  const shown = lockName(name, build.cpus);
  return {
    name: p9999Name(shown),
    unit: 'us',
    async sample() {
      const { found } = await contend(url, forms, build, ms, true);
      longestUs = Math.max(...found.map(({ longestNs }) => longestNs)) / 1000;
      const waits = found[0].waits.map((_, i) => found.reduce((sum, one) => sum + one.waits[i], 0));
      return quantile(waits, PART) / 1000;
    },
    beside: [{ name: `${shown}: longest acquisition`, unit: 'us', read: () => longestUs }],
  };
}

export function p9999Name(shown: string): string {
  return `${shown}: p99.99 of an acquisition`;
}

interface Contention {
  readonly ns: number;
  readonly counts: readonly number[];
  readonly found: readonly LockLoopFound[];
}

async function contend(
  url: string,
  forms: MeasuredForms,
  build: Build,
  ms: number,
  timed: boolean,
): Promise<Contention> {
  const tasks = Array.from({ length: build.cpus }, () => ({ timed }));
  const end = await runCrowd<LockLoopFound>(
    url,
    buildMachine(forms, build),
    tasks,
    Math.ceil(ms * MEASURED_SHARE),
  );
  const counts = end.found.map(({ acquisitions }) => acquisitions);
  const sum = counts.reduce((a, b) => a + b);
  // The word that the lock protects has been written plainly.
  if (end.data !== (sum | 0)) throw new Error(`the lock let ${sum - end.data} additions get lost`);
  return { ns: end.ns / sum, counts, found: end.found };
}
