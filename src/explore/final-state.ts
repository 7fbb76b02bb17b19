/**
 * A fingerprint of the state in which the main phase ends. Two executions that end in the same
 * state go through the same fair phase and the same end of the process, and so to the same verdict:
 * those are run once for each state.
 *
 * Part of the state are all words but the logs, statistics and times: those say how it came about.
 * What CPUs keep outside of the arena is empty or a guess between two operations. A fingerprint has
 * 52 bits.
 */
import type { CONTROL } from '#arena/layout/control';
import type { PERCPU } from '#arena/layout/percpu';
import type { ArenaMap } from '#arena/map';

/** Stretches of words [start, end), in pairs. */
export type Stretches = Int32Array;

/** Where the state stands in an arena. */
export function stateStretches(
  map: ArenaMap,
  control: typeof CONTROL,
  offsets: typeof PERCPU,
): Stretches {
  const pairs: number[] = [
    control.rcuEpoch,
    control.rcuEpochSince,
    control.zoneLock,
    control.sleepers,
  ];
  pairs.push(map.mm, map.percpu);
  for (let id = 0; id < map.geometry.cpus; id++) {
    const block = map.percpu + id * map.percpuWords;
    const own = [
      [0, offsets.waitAt],
      [offsets.rcuNesting, offsets.counters],
      [offsets.mcs, offsets.factCount + 1],
      [offsets.tableCount, offsets.rcuQueue],
      [offsets.pageCount, offsets.faultsUntimed],
      [offsets.sizeWords, map.percpuWords],
    ] as const;
    for (const [start, end] of own) pairs.push(block + start, block + end);
  }
  pairs.push(map.ptdescs, map.sizeWords);
  return Int32Array.from(pairs);
}

export function stateFingerprint(words: Int32Array, stretches: Stretches): number {
  let low = 0x1234567;
  let high = 0x89abcdef;
  for (let i = 0; i < stretches.length; i += 2) {
    const end = stretches[i + 1]!;
    for (let at = stretches[i]!; at < end; at++) {
      const word = words[at]!;
      if (word === 0) continue;
      const hash = Math.imul(word ^ Math.imul(at, 0x9e3779b1), 0x85ebca6b);
      low = (low + (hash ^ (hash >>> 15))) | 0;
      high = (high + Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)) | 0;
    }
  }
  return (low >>> 0) + (high & 0xfffff) * 2 ** 32;
}
