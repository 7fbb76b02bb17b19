/**
 * What the executions of a litmus scenario may end in, as litmus tests of memory models have an
 * `exists` clause: each outcome never, sometimes or always, by protocol. A violation is never
 * expected unless the file says so.
 */
import { z } from 'zod';
import type { Expected, OutcomeExpectation, OutcomeName } from './plan.ts';

/** The outcomes, and what each means. */
export const OUTCOME_MEANINGS: Readonly<Record<OutcomeName, string>> = {
  pmdChanged: 'Under the ptl, a CPU found that the pmd entry it had followed was another.',
  pmdGone: 'A walker that had seen a table found none when it mapped it.',
  pteChanged: 'Under the ptl, a CPU found another entry than it had seen without.',
  tableLost: 'A CPU had a table ready, and found that another CPU had put one there.',
  refilled: 'Whoever wanted to reclaim a table found it filled again under the locks.',
  pmdTrylockFailed: 'The zap that tried the pml under the ptl found it taken.',
  staleWalk: 'A lockless walker was inside a table when it was unhooked.',
  vmaLockFallback: 'A fault did not get the VMA lock and took the mmap lock.',
  trygetFailed: 'A walker asked for a reference to a table or page that was dying.',
  reclaimed: 'A PTE table was reclaimed: unhooked by the protocol.',
  tableKept: 'An empty PTE table was still hooked at the end of the main phase.',
  flushWaited: 'A CPU interrupted another one to have it flush, and waited.',
  overlap: 'A CPU walked by a table that it remembered when another had taken its place.',
  oom: 'A user access failed for lack of memory.',
  violation: 'An oracle found fault with the execution.',
};

export const OUTCOME_NAMES = Object.keys(OUTCOME_MEANINGS) as readonly OutcomeName[];

const expected = z.enum(['never', 'sometimes', 'always']);

const form = Object.fromEntries(
  Object.entries(OUTCOME_MEANINGS).map(([name, meaning]) => [
    name,
    expected.optional().describe(meaning),
  ]),
) as Record<OutcomeName, z.ZodOptional<typeof expected>>;

/** By protocol, or `any` for each; what is said of a protocol overrides what is said of any. */
export const outcomesSchema = z.record(z.string(), z.strictObject(form));

export type OutcomesForm = z.infer<typeof outcomesSchema>;

/** What is expected under `protocol`, in the order of the outcomes. */
export function outcomesUnder(forms: OutcomesForm, protocol: string): OutcomeExpectation[] {
  const said: Readonly<Partial<Record<OutcomeName, Expected | undefined>>> = {
    violation: 'never',
    ...forms['any'],
    ...forms[protocol],
  };
  return OUTCOME_NAMES.flatMap((outcome) => {
    const expected = said[outcome];
    return expected === undefined ? [] : [{ outcome, expected }];
  });
}
