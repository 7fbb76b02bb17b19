/** Every named edit is caught in the stepped form too. */
import { expect, test } from 'vitest';
import { EDITS, type Edit } from '#derive/edits';
import type { Plan, TorturedLock } from '#scenario/plan';
import type { Execution, ExecutionEnd } from './execution.ts';
import { lockTorture, machineFor, PLANS, rcuTorture } from './small.suite.ts';
import type { SteppedMachine } from './stepped-machine.ts';
import { PosStrategy } from './strategies/pos.ts';
import { TLB_PLANS } from './tlb.suite.ts';

/** Far more than any of them needs: the slowest takes 25 in the median. */
const EXECUTIONS_MAX = 2000;
const SEEDS = [1, 2];

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
  const machine = await machineFor(edit, planFor(edit));
  const failure = firstFailure(machine, 1, EXECUTIONS_MAX, 'deadlock')!;
  expect(failure.verdicts.map(({ kind }) => kind)).toEqual(['deadlock', 'lock-order']);
  expect(failure.verdicts[0]!.cpus).toEqual([0, 1]);
  expect(failure.verdicts[0]!.message).toMatch(
    /^cpu\d \(madvise\) holds p[mt]l of table \d+ and waits for p[mt]l of table \d+, held by cpu\d/,
  );
});

test('a lock order is told without a deadlock', async () => {
  const edit = EDITS.find(({ name }) => name === 'blocking-pml-under-ptl')!;
  const failure = firstFailure(await machineFor(edit, planFor(edit)), 1)!;
  expect([failure.end, failure.verdicts.map(({ kind }) => kind)]).toEqual(['done', ['lock-order']]);
  expect(failure.verdicts[0]!.message).toMatch(
    /^(ptl was taken under pml by .* and )?pml (was taken )?under ptl by cpu\d \(madvise/,
  );
});

/** The first execution in which something is wrong, and which ends as `end` says, if it does. */
function firstFailure(
  machine: SteppedMachine,
  seed: number,
  executions = EXECUTIONS_MAX,
  end: ExecutionEnd | null = null,
): Execution | null {
  const strategy = new PosStrategy(seed);
  for (let execution = 0; execution < executions; execution++) {
    const found = machine.execute(strategy, execution);
    const isWanted = end === null || found.end === end;
    if (found.verdicts.length > 0 && isWanted) return found;
    if (found.verdicts.length === 0) expect(found.end).toBe('done');
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
  // Whoever does not meet the deadlock has still taken the locks in that order.
  if (name === 'blocking-pml-under-ptl') return [oracle, 'lock-order'];
  // The entry may also come between the unhooking and the unlock that it waits for.
  return name === 'scan-without-ptl' ? [oracle, 'lost-entry'] : [oracle];
}
