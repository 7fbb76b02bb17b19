/**
 * The abstract form of RCU, explored: clean on the living source whatever the plan, and what breaks
 * RCU, or the use of it, is caught as in the other forms.
 */
import { describe, expect, test } from 'vitest';
import { brokenVersion, editNamed } from '#catalogue/named.suite';
import type { LineEdit } from '#derive/apply-edit';
import type { Plan } from '#scenario/plan';
import { MIX, machineFor, PLANS, plan, randomly, rcuTorture, times } from './small.suite.ts';

const ABSTRACT = { rcu: 'abstract' } as const;
const EXECUTIONS = 150;
const EXECUTIONS_MAX = 2000;

/** Three slots, the first and last of which the region covers in part. */
const WIDER = { regions: [{ name: 'heap', pages: 9, flags: [], gapPages: 1 }] };
const PROTOCOLS = ['none', 'pt-reclaim', 'async-scanner', 'atomic-refcount', 'percpu-refcount'];

/** Any of these, mixed at random on three CPUs. */
function mixed(protocol: string, more: Partial<Plan> = {}): Plan {
  return plan(protocol, [[MIX], [MIX], [MIX]], { ...WIDER, ...ABSTRACT, ...more });
}

/** Two zaps and a third CPU, under the protocol whose switches wait for grace periods. */
const SWITCHES: Plan = {
  ...PLANS.zapVsZap,
  ...ABSTRACT,
  protocol: 'percpu-refcount',
  options: {},
  cpus: 3,
  columns: [...PLANS.zapVsZap.columns, PLANS.zapVsZap.columns[1]!],
};

const WHOLE = { region: 0, extent: 'whole', share: 'all' } as const;
const TOUCH = { op: 'touch', access: 'write', pages: 'every', ...WHOLE } as const;

/** A reader that takes no lock, in a table that another CPU empties and reclaims. */
const READER_VS_ZAP = plan('pt-reclaim', [
  [times(6, { op: 'walk', walker: 'pagemap', ...WHOLE })],
  [times(3, TOUCH, { op: 'dontneed', ...WHOLE })],
]);

describe('the living source is clean', () => {
  test.each(Object.entries(PLANS))('in plan %s', async (_, small) => {
    expect(await firstFailure({ ...small, ...ABSTRACT }, EXECUTIONS)).toBe(null);
  });

  test('where a reader takes no lock', async () => {
    expect(await firstFailure({ ...READER_VS_ZAP, ...ABSTRACT }, EXECUTIONS)).toBe(null);
  });

  test.each(PROTOCOLS)('in a mix under %s', async (protocol) => {
    expect(await firstFailure(mixed(protocol), EXECUTIONS)).toBe(null);
  });

  test('with bodies on demand, or waits for grace periods in the gather', async () => {
    const sync = { gatherFallback: 'sync', allocFailPerMillion: 300_000 } as const;
    for (const more of [{ backing: 'on-demand' } as const, sync])
      expect(await firstFailure(mixed('pt-reclaim', more), EXECUTIONS)).toBe(null);
  });

  test('where percpu refs switch', async () => {
    for (const options of [{}, { switchLock: 'global' }])
      expect(await firstFailure({ ...SWITCHES, options }, EXECUTIONS)).toBe(null);
  });

  test('in the torture of RCU', async () => {
    expect(await firstFailure(rcuTorture(ABSTRACT), EXECUTIONS)).toBe(null);
  });
});

type Broken = readonly [name: string, edit: LineEdit, small: Plan, oracle: string];

function named(name: string, small: Plan): Broken {
  const { summary, oracle } = brokenVersion(name);
  return [summary, editNamed(name), { ...small, ...ABSTRACT }, oracle];
}

function ownEdit(
  name: string,
  label: string,
  becomes: string,
  small: Plan,
  oracle: string,
): Broken {
  return [name, { name: `abstract-${label}`, label, becomes }, { ...small, ...ABSTRACT }, oracle];
}

const UNREGISTERED = 'storeAndWake(cpu, cpu.block + PERCPU.rcuAnswered, OFFLINE);';
const AHEAD =
  'storeAndWake(cpu, cpu.block + PERCPU.rcuAnswered, (peek(CONTROL.rcuAsked) + 1) | 0);';
const TORTURE = rcuTorture();

test.each([
  named('free-without-rcu', READER_VS_ZAP),
  named('rcu-callback-at-once', TORTURE),
  ownEdit('a reader counts as offline', 'rcu-answer', UNREGISTERED, TORTURE, 'rcu-too-early'),
  ownEdit(
    'a walker counts as offline',
    'rcu-answer',
    UNREGISTERED,
    READER_VS_ZAP,
    'use-after-free',
  ),
  ownEdit('the next request is answered', 'rcu-answer', AHEAD, TORTURE, 'rcu-too-early'),
  ownEdit('answers are not waited for', 'rcu-wait-for-answer', '', TORTURE, 'rcu-too-early'),
])('noticed is: %s', async (_, edit, small, oracle) => {
  expect(await firstFailure(small, EXECUTIONS_MAX, edit)).toMatch(new RegExp(`^${oracle}: `));
});

/** What is wrong with the first execution that is not well; null: all were. */
async function firstFailure(
  small: Plan,
  executions: number,
  edit: LineEdit | null = null,
): Promise<string | null> {
  const machine = await machineFor(edit, small);
  const strategy = randomly(1);
  for (let execution = 0; execution < executions; execution++) {
    const { end, verdicts } = machine.execute(strategy, execution);
    if (verdicts.length > 0) return `${verdicts[0]!.kind}: ${verdicts[0]!.message}`;
    if (end !== 'done') return `${end}: in execution ${execution}`;
  }
  return null;
}
