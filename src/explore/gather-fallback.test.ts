/**
 * What becomes of a table when there is no memory for the gather's batch: a grace period is needed,
 * for those who may be inside it. An interrupt to all CPUs is enough for those who have interrupts
 * off (the hardware, GUP-fast); any other reader answers it from within the table (K-10).
 */
import { expect, test } from 'vitest';
import { GATE } from '#arena/gate';
import { STEP } from '#arena/layout/history';
import type { Op, Plan, Walker } from '#scenario/plan';
import type { Execution } from './execution.ts';
import { machineFor, PLANS, times } from './small.suite.ts';
import { PosStrategy } from './strategies/pos.ts';

const EXECUTIONS_MAX = 2000;
const EXECUTIONS = 300;
const FAILING = { allocFailPerMillion: 300_000 };

test('freed at once, a table is used after it', async () => {
  const failure = await firstFailure(against('pagemap', 'read'), 'now', EXECUTIONS_MAX);
  expect(failure?.verdicts[0]?.kind).toBe('use-after-free');
});

test.each(['rcu', 'sync'] as const)('freed by way of %s, no table is', async (fallback) => {
  expect(await firstFailure({ ...PLANS.faultVsZap, ...FAILING }, fallback, EXECUTIONS)).toBe(null);
});

test('freed after an interrupt to all CPUs, it is by a reader that takes no lock', async () => {
  const failure = await firstFailure(against('pagemap', 'read'), 'ipi', EXECUTIONS_MAX);
  expect(failure?.verdicts[0]?.kind).toBe('use-after-free');
  expect(failure?.verdicts[0]?.message).toMatch(/\(walker, /);
});

test.each(['rcu', 'sync'] as const)('by way of %s, it is not', async (fallback) => {
  expect(await firstFailure(against('pagemap', 'read'), fallback, EXECUTIONS_MAX)).toBe(null);
});

test('after an interrupt, it is not by GUP-fast, which has interrupts off', async () => {
  const failure = await firstFailure(against('gup-fast', 'write'), 'ipi', EXECUTIONS_MAX);
  // But by what it does where it finds nothing: GUP takes the ptl, and answers while it waits.
  const { history } = failure!;
  const latest = Array.from({ length: 12 }, (_, i) => history.decided - 1 - i);
  expect(latest.map((step) => history.step(step, STEP.op))).toContain(GATE.acquire);
});

/**
 * One CPU walks two tables, the other fills and zaps them. Who frees one interrupts twice: for the
 * flush, and before the free. A reader must be in the same table both times.
 */
function against(walker: Walker, access: 'read' | 'write'): Plan {
  const whole = { region: 0, extent: 'whole', share: 'all' } as const;
  const touch: Op = { op: 'touch', access, pages: 'every', ...whole };
  const zap: Op = { op: 'dontneed', ...whole };
  const walk: Op = { op: 'walk', walker, ...whole };
  const regions = [{ name: 'heap', pages: 8, flags: [], gapPages: 0 }];
  const columns = [[times(12, walk)], [times(4, touch, zap)]];
  return { ...PLANS.faultVsZap, regions, columns, allocFailPerMillion: 500_000 };
}

async function firstFailure(
  small: Plan,
  gatherFallback: Plan['gatherFallback'],
  executions: number,
): Promise<Execution | null> {
  const machine = await machineFor(null, { ...small, gatherFallback });
  const strategy = new PosStrategy(1);
  for (let execution = 0; execution < executions; execution++) {
    const found = machine.execute(strategy, execution);
    if (found.verdicts.length > 0) return found;
    expect(found.end).toBe('done');
  }
  return null;
}
