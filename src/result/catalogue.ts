/**
 * What `explore --broken all` found: each broken version of the catalogue with its exploration, how
 * often what was found could be replayed, and the controls, which are the same searches without
 * the flaw. Fields may be added.
 */
import type { Exploration } from './exploration.ts';

export interface CatalogueReport {
  pttorture: string;
  schema: 1;
  kind: 'catalogue';
  /** The command that made it, as it can be pasted into a shell. */
  command: string;
  seed: number;
  machine: Exploration['machine'];
  seconds: number;
  isInterrupted: boolean;
  entries: CatalogueEntry[];
  controls: CatalogueControl[];
}

export interface CatalogueEntry {
  name: string;
  /** Number in the catalogue of known races, or `control`. */
  bug: string;
  summary: string;
  source: string;
  /** The oracle that must fire, and the one that may come before it, with the reason. */
  oracle: string;
  before: { oracle: string; why: string } | null;
  /** Settings under which it shows, and those that are the flaw, as a replay word has them. */
  conditions: Record<string, string>;
  flaw: Record<string, string>;
  /** `found`: by its oracle; `before`: by the one that may come first; `other`; `silent`. */
  outcome: CatalogueOutcome;
  exploration: Exploration;
  /** Of what was found; null: nothing was. */
  replays: { times: number; alike: number; threads: string } | null;
}

export type CatalogueOutcome = 'found' | 'before' | 'other' | 'silent';

/**
 * What `replays.threads` says where real threads did what the schedule says, and found the same.
 */
export const THREADS_AGREE = 'same';

/** Whether its own oracle found it, or the one that may come before. */
export function isAsNamed({ outcome }: Pick<CatalogueEntry, 'outcome'>): boolean {
  return outcome === 'found' || outcome === 'before';
}

/** Whether what was found came back every time, and whether real threads found the same. */
export function isAlike({ replays }: Pick<CatalogueEntry, 'replays'>): boolean {
  return replays !== null && replays.alike === replays.times;
}

export function isOnThreads({ replays }: Pick<CatalogueEntry, 'replays'>): boolean {
  return replays?.threads === THREADS_AGREE;
}

export interface CatalogueControl {
  /** The broken versions whose scenario, protocol and conditions these are. */
  of: string[];
  exploration: Exploration;
}
