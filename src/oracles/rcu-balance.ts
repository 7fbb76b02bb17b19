/**
 * RCU: readers that saw a grace period end too early, sections out of balance, callbacks that never
 * ran.
 */
import { PERCPU } from '#arena/layout/percpu';
import type { Audit } from './audit.ts';
import { blockOf, callbacksPending, type Evidence, type Fact } from './evidence.ts';
import { whoNoted } from './naming.ts';
import { type Findings, type Verdict, verdict } from './verdict.ts';

/** Grace periods that may end after an element was retired while a reader from before is inside. */
const STAGES_LEGAL = 1;

/**
 * Words: element, stage seen (how many grace periods have ended since it was retired, plus one).
 */
export function rcuTooEarly(_: Evidence, fact: Fact): Verdict {
  const { a: element, b: stage } = fact;
  return verdict(
    'rcu-too-early',
    [fact.cpu],
    `${whoNoted(fact)} still reads element ${element} at stage ${stage}; no reader may see ` +
      `one beyond stage ${STAGES_LEGAL}`,
  );
}

/** Words: nesting found. */
export function rcuUnbalanced(_: Evidence, fact: Fact): Verdict {
  const found =
    fact.a < 0
      ? 'closed a read section that it had not opened'
      : `is quiescent, or waits for a grace period, with ${fact.a} read sections open`;
  return verdict('rcu-unbalanced', [fact.cpu], `${whoNoted(fact)} ${found}`);
}

export function auditRcu({ evidence }: Audit, findings: Findings): void {
  const { words, map } = evidence;
  for (let cpu = 0; cpu < map.geometry.cpus; cpu++) {
    const nesting = words[blockOf(map, cpu) + PERCPU.rcuNesting]!;
    if (nesting !== 0)
      findings.add(
        'rcu-unbalanced',
        [cpu],
        () => `cpu${cpu} has come to its end with ${nesting} read sections open`,
      );
    const pending = callbacksPending(words, map, cpu);
    if (pending !== 0)
      findings.add(
        'rcu-stall',
        [cpu],
        () => `${pending} callbacks of cpu${cpu} have not run, and nobody will run them`,
      );
  }
}
