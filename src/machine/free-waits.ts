/**
 * What the CPUs of a confirmation wait for where they run freely: behind the decided steps, in the
 * fair phase, and at the exit. A CPU at the gate sleeps for its turn, and for no word of the arena.
 */
import { ORDER } from '#arena/enforced';
import { CONTROL, PHASE } from '#arena/layout/control';
import { PERCPU } from '#arena/layout/percpu';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import type { Wait } from './judges.ts';

/**
 * Whether every CPU sleeps for a word to change, or has come to the end of its column while others
 * sleep. One look proves nothing: it must be seen twice, with no step between.
 */
export function doAllWait(order: Words, words: Words, map: ArenaMap): boolean {
  const cpus = order[ORDER.cpus]!;
  const phase = words[CONTROL.phase]!;
  const living = phase === PHASE.main || phase === PHASE.fair ? cpus : 1;
  const ended = phase === PHASE.main ? order[ORDER.ended]! : 0;
  // When all columns have ended CPU 0 begins the fair phase; others may by then wait at its end.
  if (ended === cpus) return false;
  let waiting = 0;
  for (let cpu = 0; cpu < living; cpu++) if (isWaiting(words, blockOf(map, cpu))) waiting++;
  return waiting > 0 && waiting + ended >= living;
}

/** What the first `cpus` CPUs wait for, meetings of all CPUs apart. */
export function freeWaits(words: Words, map: ArenaMap, cpus: number): Wait[] {
  const waits: Wait[] = [];
  for (let cpu = 0; cpu < cpus; cpu++) {
    const block = blockOf(map, cpu);
    const at = words[block + PERCPU.waitAt]!;
    if (at === 0 || at === CONTROL.round) continue;
    waits.push({ cpu, at, seen: words[block + PERCPU.waitSeen]! });
  }
  return waits;
}

/** Whether a CPU sleeps for a word to change, and has no interrupt to serve. */
function isWaiting(words: Words, block: number): boolean {
  const at = words[block + PERCPU.waitAt]!;
  return (
    at !== 0 &&
    words[at] === words[block + PERCPU.waitSeen] &&
    words[block + PERCPU.ipiWanted] === words[block + PERCPU.ipiServed]
  );
}

function blockOf(map: ArenaMap, cpu: number): number {
  return map.percpu + cpu * map.percpuWords;
}
