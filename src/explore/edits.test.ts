/** Every named edit is caught in the stepped form too. */
import { expect, test } from 'vitest';
import { EDITS, type Edit } from '#derive/edits';
import type { Plan, TorturedLock } from '#scenario/plan';
import type { Execution } from './execution.ts';
import { lockTorture, machineFor, PLANS, randomly, rcuTorture } from './small.suite.ts';
import type { SteppedMachine } from './stepped-machine.ts';
import { TLB_PLANS } from './tlb.suite.ts';

/** Far more than any of them needs: the slowest takes 25 in the median. */
const EXECUTIONS_MAX = 2000;
const SEEDS = [1, 2, 3];

test.each([...EDITS])('$name', async (edit) => {
  const machine = await machineFor(edit, planFor(edit));
  for (const seed of SEEDS) {
    const kind = firstFailure(machine, seed)?.verdicts[0]?.kind;
    expect(oraclesFor(edit)).toContain(kind);
  }
});

test.each(Object.entries(TLB_PLANS))('the unbroken twin of %s is clean', async (_, plan) => {
  const machine = await machineFor(null, plan);
  expect(firstFailure(machine, 1, 300)).toBe(null);
});

test('a deadlock names the circle', async () => {
  const edit = EDITS.find(({ name }) => name === 'blocking-pml-under-ptl')!;
  const failure = firstFailure(await machineFor(edit, planFor(edit)), 1)!;
  expect(failure.end).toBe('deadlock');
  expect(failure.verdicts[0]!.cpus).toEqual([0, 1]);
  expect(failure.verdicts[0]!.message).toMatch(
    /^cpu\d \(madvise\) holds p[mt]l of table \d+ and waits for p[mt]l of table \d+, held by cpu\d/,
  );
});

function firstFailure(
  machine: SteppedMachine,
  seed: number,
  executions = EXECUTIONS_MAX,
): Execution | null {
  const strategy = randomly(seed);
  for (let execution = 0; execution < executions; execution++) {
    const found = machine.execute(strategy, execution);
    if (found.verdicts.length > 0) return found;
    expect(found.end).toBe('done');
  }
  return null;
}

function planFor({ name, protocol, scenario, parameters }: Edit): Plan {
  const plan = TLB_PLANS[name];
  if (plan !== undefined) return plan;
  if (scenario === 'rcutorture') return rcuTorture();
  if (scenario === 'locktorture') return lockTorture(parameters!['lock'] as TorturedLock);
  if (name === 'blocking-pml-under-ptl') return PLANS.zapVsZap;
  if (name === 'scan-no-pmd-same') return PLANS.scannerVsScanner;
  return protocol === 'pt-reclaim' ? PLANS.faultVsZap : PLANS.faultVsScanner;
}

function oraclesFor({ name, oracle }: Edit): string[] {
  // Free-running, CPUs wait for ever; here nobody can go on, and both may have been inside before.
  if (oracle === 'livelock') return ['deadlock', 'mutual-exclusion'];
  // The entry may also come between the unhooking and the unlock that it waits for.
  return name === 'scan-without-ptl' ? [oracle, 'lost-entry'] : [oracle];
}
