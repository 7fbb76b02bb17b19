/**
 * The living source as a witness. Nothing is held against a mutation that the living source does as
 * well: each finding is tried on it, in ten times as many executions.
 *
 * And outcomes as judges: what a scenario says happens never or always has happened, or not, or
 * what happened often has stopped.
 */
import { OUTCOMES } from '#explore/outcomes';
import type { Figures } from '#explore/search';
import { Searchers } from '#explore/searchers';
import type { OutcomeExpectation } from '#scenario/plan';
import type { MutationCase } from './mutation-cases.ts';
import { type Control, STRATEGIES } from './mutation-control.ts';

/** What the executions of a case came to so far. */
export interface Tally {
  executions: number;
  /** Outcomes of some, and of all, as bits. */
  some: number;
  all: number;
  violations: number;
}

export const NOTHING: Tally = { executions: 0, some: 0, all: -1, violations: 0 };

/**
 * An outcome that one execution in twenty had is missed when it is absent for so many: by chance
 * that happens less than once in a million cases.
 */
const FREQUENT = 0.05;
const MISSED_AFTER = 280;

const MORE = 10;
/** Seeds of its own. */
const SEED = 900_000_000;

export class Witness {
  /** What is said of the living source, and is not so. */
  readonly doubtful = new Set<string>();
  private readonly living: Searchers;

  /** `stepped`: URL of the living source's stepped tree. */
  constructor(stepped: string) {
    this.living = new Searchers(1, stepped);
  }

  /** Whether a case in which something was found after so many executions is at fault itself. */
  async errs({ of }: Control, executions: number): Promise<boolean> {
    const saying = `violation: never, in ${of.name}`;
    if (this.doubtful.has(saying)) return true;
    const { violations } = await this.livingTally(of, MORE * executions);
    if (violations > 0) this.doubtful.add(saying);
    return violations > 0;
  }

  /** What is not as the scenario says, or null. */
  async unmet({ of, seen, executions }: Control, tally: Tally): Promise<string | null> {
    for (const expectation of of.plan.outcomes) {
      const { outcome, expected } = expectation;
      const saying = `${outcome}: ${expected}, in ${of.name}`;
      if (outcome === 'violation' || this.doubtful.has(saying)) continue;
      if (expected === 'sometimes') {
        const isFrequent = seen[OUTCOMES.indexOf(outcome)]! >= FREQUENT * executions;
        if (!isFrequent || tally.executions < MISSED_AFTER || some(outcome, tally)) continue;
      } else {
        if (!breaks(expectation, tally)) continue;
        if (breaks(expectation, await this.livingTally(of, MORE * tally.executions))) {
          this.doubtful.add(saying);
          continue;
        }
      }
      return `"${outcome}: ${expected}" is not so in ${tally.executions} executions`;
    }
    return null;
  }

  close(): Promise<void> {
    return this.living.close();
  }

  private async livingTally({ plan }: MutationCase, executionsMax: number): Promise<Tally> {
    const tally: Tally = { ...NOTHING };
    for (const name of STRATEGIES) {
      const order = {
        plan: { ...plan, seed: plan.seed + SEED },
        strategy: { name },
        executionsMax,
      };
      const [reply] = await this.living.search(order, {
        ...{ onProgress: () => {}, onFound: () => false, signal: new AbortController().signal },
      });
      addTo(tally, reply!.figures);
    }
    return tally;
  }
}

export function addTo(tally: Tally, figures: Figures): void {
  tally.executions += figures.executions;
  tally.some |= figures.someOutcomes;
  tally.all &= figures.allOutcomes;
  tally.violations += figures.violations;
}

function breaks({ outcome, expected }: OutcomeExpectation, tally: Tally): boolean {
  if (tally.executions === 0) return false;
  if (expected === 'never') return some(outcome, tally);
  return (tally.all & (1 << OUTCOMES.indexOf(outcome))) === 0;
}

function some(outcome: OutcomeExpectation['outcome'], tally: Tally): boolean {
  return (tally.some & (1 << OUTCOMES.indexOf(outcome))) !== 0;
}
