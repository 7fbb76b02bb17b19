/** What a judge finds, and the collector that keeps a flood of like findings readable. */
import type { OracleName } from './vocabulary.ts';

export interface Verdict {
  readonly kind: OracleName;
  readonly message: string;
  readonly cpus: number[];
  /** How to see it again; whoever has a schedule fills it in. */
  readonly replay: null;
}

/** Verdicts of one kind that are told in full; the rest is counted. */
export const TOLD_MAX = 5;

export function verdict(kind: OracleName, cpus: readonly number[], message: string): Verdict {
  return { kind, message, cpus: [...new Set(cpus)].sort((a, b) => a - b), replay: null };
}

/** Collects verdicts in order; words are found only for those that will be told. */
export class Findings {
  private readonly told: Verdict[] = [];
  private readonly found = new Map<OracleName, number>();

  add(kind: OracleName, cpus: readonly number[], describe: () => string): void {
    const before = this.found.get(kind) ?? 0;
    this.found.set(kind, before + 1);
    if (before < TOLD_MAX) this.told.push(verdict(kind, cpus, describe()));
  }

  /** Counts `more` findings of which nothing but their number is known. */
  addUntold(kind: OracleName, more: number): void {
    this.found.set(kind, (this.found.get(kind) ?? 0) + more);
  }

  /** All verdicts, and for each kind of which there were too many, how many more. */
  verdicts(): Verdict[] {
    const all = [...this.told];
    for (const [kind, found] of this.found) {
      const told = this.told.filter((each) => each.kind === kind).length;
      if (found > told) all.push(verdict(kind, [], `${found - told} more of this kind`));
    }
    return all;
  }
}
