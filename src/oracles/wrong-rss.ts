/**
 * The resident set size, and the swap space in use, summed over the CPUs' counters, against the
 * entries that map a page of their own and the swap entries.
 */
import { COUNTER } from '#trace/counters';
import type { Audit } from './audit.ts';
import { sumOverCpus } from './evidence.ts';
import type { Findings } from './verdict.ts';

export function auditRss({ evidence, tree }: Audit, findings: Findings): void {
  if (!tree.isComplete) return;
  const counted = sumOverCpus(evidence, COUNTER.rss);
  const { mapped } = tree;
  if (counted !== mapped)
    findings.add('wrong-rss', [], () => `rss is ${counted} pages, and entries map ${mapped}`);
  const inSwap = sumOverCpus(evidence, COUNTER.swapUsed);
  const { swapped } = tree;
  if (inSwap !== swapped)
    findings.add(
      'wrong-rss',
      [],
      () => `swap in use is ${inSwap} pages, and ${swapped} swap entries name one`,
    );
}
