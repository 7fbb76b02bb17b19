/** One schedule, stepped and on real threads, gives one history and one judgement. */
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { NO_STEP } from '#arena/enforced';
import { CHOICE, CHOICE_WORDS, STEP, STEP_WORDS } from '#arena/layout/history';
import { PERCPU } from '#arena/layout/percpu';
import { brokenVersion, editNamed } from '#catalogue/named.suite';
import { treeRoots } from '#derive/variants';
import { planOf } from '#explore/catalogue.suite';
import { judgeDeadlock } from '#explore/deadlock';
import type { Execution } from '#explore/execution';
import { explorationPlan } from '#explore/search';
import { MIX, machineFor, PLANS, plan, randomly, times } from '#explore/small.suite';
import { geometryFor } from '#explore/smaller/small-geometry';
import { SteppedMachine } from '#explore/stepped-machine';
import { PosStrategy } from '#explore/strategies/pos';
import { JUDGES } from '#oracles/judges';
import type { Op, Plan } from '#scenario/plan';
import {
  Confirmer,
  type ConfirmJudges,
  type ConfirmOptions,
  confirmSchedule,
  type Recorded,
} from './confirm.ts';
import type { Evidence, Wait } from './judges.ts';
import { livingEntry } from './threads.ts';

const judges: ConfirmJudges = {
  ...JUDGES,
  judgeDeadlock: (evidence, waits) => judgeDeadlock(evidence, waits, PERCPU),
};
const LIVING: ConfirmOptions = { entry: livingEntry(true), judges };

const living = { 2: new Confirmer(2), 3: new Confirmer(3) } as const;
afterAll(async () => {
  await Promise.all([living[2].close(), living[3].close()]);
});

/** What is kept of an execution. */
function record(machine: SteppedMachine, { history, end }: Execution): Recorded {
  return {
    ...{ plan: machine.plan, geometry: machine.map.geometry, end },
    ...{ steps: history.copySteps(), choices: history.copyChoices(), decided: history.decided },
  };
}

const WHOLE = { region: 0, extent: 'whole', share: 'all' } as const;
const WIDER = { regions: [{ name: 'heap', pages: 9, flags: [], gapPages: 1 }] };
const CHANCES = { reschedPerMillion: 200_000, allocFailPerMillion: 100_000 };
const MIXES: readonly Plan[] = [
  plan('pt-reclaim', [[MIX], [MIX]], { ...WIDER, ...CHANCES }),
  plan('pt-reclaim', [[MIX], [MIX], [MIX]], { ...WIDER, splitLocks: false }),
  plan('async-scanner', [[MIX], [MIX], [MIX]], { ...WIDER, ...CHANCES, rcu: 'announced' }),
  plan('none', [[MIX], [MIX]], { ...CHANCES, backing: 'on-demand' }),
  plan('atomic-refcount', [[MIX], [MIX]], { ...WIDER, ...CHANCES }),
  plan('pt-reclaim', [[MIX], [MIX], [MIX]], { ...WIDER, rcu: 'abstract' }),
];

/** Executions per plan, with random seeds. */
const EXECUTIONS = 8;

describe('an execution of the living source is the same on threads', () => {
  test.each(MIXES)('under $protocol, $cpus CPUs', async (mix) => {
    const machine = await machineFor(null, mix);
    const confirmer = living[mix.cpus as 2 | 3];
    const isSame = fc.asyncProperty(fc.nat(), async (seed) => {
      const execution = machine.execute(randomly(seed), 0);
      expect([execution.end, execution.verdicts]).toEqual(['done', []]);
      const confirmation = await confirmer.confirm(record(machine, execution), LIVING);
      expect(confirmation).toEqual({ kind: 'same', end: 'done', verdicts: [] });
    });
    await fc.assert(isSame, { numRuns: EXECUTIONS });
  });
});

/** A deadline with which CPUs come to the seventieth step on any host. */
const DEADLINE_MS_MAX = 10_000;

describe('a schedule that is wrong', async () => {
  const confirmer = living[2];
  const machine = await machineFor(null, PLANS.faultVsZap);
  const recorded = record(machine, machine.execute(randomly(1), 0));
  const { steps, decided } = recorded;

  /** The recorded execution with one word of one step changed. */
  async function confirmChanged(step: number, field: number, by: number) {
    const changed = steps.slice();
    changed[step * STEP_WORDS + field]! += by;
    return confirmer.confirm({ ...recorded, steps: changed }, LIVING);
  }

  function passage(from: Int32Array, step: number) {
    const [cpu, op, at, value] = from.subarray(step * STEP_WORDS);
    return { cpu, op, at, value };
  }

  test.each([STEP.op, STEP.at, STEP.found])(
    'diverges where word %i of a step is',
    async (field) => {
      for (const step of [0, 1, 70, decided - 1]) {
        const found = passage(steps, step);
        const key = (['cpu', 'op', 'at', 'value'] as const)[field]!;
        expect(await confirmChanged(step, field, 1)).toEqual({
          ...{ kind: 'diverged', step, found, expected: { ...found, [key]: found[key]! + 1 } },
        });
      }
    },
  );

  test('diverges at the end of a column that ought to go on', async () => {
    const last = passage(steps, decided - 1);
    const longer = new Int32Array(steps.length + STEP_WORDS);
    longer.set(steps.subarray(0, decided * STEP_WORDS));
    longer.set(steps.subarray((decided - 1) * STEP_WORDS), decided * STEP_WORDS);
    expect(
      await confirmer.confirm({ ...recorded, steps: longer, decided: decided + 1 }, LIVING),
    ).toEqual({
      ...{ kind: 'diverged', step: decided, expected: last },
      found: { cpu: last.cpu, op: NO_STEP.end, at: 0, value: 0 },
    });
  });

  test('diverges behind its last step where a column goes on', async () => {
    const cut = { ...recorded, steps, decided: decided - 3 };
    expect(await confirmer.confirm(cut, LIVING)).toMatchObject({
      ...{ kind: 'diverged', step: decided - 3, expected: null },
    });
  });

  test.each(['deadlock', 'halted'])('diverges behind its last step without a %s', async (end) => {
    const cut = { ...recorded, end, decided: decided - 3 };
    expect(await confirmer.confirm(cut, LIVING)).toMatchObject({
      ...{ kind: 'diverged', step: decided - 3, expected: null },
    });
  });

  test('diverges at a choice of other alternatives', async () => {
    const mix = await machineFor(null, MIXES[0]!);
    const chosen = record(mix, mix.execute(randomly(1), 0));
    chosen.choices[CHOICE_WORDS * 2 + CHOICE.alternatives]! += 1;
    const { choices } = chosen;
    const step = choices[CHOICE_WORDS * 2 + CHOICE.steps]!;
    const alternatives = choices[CHOICE_WORDS * 2 + CHOICE.alternatives]! - 1;
    expect(await confirmer.confirm(chosen, LIVING)).toMatchObject({
      ...{ kind: 'diverged', step },
      found: { op: NO_STEP.choice, at: alternatives },
    });
  });

  /** Where CPUs stand after so long, where nobody comes for the step of a CPU that is not there. */
  async function standingAfter(deadlineMs: number): Promise<number[][]> {
    const confirmation = await confirmer.confirm(
      { ...recorded, steps: withCpu(steps, 70, 2) },
      { ...LIVING, deadlineMs },
    );
    expect(confirmation).toMatchObject({ kind: 'stopped', why: 'deadline' });
    const { standing } = confirmation as Extract<typeof confirmation, { kind: 'stopped' }>;
    return standing.map(({ cpu, op, at }) => [cpu, op, at]);
  }

  test('is told of where it stands when its time is over', async () => {
    const due = [...steps.subarray(70 * STEP_WORDS, 70 * STEP_WORDS + STEP.found)];
    // Mostly the first deadline leaves time enough for the steps before it.
    for (let deadlineMs = 300; ; deadlineMs *= 4) {
      const standing = await standingAfter(deadlineMs);
      if (deadlineMs < DEADLINE_MS_MAX && !standing.some((each) => `${each}` === `${due}`))
        continue;
      expect(standing).toContainEqual(due);
      return;
    }
  });

  test('is left when its signal aborts', async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 100);
    const confirmation = await confirmer.confirm(
      { ...recorded, steps: withCpu(steps, 70, 2) },
      { ...LIVING, signal: abort.signal },
    );
    expect(confirmation).toMatchObject({ kind: 'stopped', why: 'signal' });
  });
});

describe('behind the steps that were decided CPUs run freely', () => {
  test('to their ends', async () => {
    const machine = await machineFor(null, PLANS.faultVsZap);
    const recorded = record(machine, machine.execute(randomly(1), 0));
    const cut = { ...recorded, decided: recorded.decided - 50, isCut: true };
    const whole = { kind: 'same', end: 'done', verdicts: [] };
    expect(await living[2].confirm(cut, LIVING)).toEqual(whole);
  });

  test('to a number of steps', async () => {
    const endless = { op: 'loop', times: null, do: [...PLANS.faultVsZap.setup] } as const;
    const small = plan('pt-reclaim', [[endless], [endless]]);
    const machine = await machineFor(null, small, 300);
    const recorded = record(machine, machine.execute(randomly(1), 0));
    const confirmation = await living[2].confirm(recorded, LIVING);
    expect(confirmation).toMatchObject({ kind: 'same', end: 'livelock' });
  });
});

test('behind the decided steps a CPU that outranks the others goes on alone', async () => {
  const small = explorationPlan(planOf(brokenVersion('spin-on-dying-table')), 2);
  const { tree } = await machineFor(null, PLANS.faultVsZap);
  const machine = new SteppedMachine(tree, small, geometryFor(small));
  const recorded = record(machine, machine.execute(new PosStrategy(1), livelockOf(machine)));
  const confirmation = await living[2].confirm(recorded, LIVING);
  expect(confirmation).toMatchObject({ kind: 'same', end: 'livelock' });
});

function livelockOf(machine: SteppedMachine): number {
  const strategy = new PosStrategy(1);
  for (let execution = 0; execution < EXECUTIONS_MAX; execution++)
    if (machine.execute(strategy, execution).verdicts[0]?.kind === 'livelock') return execution;
  throw new Error('nobody spins');
}

function withCpu(steps: Int32Array, step: number, cpu: number): Int32Array {
  const changed = steps.slice();
  changed[step * STEP_WORDS + STEP.cpu] = cpu;
  return changed;
}

/** A reader that takes no lock, in a table that another CPU empties and reclaims. */
const READER_VS_ZAP = plan('pt-reclaim', [
  [times(6, { op: 'walk', walker: 'pagemap', ...WHOLE })],
  [
    times(
      3,
      { op: 'touch', access: 'write', pages: 'every', ...WHOLE },
      { op: 'dontneed', ...WHOLE },
    ),
  ],
]);

const WRITE: Op = { op: 'touch', access: 'write', pages: 'every', ...WHOLE };
const READ: Op = { ...WRITE, access: 'read' };
/** Two CPUs use the same pages while a third gives them back. */
const TOUCHERS_VS_ZAP = plan('pt-reclaim', [
  [times(2, WRITE)],
  [times(2, READ)],
  [times(2, { op: 'dontneed', ...WHOLE })],
]);

const BROKEN: Readonly<Record<string, Plan>> = {
  'no-pmd-recheck': PLANS.faultVsZap,
  'scan-without-ptl': PLANS.faultVsScanner,
  'blocking-pml-under-ptl': PLANS.zapVsZap,
  'free-without-rcu': READER_VS_ZAP,
  'no-shootdown': TOUCHERS_VS_ZAP,
  'rss-not-decremented': PLANS.faultVsZap,
};

describe('what a broken version does wrong, it does on threads', () => {
  test.each(Object.entries(BROKEN))('%s', async (name, broken) => {
    const edit = editNamed(name);
    const searched = await machineFor(edit, broken);
    const number = firstFailure(searched, brokenVersion(name).oracle);
    // Of a machine that has executed nothing else every word can be compared.
    const machine = new SteppedMachine(searched.tree, broken, searched.map.geometry);
    const failure = machine.execute(randomly(1), number);
    const { end, verdicts } = failure;
    const entry = new URL('tasks/entry.js', (await treeRoots(edit)).plain).href;
    const seen = new Arenas();
    const confirmation = await confirmSchedule(record(machine, failure), { entry, judges: seen });
    expect(confirmation).toMatchObject({ kind: 'same', end });
    // Those that wait at the gate, or in a wait of their own.
    if (end === 'deadlock')
      await expectDeadlock({ ...record(machine, failure), isCut: true }, entry);
    if (confirmation.kind !== 'same') return;
    expect(confirmation.verdicts[0]).toMatchObject({ kind: verdicts[0]!.kind });
    if (end === 'done') return;
    // Nothing has run freely: every word is the same, times and statistics included.
    const { halt } = machine.tree.control.CONTROL;
    expect(confirmation.verdicts).toEqual(verdicts);
    expect(differences(machine.words, seen.latest!).filter((at) => at !== halt)).toEqual([]);
  });
});

/** Judges that keep the arena as they saw it last. */
class Arenas implements ConfirmJudges {
  latest: Int32Array | null = null;
  readonly tellLivelock = JUDGES.tellLivelock;

  judge(evidence: Evidence) {
    this.latest = evidence.words.slice();
    return JUDGES.judge(evidence);
  }

  judgeDeadlock(evidence: Evidence, waits: readonly Wait[]) {
    const verdicts = judges.judgeDeadlock(evidence, waits);
    this.latest = evidence.words.slice();
    return verdicts;
  }
}

/** Places at which two arenas are not the same. */
function differences(one: Int32Array, other: Int32Array): number[] {
  const places: number[] = [];
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) places.push(at);
  return places;
}

const EXECUTIONS_MAX = 2000;

async function expectDeadlock(recorded: Recorded, entry: string): Promise<void> {
  const confirmation = await confirmSchedule(recorded, { entry, judges });
  expect(confirmation).toMatchObject({ kind: 'same', end: 'deadlock' });
  if (confirmation.kind === 'same') expect(confirmation.verdicts[0]!.kind).toBe('deadlock');
}

/** The number of the first execution that goes wrong in this way. */
function firstFailure(machine: SteppedMachine, oracle: string): number {
  const strategy = randomly(1);
  for (let execution = 0; execution < EXECUTIONS_MAX; execution++) {
    const found = machine.execute(strategy, execution);
    if (found.verdicts[0]?.kind === oracle) return execution;
  }
  throw new Error('the broken version does nothing wrong');
}
