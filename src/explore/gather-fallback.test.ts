/**
 * What becomes of a table when there is no memory for the gather's batch: a grace period is needed,
 * for those who may be inside it. (An interrupt to all CPUs is not enough either, K-10; that shows
 * only where a reader is interrupted within its read section.)
 */
import { expect, test } from 'vitest';
import type { Plan } from '#scenario/plan';
import type { Execution } from './execution.ts';
import { machineFor, PLANS, randomly } from './small.suite.ts';

const EXECUTIONS_MAX = 2000;
const EXECUTIONS = 300;

test('freed at once, a table is used after it', async () => {
  const failure = await firstFailure('now', EXECUTIONS_MAX);
  expect(failure?.verdicts[0]?.kind).toBe('use-after-free');
});

test.each(['rcu', 'sync'] as const)('freed by way of %s, no table is', async (fallback) => {
  expect(await firstFailure(fallback, EXECUTIONS)).toBe(null);
});

async function firstFailure(
  gatherFallback: Plan['gatherFallback'],
  executions: number,
): Promise<Execution | null> {
  const plan = { ...PLANS.faultVsZap, gatherFallback, allocFailPerMillion: 300_000 };
  const machine = await machineFor(null, plan);
  const strategy = randomly(1);
  for (let execution = 0; execution < executions; execution++) {
    const found = machine.execute(strategy, execution);
    if (found.verdicts.length > 0) return found;
    expect(found.end).toBe('done');
  }
  return null;
}
