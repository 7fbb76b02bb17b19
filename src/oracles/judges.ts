/**
 * The bench of judges. Facts come first, in the order in which each CPU noted them, since the first
 * is the one that matters; then, if nothing runs any more, the audit of the whole arena. What may
 * happen some day, an order of locks, comes after all that has happened.
 */
import type { FactName } from '#trace/fact';
import { type AuditJudge, beginAudit } from './audit.ts';
import { findDeadlock } from './deadlock.ts';
import { dontneedNotDone } from './dontneed-not-done.ts';
import { auditDoubleFree, doubleFree } from './double-free.ts';
import { type Evidence, type Fact, factsNotKept, keptFacts } from './evidence.ts';
import { auditLeaks } from './frame-leak.ts';
import { tellLivelock } from './livelock.ts';
import { auditLocks } from './lock-held-at-end.ts';
import { judgeLockOrder } from './lock-order.ts';
import { auditLostData, lostData } from './lost-data.ts';
import { auditLostEntry, lostEntry } from './lost-entry.ts';
import { exclusionLost } from './mutual-exclusion.ts';
import { nonemptyFreed, nonemptyUnhooked } from './nonempty-table-freed.ts';
import { auditPercpuReferences } from './percpu-references.ts';
import { auditRcu, rcuTooEarly, rcuUnbalanced } from './rcu-balance.ts';
import { findStall } from './rcu-stall.ts';
import { auditReferences, countUnderflow, referencesLeft, tableLeft } from './reference-count.ts';
import { sleepInAtomic, waitIrqsOff } from './sleep-in-atomic.ts';
import { staleRemembered, staleTranslation } from './stale-translation.ts';
import { auditTableCounts } from './table-counts.ts';
import { auditTableZero, tableZero } from './table-zero.ts';
import { untruthfulError } from './untruthful-error.ts';
import {
  auditUseAfterFree,
  frameMismatch,
  pageMismatch,
  pageReused,
  vmaGone,
} from './use-after-free.ts';
import { Findings, type Verdict } from './verdict.ts';
import { auditMapcount } from './wrong-mapcount.ts';
import { auditNrPtes } from './wrong-nr-ptes.ts';
import { auditRss } from './wrong-rss.ts';

/** Who judges which fact. */
const OF_FACTS: Readonly<Record<FactName, (evidence: Evidence, fact: Fact) => Verdict>> = {
  frameMismatch,
  tableZero,
  lostEntry,
  nonemptyUnhooked,
  nonemptyFreed,
  doubleFree,
  lostData,
  rcuTooEarly,
  rcuUnbalanced,
  exclusionLost,
  sleepInAtomic,
  pageMismatch,
  countUnderflow,
  staleTranslation,
  tableLeft,
  referencesLeft,
  dontneedNotDone,
  staleRemembered,
  pageReused,
  waitIrqsOff,
  untruthfulError,
  vmaGone,
};

/** Who judges the arena at rest; what endangers memory comes before what merely counts wrong. */
const OF_THE_ARENA: readonly AuditJudge[] = [
  auditUseAfterFree,
  auditTableZero,
  auditDoubleFree,
  auditLostEntry,
  auditLostData,
  auditReferences,
  auditTableCounts,
  auditPercpuReferences,
  auditMapcount,
  auditRss,
  auditNrPtes,
  auditLeaks,
  auditRcu,
  auditLocks,
];

/**
 * Everything that is wrong with `evidence`. Ask at `exit` only if `fair` found nothing: facts stay
 * noted, and what was wrong before the end of the process is wrong after it.
 */
export function judge(evidence: Evidence): Verdict[] {
  const findings = new Findings();
  judgeFacts(evidence, findings);
  if (evidence.moment === 'fair' || evidence.moment === 'exit') {
    const audit = beginAudit(evidence);
    for (const judgeArena of OF_THE_ARENA) judgeArena(audit, findings);
  } else if (evidence.moment === 'stopped') {
    const deadlock = findDeadlock(evidence.words, evidence.map);
    if (deadlock !== null) findings.add(deadlock.kind, deadlock.cpus, () => deadlock.message);
  }
  judgeLockOrder(evidence, findings);
  return findings.verdicts();
}

/** The judges for whoever starts a run. */
export const JUDGES = { judge, findDeadlock, findStall, tellLivelock };

function judgeFacts(evidence: Evidence, findings: Findings): void {
  const facts = keptFacts(evidence);
  for (const fact of facts) {
    const { kind, cpus, message } = OF_FACTS[fact.kind](evidence, fact);
    findings.add(kind, cpus, () => message);
  }
  for (let cpu = 0; cpu < evidence.map.geometry.cpus; cpu++) {
    const more = factsNotKept(evidence, cpu);
    const last = facts.findLast((fact) => fact.cpu === cpu);
    // Of these nothing is known; a CPU that floods its record mostly repeats itself.
    if (more > 0 && last !== undefined)
      findings.addUntold(OF_FACTS[last.kind](evidence, last).kind, more);
  }
}
