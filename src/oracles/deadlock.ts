/**
 * Deadlock: a circle in the graph of who waits for whom. A waiting CPU names the word that it
 * sleeps on; from the word follows what it waits for, and from the other CPUs' words, who can give
 * it:
 *
 *     lock word                  the CPU that has it in its list of spinlocks held
 *     own MCS node               the same, for the lock that the node names
 *     VMA read word of a CPU     that CPU
 *     RCU epoch                  every CPU that has not reported
 *     RCU answer of a CPU        that CPU (in the abstract form, which has no epoch)
 *     round of the rendezvous    every CPU that has not come to it
 *
 * The mmap lock does not record its holders, so a circle through it is not found.
 */
import { CONTROL } from '#arena/layout/control';
import { HELD_MAX, MCS_DEPTH_MAX, MCS_NODE, PERCPU } from '#arena/layout/percpu';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import { blockOf, cpuOfWord } from './evidence.ts';
import { cpuNow, lockName } from './naming.ts';
import { cpusBehind } from './rcu-stall.ts';
import { type Verdict, verdict } from './verdict.ts';

/** CPU `from` waits for `what`, which CPU `to` holds, or (`isHeld` false) holds up. */
interface Wait {
  readonly from: number;
  readonly to: number;
  readonly what: string;
  readonly isHeld: boolean;
}

/**
 * A circle of CPUs that wait for each other, if there is one. Live, ask twice: CPUs may move
 * meanwhile.
 */
export function findDeadlock(words: Words, map: ArenaMap): Verdict | null {
  const waits = Array.from({ length: map.geometry.cpus }, (_, cpu) => waitsOf(words, map, cpu));
  const done = new Set<number>();
  for (let cpu = 0; cpu < waits.length; cpu++) {
    const circle = circleFrom(waits, cpu, [], done);
    if (circle !== null) {
      const cpus = circle.map(({ from }) => from);
      return verdict('deadlock', cpus, describe(words, map, circle));
    }
  }
  return null;
}

function waitsOf(words: Words, map: ArenaMap, cpu: number): Wait[] {
  const block = blockOf(map, cpu);
  const at = words[block + PERCPU.waitAt]!;
  if (at === 0 || words[at] !== words[block + PERCPU.waitSeen]) return [];
  const wait = (to: number, what: string, isHeld: boolean): Wait => ({
    from: cpu,
    to,
    what,
    isHeld,
  });
  if (at === CONTROL.rcuEpoch)
    return cpusBehind(words, map, words[at]!).map((to) => wait(to, 'a grace period', false));
  const asked = cpuOfWord(map, at, PERCPU.rcuAnswered);
  if (asked !== null) return [wait(asked, 'a grace period', false)];
  if (at === CONTROL.round)
    return cpusElsewhere(words, map).map((to) => wait(to, 'the rendezvous', false));
  const reader = readerOfVma(map, at);
  if (reader !== null) return [wait(reader.cpu, `the read lock of vma ${reader.vma}`, true)];
  const node = nodeAt(block, at);
  const lock = node === 0 ? at : words[node + MCS_NODE.lock]!;
  return holdersOf(words, map, lock).map((to) => wait(to, lockName(words, map, lock), true));
}

/** CPUs that do not wait at the rendezvous. One that runs, or a kernel thread, closes no circle. */
function cpusElsewhere(words: Words, map: ArenaMap): number[] {
  const elsewhere: number[] = [];
  for (let cpu = 0; cpu < map.geometry.cpus; cpu++) {
    if (words[blockOf(map, cpu) + PERCPU.waitAt] !== CONTROL.round) elsewhere.push(cpu);
  }
  return elsewhere;
}

function readerOfVma(map: ArenaMap, at: number): { cpu: number; vma: number } | null {
  const cpu = Math.floor((at - map.percpu) / map.percpuWords);
  if (cpu < 0 || cpu >= map.geometry.cpus) return null;
  const vma = at - blockOf(map, cpu) - map.vmaReaders;
  return vma >= 0 && vma < map.geometry.vmas ? { cpu, vma } : null;
}

/** The MCS node of the CPU with this block whose `waiting` word is at `at`; 0: none. */
function nodeAt(block: number, at: number): number {
  for (let i = 0; i < MCS_DEPTH_MAX; i++) {
    const node = block + PERCPU.mcs + i * MCS_NODE.sizeWords;
    if (node + MCS_NODE.waiting === at) return node;
  }
  return 0;
}

function holdersOf(words: Words, map: ArenaMap, lock: number): number[] {
  const holders: number[] = [];
  for (let cpu = 0; cpu < map.geometry.cpus; cpu++) {
    const block = blockOf(map, cpu);
    const count = Math.min(words[block + PERCPU.heldCount]!, HELD_MAX);
    for (let i = 0; i < count; i++)
      if (words[block + PERCPU.held + i] === lock) {
        holders.push(cpu);
        break;
      }
  }
  return holders;
}

/**
 * The circle that the path of waits, continued at `cpu`, closes; null: none leads on from there.
 */
function circleFrom(
  waits: readonly Wait[][],
  cpu: number,
  path: readonly Wait[],
  done: Set<number>,
): Wait[] | null {
  const again = path.findIndex(({ from }) => from === cpu);
  if (again >= 0) return path.slice(again);
  if (done.has(cpu)) return null;
  for (const wait of waits[cpu]!) {
    const circle = circleFrom(waits, wait.to, [...path, wait], done);
    if (circle !== null) return circle;
  }
  done.add(cpu);
  return null;
}

/** `cpu0 (madvise) holds A and waits for B, held by cpu1 (scanner), which waits for A`. */
function describe(words: Words, map: ArenaMap, circle: readonly Wait[]): string {
  const first = circle[0]!;
  const last = circle.at(-1)!;
  const name = (cpu: number): string => cpuNow(words, map, cpu);
  if (circle.length === 1) {
    const act = first.isHeld ? 'which it holds itself' : 'which it holds up itself';
    return `${name(first.from)} waits for ${first.what}, ${act}`;
  }
  const links = circle.slice(0, -1).map(({ to, isHeld }, i) => {
    const next = circle[i + 1]!;
    return `${isHeld ? 'held' : 'held up'} by ${name(to)}, which waits for ${next.what}`;
  });
  const holds = last.isHeld ? 'holds' : 'holds up';
  const begin = `${name(first.from)} ${holds} ${last.what} and waits for ${first.what}`;
  return [begin, ...links].join(', ');
}
