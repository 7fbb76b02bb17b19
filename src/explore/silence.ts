/** What it is worth that a search found no more: one sentence that claims nothing else. */

import type { StrategyChoice } from './search.ts';
import { chanceToFind } from './strategies/bounds.ts';
import { STRATEGIES } from './strategies/registry.ts';

export interface Searched {
  readonly strategy: StrategyChoice;
  readonly executions: number;
  readonly traces: number;
  readonly plans: number;
  readonly newShare: number;
  readonly isExhausted: boolean;
  readonly done: number | null;
  /** Of one execution, to find a bug. */
  readonly chance: number | null;
  readonly violations: number;
}

export function silenceOf(searched: Searched): string {
  const { executions, violations } = searched;
  if (executions === 0) return 'Nothing was executed, so nothing is known.';
  const subject =
    violations === 0 ? 'No violation' : `No other than ${told(violations, 'violation')}`;
  return `${subject} in ${told(executions, 'execution')}: ${worth(searched)}.`;
}

function worth(searched: Searched): string {
  const { strategy, plans } = searched;
  const { name } = strategy;
  if (name === 'dpor') return systematic(searched, 'all traces of these operations were tried');
  if (name === 'dfs') {
    const bound = strategy.bound ?? defaultOf('dfs', 'bound');
    return systematic(
      searched,
      `all schedules with at most ${told(bound, 'preemption')} were tried`,
    );
  }
  const chance = name === 'pct' && plans === 1 ? pctWorth(searched) : null;
  return [...(chance === null ? [] : [chance]), remaining(searched)].join('; ');
}

function systematic({ isExhausted, done }: Searched, all: string): string {
  if (isExhausted) return all;
  const part = done === null || done === 0 ? '' : ` about ${percent(done)} of the way`;
  return `the search was cut off${part}, so nothing is proven`;
}

/** The bound is that of one plan. A bug of less depth is found at least as often. */
function pctWorth({ strategy, chance, executions }: Searched): string | null {
  if (chance === null) return null;
  const depth = strategy.depth ?? defaultOf('pct', 'depth');
  const found = `a bug of depth up to ${depth} would have been found`;
  return `${found} with a chance of at least ${percent(chanceToFind(chance, executions))}`;
}

function defaultOf(strategy: string, option: 'depth' | 'bound'): number {
  return STRATEGIES.find(({ name }) => name === strategy)!.options[option]!.default;
}

function remaining({ traces, newShare, plans }: Searched): string {
  const of = plans === 1 ? '' : ` of ${told(plans, 'drawn plan')}`;
  return (
    `${told(traces, 'trace')}${of} were seen, and ${percent(newShare)} of the latest executions ` +
    'were new ones'
  );
}

function told(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}

/** Never rounded to certainty. */
function percent(share: number): string {
  if (share > 0 && share < 0.0001) return 'less than 0.01 %';
  if (share > 0.9999 && share < 1) return 'more than 99.99 %';
  return `${(100 * share).toFixed(share >= 0.1 ? 1 : 2)} %`;
}
