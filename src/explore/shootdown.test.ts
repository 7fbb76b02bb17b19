/**
 * Where hardware broadcasts flushes: they come to an end without interrupts, and nobody uses a
 * stale translation. (That flushers wait for accesses is shown in mm/hardware-walk.test.ts: between
 * the last passage of the gate and the use of a page no search can step in.)
 */
import { describe, expect, test } from 'vitest';
import type { LineEdit } from '#derive/apply-edit';
import type { Op, Plan } from '#scenario/plan';
import { machineFor, PLANS, plan, times } from './small.suite.ts';
import { PosStrategy } from './strategies/pos.ts';

const EXECUTIONS = 150;
const EXECUTIONS_MAX = 4000;
const BROADCAST: Partial<Plan> = { shootdown: 'broadcast' };

const WHOLE = { region: 0, extent: 'whole', share: 'all' } as const;
const READ: Op = { op: 'touch', access: 'read', pages: 'every', ...WHOLE };
const TOUCH: Op = { ...READ, access: 'write' };
const DONTNEED: Op = { op: 'dontneed', ...WHOLE };
const SLEEP: Op = { op: 'sleep', ms: 20 };
const RECLAIM: Op = { op: 'reclaim', ...WHOLE };

const ACCESSES = plan('pt-reclaim', [[times(3, TOUCH, READ)], [times(3, READ, DONTNEED)]]);
const SLEEPER = plan('pt-reclaim', [[times(2, READ, SLEEP)], [times(3, DONTNEED)]]);
const SWAPPER = plan('pt-reclaim', [[times(2, TOUCH, READ)], [times(2, RECLAIM, DONTNEED)]]);

describe('no execution goes wrong', () => {
  test.each(Object.entries({ ...PLANS, ACCESSES, SLEEPER, SWAPPER }))(
    '%s',
    async (_name, small) => {
      expect(await firstFailure(small, null, EXECUTIONS)).toBe(null);
    },
  );
});

test('accesses that do not catch up with flushes use what has gone', async () => {
  const edit = { name: 'test', label: 'access-flush', becomes: '' };
  expect(await firstFailure(ACCESSES, edit, EXECUTIONS_MAX)).toBe('stale-translation');
});

/** The kind of the first violation; null: there is none. */
async function firstFailure(
  small: Plan,
  edit: LineEdit | null,
  executions: number,
): Promise<string | null> {
  const machine = await machineFor(edit, { ...small, ...BROADCAST });
  const strategy = new PosStrategy(1);
  for (let execution = 0; execution < executions; execution++) {
    const { verdicts, end } = machine.execute(strategy, execution);
    if (verdicts.length > 0) return verdicts[0]!.kind;
    expect(end).toBe('done');
  }
  return null;
}
