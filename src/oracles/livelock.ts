/**
 * A run that goes nowhere: no CPU has finished any work for a limit, and the cause is neither a
 * deadlock nor a stalled grace period. Told with what each CPU does and waits for.
 */
import { CONTROL } from '#arena/layout/control';
import { PERCPU } from '#arena/layout/percpu';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import { blockOf } from './evidence.ts';
import { cpuNow, lockName } from './naming.ts';
import { type Verdict, verdict } from './verdict.ts';

/** The verdict on a machine whose work counters have stood still for `idle` ("3000 ms"). */
export function tellLivelock(words: Words, map: ArenaMap, idle: string): Verdict {
  const cpus: number[] = [];
  const acts: string[] = [];
  for (let cpu = 0; cpu < map.geometry.cpus; cpu++) {
    const block = blockOf(map, cpu);
    const at = words[block + PERCPU.waitAt]!;
    const held = words[block + PERCPU.heldCount]!;
    if (at === CONTROL.round) continue;
    cpus.push(cpu);
    const waits = at === 0 ? 'runs' : `waits for ${lockName(words, map, at)}`;
    acts.push(`${cpuNow(words, map, cpu)} ${waits} and holds ${held} spinlocks`);
  }
  return verdict('livelock', cpus, `no CPU has got any further for ${idle}: ${acts.join('; ')}`);
}
