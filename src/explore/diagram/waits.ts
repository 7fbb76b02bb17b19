/**
 * Where nobody can go on: who holds what and waits for what, as the judges found it noted. And who
 * took which lock under which, where the order is wrong.
 */
import { PERCPU } from '#arena/layout/percpu';
import { blockOf } from '#oracles/evidence';
import { nameWord } from '#oracles/word-name';
import type { InterleavingWait } from '#result/interleaving';
import type { Act } from './acts.ts';
import type { Recording } from './recording.ts';

export interface LockWait extends InterleavingWait {
  /** The words of what is held, and the word waited for. */
  readonly held: readonly number[];
  readonly at: number;
  /** The acts by which it took what others wait for. */
  readonly blocks: readonly Act[];
}

export function waitsOf({ machine, execution }: Recording, acts: readonly Act[]): LockWait[] {
  if (execution.end !== 'deadlock') return [];
  const { words, map, plan } = machine;
  const waits = plan.columns.flatMap((_, cpu) => {
    const block = blockOf(map, cpu);
    const at = words[block + PERCPU.waitAt]!;
    if (at === 0) return [];
    const list = (first: number, count: number): number[] => [
      ...words.subarray(block + first, block + first + words[block + count]!),
    ];
    const held = [
      ...list(PERCPU.semaphores, PERCPU.semaphoreCount),
      ...list(PERCPU.held, PERCPU.heldCount),
    ];
    const [waitsFor, ...holds] = [at, ...held].map((word) => nameWord(words, map, word).name);
    return [{ cpu, at, held, holds, waitsFor: waitsFor! }];
  });
  return waits.map((wait) => ({ ...wait, blocks: blocksOf(wait, waits, acts) }));
}

function blocksOf(
  { cpu, held }: Pick<LockWait, 'cpu' | 'held'>,
  waits: readonly Pick<LockWait, 'cpu' | 'at'>[],
  acts: readonly Act[],
): Act[] {
  return held.flatMap((lock) => {
    const isWanted = waits.some((other) => other.cpu !== cpu && other.at === lock);
    const took = acts.findLast((act) => act.kind === 'lock' && act.cpu === cpu && act.at === lock);
    return isWanted && took !== undefined ? [took] : [];
  });
}

/** The first takes of one lock under another, for each two kinds of locks that `message` names. */
export function nestedTakes(acts: readonly Act[], message: string): Act[] {
  const takes: Act[] = [];
  const known = new Set<string>();
  const held = new Map<number, Act[]>();
  for (const act of acts) {
    const here = held.get(act.cpu) ?? [];
    if (act.kind === 'unlock') held.set(act.cpu, without(here, act.at));
    if (act.kind !== 'lock') continue;
    const outer = here.at(-1);
    held.set(act.cpu, [...here, act]);
    if (outer === undefined) continue;
    const kinds = [outer, act].map(({ text }) => /takes (?:its )?([\w-]+)/.exec(text)![1]!);
    if (known.has(kinds.join()) || !kinds.every((kind) => message.includes(kind))) continue;
    known.add(kinds.join());
    takes.push(outer, act);
  }
  return takes;
}

function without(held: readonly Act[], lock: number): Act[] {
  return held.filter(({ at }) => at !== lock);
}
