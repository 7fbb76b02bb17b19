/**
 * A stalled grace period: somebody has waited for one for longer than a limit, and CPUs have not
 * reported. It began when the epoch moved last or, if later, when the oldest of those who wait
 * began to wait. Silent in the abstract form of RCU, which counts no epochs: there whoever does not
 * answer is waited for like the holder of a lock (deadlock.ts).
 */
import { nowUs } from '#arena/clock';
import { CONTROL } from '#arena/layout/control';
import { PERCPU, RCU_QUEUE_MAX, RCU_RECORD } from '#arena/layout/percpu';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import { blockOf, callbacksPending } from './evidence.ts';
import { cpuNow } from './naming.ts';
import { type Verdict, verdict } from './verdict.ts';

/** A stall now (`now`: microseconds on the machine's clock, modulo 2^32), or null. */
export function findStall(
  words: Words,
  map: ArenaMap,
  limitMs: number,
  now: number = nowUs(),
): Verdict | null {
  const epoch = words[CONTROL.rcuEpoch]!;
  if (((words[CONTROL.rcuWanted]! - epoch) | 0) <= 0) return null;
  const waitedUs = longestWait(words, map, epoch, now);
  const stoodUs = (now - words[CONTROL.rcuEpochSince]!) | 0;
  const stalledMs = Math.floor(Math.min(waitedUs, stoodUs) / 1000);
  if (stalledMs < limitMs) return null;
  const late = cpusBehind(words, map, epoch);
  const names = late.map((cpu) => {
    const block = blockOf(map, cpu);
    const nesting = words[block + PERCPU.rcuNesting]!;
    const operation = `operation ${words[block + PERCPU.operation]!}`;
    return `${cpuNow(words, map, cpu)} in ${operation} with ${nesting} read sections open`;
  });
  const who =
    late.length === 0
      ? 'every CPU has reported, and nobody moves on'
      : `not reported: ${names.join(', ')}`;
  return verdict('rcu-stall', late, `a grace period has not ended for ${stalledMs} ms; ${who}`);
}

/** CPUs that have not reported in grace period `epoch`. */
export function cpusBehind(words: Words, map: ArenaMap, epoch: number): number[] {
  const late: number[] = [];
  for (let cpu = 0; cpu < map.geometry.cpus; cpu++) {
    const seen = words[blockOf(map, cpu) + PERCPU.rcuSeen]!;
    if (seen !== 0 && seen !== epoch) late.push(cpu);
  }
  return late;
}

/**
 * How long the oldest callback or sleeping CPU has waited for an epoch that is yet to come, in
 * microseconds.
 */
function longestWait(words: Words, map: ArenaMap, epoch: number, now: number): number {
  let longest = -1;
  for (let cpu = 0; cpu < map.geometry.cpus; cpu++) {
    const block = blockOf(map, cpu);
    if (callbacksPending(words, map, cpu) > 0) {
      const position = words[block + PERCPU.rcuTail]! & (RCU_QUEUE_MAX - 1);
      const oldest = block + PERCPU.rcuQueue + position * RCU_RECORD.sizeWords;
      if (((words[oldest + RCU_RECORD.epoch]! - epoch) | 0) > 0)
        longest = Math.max(longest, (now - words[oldest + RCU_RECORD.sinceUs]!) | 0);
    }
    // Waits are timed in milliseconds; both clocks count modulo 2^32.
    if (words[block + PERCPU.waitAt] === CONTROL.rcuEpoch)
      longest = Math.max(longest, (now - Math.imul(words[block + PERCPU.waitSince]!, 1000)) | 0);
  }
  return longest;
}
