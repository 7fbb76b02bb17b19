/**
 * What the judges are given, and decoded views of it: facts, per-CPU blocks, table and page
 * descriptors.
 */
import { CONTROL } from '#arena/layout/control';
import { FACT_RECORD, FACTS_MAX, PERCPU } from '#arena/layout/percpu';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import { FACTS, type FactName } from '#trace/fact';

export interface Evidence {
  readonly words: Words;
  readonly map: ArenaMap;
  /** Whether each table has a lock of its own. */
  readonly splitLocks: boolean;
  /** Whether each table counts its entries, and those that map the zero page (`TABLE_COUNTS`). */
  readonly countsEntries: boolean;
  /** Lock classes that use the ticket algorithm, as bits `1 << class`. */
  readonly ticketClasses: number;
  /**
   * `fair`: after the fair phase, nothing runs, callbacks are drained, the address space is still
   * mapped. `exit`: after the end of the process, nothing may be left. `halted`: a fact left memory
   * in doubt, and only facts are judged. `stopped`: the run was cut off; facts, and who waits for
   * whom.
   */
  readonly moment: 'fair' | 'exit' | 'halted' | 'stopped';
}

/** A fact with who noted it; the meaning of its words depends on its kind (trace/fact.ts). */
export interface Fact {
  readonly kind: FactName;
  readonly cpu: number;
  readonly actor: number;
  readonly operation: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly e: number;
}

/** The facts that were kept, CPU by CPU, each CPU's in the order of time. */
export function keptFacts({ words, map }: Evidence): Fact[] {
  const facts: Fact[] = [];
  for (let cpu = 0; cpu < map.geometry.cpus; cpu++) {
    const block = blockOf(map, cpu);
    const kept = Math.min(words[block + PERCPU.factCount]!, FACTS_MAX);
    for (let i = 0; i < kept; i++) {
      const at = block + PERCPU.facts + i * FACT_RECORD.sizeWords;
      facts.push({
        kind: FACTS[words[at + FACT_RECORD.kind]!]!,
        cpu,
        actor: words[at + FACT_RECORD.actor]!,
        operation: words[at + FACT_RECORD.operation]!,
        a: words[at + FACT_RECORD.a]!,
        b: words[at + FACT_RECORD.b]!,
        c: words[at + FACT_RECORD.c]!,
        d: words[at + FACT_RECORD.d]!,
        e: words[at + FACT_RECORD.e]!,
      });
    }
  }
  return facts;
}

/** Facts that CPU `cpu` noted when its record was full. */
export function factsNotKept({ words, map }: Evidence, cpu: number): number {
  return Math.max(0, words[blockOf(map, cpu) + PERCPU.factCount]! - FACTS_MAX);
}

/** Place of CPU `cpu`'s block. */
export function blockOf(map: ArenaMap, cpu: number): number {
  return map.percpu + cpu * map.percpuWords;
}

/** The CPU whose block has the word `at` at offset `offset`; null: there is none. */
export function cpuOfWord(map: ArenaMap, at: number, offset: number): number | null {
  const cpu = (at - map.percpu - offset) / map.percpuWords;
  return Number.isInteger(cpu) && cpu >= 0 && cpu < map.geometry.cpus ? cpu : null;
}

/** The sum over all CPUs of the word at offset `offset` of their blocks. */
export function sumOverCpus({ words, map }: Evidence, offset: number): number {
  let sum = 0;
  for (let cpu = 0; cpu < map.geometry.cpus; cpu++) sum += words[blockOf(map, cpu) + offset]!;
  return sum;
}

/** Callbacks of CPU `cpu` that have not run. */
export function callbacksPending(words: Words, map: ArenaMap, cpu: number): number {
  const block = blockOf(map, cpu);
  return (words[block + PERCPU.rcuHead]! - words[block + PERCPU.rcuTail]!) | 0;
}

/** One kind of frames: how many numbers have been handed out, and how many there can be. */
export interface Frames {
  readonly noun: 'table' | 'body' | 'page';
  /** The first number that is not reserved. */
  readonly first: number;
  /** The first number that has never been handed out, brought into its limits. */
  readonly fresh: number;
  /** Whether the arena's own word for it was within its limits. */
  readonly isFreshLegal: boolean;
}

export function framesOf(evidence: Evidence, noun: Frames['noun']): Frames {
  const { words, map } = evidence;
  const { tables, bodies, pages } = map.geometry;
  const limit = { table: tables, body: bodies, page: pages }[noun];
  const first = noun === 'page' ? 2 : 1;
  const word = { table: CONTROL.tableFresh, body: CONTROL.bodyFresh, page: CONTROL.zoneFresh };
  const fresh = words[word[noun]]!;
  const legal = Math.min(Math.max(fresh, first), limit);
  return { noun, first, fresh: legal, isFreshLegal: legal === fresh };
}
