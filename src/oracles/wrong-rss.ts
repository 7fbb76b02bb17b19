/**
 * The resident set size, summed over the CPUs' counters, against the entries that map a page of
 * their own.
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
}
