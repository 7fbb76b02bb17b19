/** Sightings of a race in free runs, and how rates are told. */
import { formatShort } from '#report/format';

/** Where rates are measured. */
export const SETTINGS = [
  { head: '2 CPUs', words: ['--cpus', '2', '--noise', '0'] },
  { head: '8 CPUs', words: ['--cpus', '8', '--noise', '0'] },
  { head: '2 CPUs, noise 20', words: ['--cpus', '2', '--noise', '20'] },
  { head: '8 CPUs, noise 20', words: ['--cpus', '8', '--noise', '20'] },
] as const;

export interface Rate {
  /** Runs that ended in it. */
  seen: number;
  /** Operations of all runs until then. */
  operations: number;
}

export interface Sightings {
  readonly name: string;
  readonly bug: string;
  /** How long each of the three tries took; null: it was not met. */
  readonly seconds: readonly (number | null)[];
  /** In the order of `SETTINGS`. */
  readonly rates: readonly Rate[];
}

/**
 * Per million operations. A run ends with the first sighting, so that sightings by operations are
 * the likeliest rate of events that come at random; without one, at most that of one sighting.
 */
export function rateOf({ seen, operations }: Rate): { perMillion: number; isBound: boolean } {
  const perMillion = (1e6 * Math.max(seen, 1)) / Math.max(operations, 1);
  return { perMillion, isBound: seen === 0 };
}

/** `12.3`, or `< 0.1` where none was seen. */
export function rateText({ perMillion, isBound }: ReturnType<typeof rateOf>): string {
  const text = perMillion >= 100 ? formatShort(Math.round(perMillion)) : perMillion.toPrecision(2);
  return isBound ? `< ${text}` : text;
}
