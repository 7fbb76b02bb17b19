/**
 * The judges as the machine calls them. The machine belongs to the tested wing's side and imports
 * no oracle; whoever starts a run brings them.
 */
import { countsEntries } from '#arena/layout/protocol-words';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import type { Violation } from '#result/result';
import type { Plan } from '#scenario/plan';
import { lockClassesWith } from '#trace/vocabulary';

export type Verdict = Violation;

/**
 * What is judged, and when: `fair`, after the fair phase; `exit`, after the process has ended;
 * `halted`, a fact left memory in doubt; `stopped`, the run was cut off.
 */
export interface Evidence {
  readonly words: Words;
  readonly map: ArenaMap;
  readonly splitLocks: boolean;
  /** Whether each table counts its entries (`TABLE_COUNTS`). */
  readonly countsEntries: boolean;
  /** Lock classes that use the ticket algorithm, as bits. */
  readonly ticketClasses: number;
  readonly moment: 'fair' | 'exit' | 'halted' | 'stopped';
}

/** The machine of `plan` as it stands at `moment`. */
export function evidenceOf(
  plan: Plan,
  words: Words,
  map: ArenaMap,
  moment: Evidence['moment'],
): Evidence {
  const ticketClasses = lockClassesWith(plan.locks, 'ticket');
  const counts = countsEntries(plan.protocol, plan.options['guided']);
  const { splitLocks } = plan;
  return { words, map, splitLocks, countsEntries: counts, ticketClasses, moment };
}

/** CPU `cpu` waits for the word `at` to be no longer `seen`. */
export interface Wait {
  readonly cpu: number;
  readonly at: number;
  readonly seen: number;
}

export interface Judges {
  judge(evidence: Evidence): Verdict[];
  /** A cycle of CPUs that wait for each other, if there is one now. */
  findDeadlock(words: Words, map: ArenaMap): Verdict | null;
  /** A grace period that has been going on for longer than `limitMs`. */
  findStall(words: Words, map: ArenaMap, limitMs: number): Verdict | null;
  /** The verdict on a machine in which nothing has been done for `idle` ("3000 ms"). */
  tellLivelock(words: Words, map: ArenaMap, idle: string): Verdict;
}
