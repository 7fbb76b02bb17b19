/** Several rounds of one plan come to one run in the result. */
import { verdictOf, worstVerdict } from '#report/verdict';
import type { Run } from '#result/result';
import { throughput } from '#result/throughput';

/**
 * The run with the median throughput; of an even number, the lower of the two in the middle. A
 * round that did not pass takes its place, a violation before all others. One that was interrupted
 * stands only where there is no whole one.
 */
export function reportedRun(rounds: readonly Run[]): Run {
  const whole = rounds.filter((run) => verdictOf(run).kind !== 'interrupted');
  const runs = whole.length > 0 ? whole : [...rounds];
  const worst = worstVerdict({ runs });
  const failed = worst === 'pass' ? undefined : runs.find((run) => verdictOf(run).kind === worst);
  const perSecond = runs.map(throughput);
  return { ...(failed ?? median(runs)), rounds: { n: runs.length, perSecond } };
}

function median(runs: readonly Run[]): Run {
  const sorted = runs.toSorted((a, b) => throughput(a) - throughput(b));
  return sorted[(sorted.length - 1) >> 1];
}
