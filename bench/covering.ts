/**
 * A covering array of strength two: six machines, in which every pair of the five settings takes
 * all four combinations of values.
 *
 * The construction (Katona; Kleitman and Spencer, 1973): one machine has the first value of
 * everything; in the other five each setting takes its second value in three, no two settings in
 * the same three. Two sets of three out of five always meet, and neither contains the other.
 */

export interface PairwiseMachine {
  readonly cpus: number;
  readonly splitLocks: boolean;
  readonly noise: number;
  /** Pages that a gather holds; undefined: as many as the scenario says. */
  readonly gather: number | undefined;
  /** Allocations that fail, per million. */
  readonly allocFail: number;
}

/** In which of the five machines after the first each setting takes its second value. */
const SECOND: Readonly<Record<keyof PairwiseMachine, readonly number[]>> = {
  cpus: [1, 2, 3],
  splitLocks: [1, 2, 4],
  noise: [1, 3, 5],
  gather: [2, 4, 5],
  allocFail: [3, 4, 5],
};

export const MACHINES: readonly PairwiseMachine[] = [0, 1, 2, 3, 4, 5].map((row) => {
  const isSecond = (setting: keyof PairwiseMachine): boolean => SECOND[setting].includes(row);
  return {
    cpus: isSecond('cpus') ? 8 : 2,
    splitLocks: !isSecond('splitLocks'),
    noise: isSecond('noise') ? 20 : 0,
    gather: isSecond('gather') ? 1 : undefined,
    allocFail: isSecond('allocFail') ? 2000 : 0,
  };
});

/** The machine as flags of `pttorture run`. */
export function wordsOf({ cpus, splitLocks, noise, gather, allocFail }: PairwiseMachine): string {
  const words = [`--cpus ${cpus}`];
  if (!splitLocks) words.push('--no-split-locks');
  if (noise > 0) words.push(`--noise ${noise}`);
  if (gather !== undefined) words.push(`--gather ${gather}`);
  if (allocFail > 0) words.push(`--alloc-fail ${allocFail}`);
  return words.join(' ');
}
