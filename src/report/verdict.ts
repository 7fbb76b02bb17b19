/**
 * What a run came to: a closed vocabulary, one word and one sentence each. A violation outweighs
 * all else; a run that was cut short is not held to its expectations.
 */
import { unreachable } from '#base/assert';
import type { ExpectationOutcome, Result, Run } from '#result/result';
import { formatCount, formatCounted, formatSeconds } from './format.ts';
import type { Style } from './page.ts';

export type Verdict =
  | { readonly kind: 'pass' }
  | { readonly kind: 'violated'; readonly violations: number; readonly kinds: readonly string[] }
  | { readonly kind: 'unmet'; readonly unmet: readonly ExpectationOutcome[] }
  | { readonly kind: 'deadline' }
  | { readonly kind: 'interrupted' };

export function verdictOf(run: Run): Verdict {
  const unmet = run.expectations.filter((each) => !each.met);
  if (run.violations.length > 0 || (run.exit === 'violation' && unmet.length === 0)) {
    const kinds = [...new Set(run.violations.map((each) => each.kind))];
    return { kind: 'violated', violations: run.violations.length, kinds };
  }
  if (run.exit === 'deadline') return { kind: 'deadline' };
  if (run.exit === 'interrupted') return { kind: 'interrupted' };
  return unmet.length > 0 ? { kind: 'unmet', unmet } : { kind: 'pass' };
}

/** The verdict that decides the exit code of all runs together; null when there is no run. */
export function worstVerdict({ runs }: Pick<Result, 'runs'>): Verdict['kind'] | null {
  const found = new Set(runs.map((run) => verdictOf(run).kind));
  return BY_WEIGHT.find((kind) => found.has(kind)) ?? null;
}

/** An interruption stands first: the person who pressed the key knows that the rest is missing. */
const BY_WEIGHT = ['interrupted', 'violated', 'deadline', 'unmet', 'pass'] as const;

/** One word, for a table. */
export function verdictWord(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'pass':
      return 'pass';
    case 'violated':
      return 'VIOLATED';
    case 'unmet':
      return 'UNMET';
    case 'deadline':
      return 'DEADLINE';
    case 'interrupted':
      return 'stopped';
    default:
      return unreachable(verdict);
  }
}

/** One sentence, for the headline of a run. */
export function verdictSentence(verdict: Verdict, run: Run): string {
  const time = formatSeconds(run.seconds);
  switch (verdict.kind) {
    case 'pass':
      return `pass: nothing was lost in ${time}, every race was handled and the audit balances.`;
    case 'violated':
      return `VIOLATED: ${formatCounted(verdict.violations, 'violation')}${among(verdict.kinds)}.`;
    case 'unmet':
      return `UNMET: no violation, but ${names(verdict.unmet)} is not as the scenario expects.`;
    case 'deadline':
      return `DEADLINE: the run had not ended when its deadline came; the figures are partial.`;
    case 'interrupted':
      return `stopped: interrupted after ${time} without a violation; the figures are partial.`;
    default:
      return unreachable(verdict);
  }
}

export function verdictStyle(verdict: Verdict): Style {
  switch (verdict.kind) {
    case 'pass':
      return 'good';
    case 'violated':
    case 'unmet':
    case 'deadline':
      return 'bad';
    case 'interrupted':
      return 'warn';
    default:
      return unreachable(verdict);
  }
}

function among(kinds: readonly string[]): string {
  return kinds.length === 0 ? '' : ` (${kinds.join(', ')})`;
}

function names(outcomes: readonly ExpectationOutcome[]): string {
  return outcomes.map(figureText).join(', ');
}

/** `pteTables`, or `phaseSeconds of fill`. */
function figureText({ figure, phase }: ExpectationOutcome): string {
  return phase === null ? figure : `${figure} of ${phase}`;
}

/** `met: pteTables is 5, expected at most 7`. */
export function expectationText(outcome: ExpectationOutcome): string {
  const { met, found } = outcome;
  const word = met ? 'met' : 'UNMET';
  return `${word}: ${figureText(outcome)} is ${formatCount(found)}, expected ${bounds(outcome)}`;
}

function bounds({ min, max }: ExpectationOutcome): string {
  if (min !== null && max !== null) return `${formatCount(min)} to ${formatCount(max)}`;
  if (min !== null) return `at least ${formatCount(min)}`;
  return max === null ? 'anything' : `at most ${formatCount(max)}`;
}
