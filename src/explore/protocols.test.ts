/**
 * Each protocol that came with flaws: clean where they are put right, caught where they are not.
 */
import { describe, expect, test } from 'vitest';
import type { Plan } from '#scenario/plan';
import { machineFor, PLANS, randomly } from './small.suite.ts';

const EXECUTIONS = 400;
/** Far more than is needed to find the flaws. */
const EXECUTIONS_MAX = 4000;

/** By protocol: what the oracles find in its variant as posted, with two zaps and a third CPU. */
const AS_POSTED: Readonly<Record<string, readonly string[]>> = {
  'atomic-refcount': ['table-zero', 'double-free'],
  'percpu-refcount': ['nonempty-table-freed', 'lost-entry', 'reference-leak'],
};

const TOGETHER = { faultVsZap: withThird(PLANS.faultVsZap), zapVsZap: withThird(PLANS.zapVsZap) };

/** A third CPU does what the second does. */
function withThird(small: Plan): Plan {
  return { ...small, cpus: 3, columns: [...small.columns, small.columns[1]!] };
}

describe.each(Object.entries(AS_POSTED))('%s', (protocol, kinds) => {
  const settings = Object.keys(TOGETHER).flatMap((name) => [
    { name, splitLocks: true },
    { name, splitLocks: false },
  ]);

  test.each(settings)('is clean in plan $name, split locks: $splitLocks', async (setting) => {
    const { name, splitLocks } = setting;
    const small = TOGETHER[name as keyof typeof TOGETHER];
    const machine = await machineFor(null, { ...small, protocol, options: {}, splitLocks });
    const strategy = randomly(1);
    for (let execution = 0; execution < EXECUTIONS; execution++) {
      const { end, verdicts } = machine.execute(strategy, execution);
      expect({ execution, end, verdicts }).toEqual({ execution, end: 'done', verdicts: [] });
    }
  });

  test.each([true, false])('as posted is not, split locks: %s', async (splitLocks) => {
    const options = { variant: 'as-posted' };
    const machine = await machineFor(null, { ...TOGETHER.zapVsZap, protocol, options, splitLocks });
    const strategy = randomly(1);
    let found: string | undefined;
    for (let execution = 0; found === undefined && execution < EXECUTIONS_MAX; execution++)
      found = machine.execute(strategy, execution).verdicts[0]?.kind;
    expect(kinds).toContain(found);
  });
});
