/** The stepped form: repeatable, clean on the living source, the same program as the plain one. */
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { setClock } from '#arena/clock';
import { setGate } from '#arena/gate';
import { CONTROL, PHASE } from '#arena/layout/control';
import { ACTORS_MAX, PERCPU } from '#arena/layout/percpu';
import { arenaMap } from '#arena/map';
import type { LockAlgorithm, Plan } from '#scenario/plan';
import { bindMachine, makeCpu } from '#tasks/bind';
import { cpuExit, cpuMain } from '#tasks/cpu-main';
import { RACES } from '#trace/vocabulary';
import { STEP, STEP_WORDS } from './execution.ts';
import {
  lockTorture,
  MIX,
  machineFor,
  PLANS,
  plan,
  randomly,
  rcuTorture,
  TINY,
  times,
} from './small.suite.ts';
import type { SteppedMachine } from './stepped-machine.ts';
import type { Strategy } from './strategy.ts';

const EXECUTIONS = 400;

/** Three slots, the first and last of which the region covers in part. */
const WIDER = { regions: [{ name: 'heap', pages: 9, flags: [], gapPages: 1 }] };

const SETTINGS: readonly { more: Partial<Plan> }[] = [
  { more: { splitLocks: false } },
  { more: { locks: locks('ticket') } },
  { more: { locks: locks('mcs'), splitLocks: false } },
  { more: { backing: 'on-demand' } },
  { more: { rcu: 'announced' } },
  { more: { reschedPerMillion: 200_000, ownership: 'slots' } },
  { more: { levels: 4, options: { where: 'task-work', delayMs: 30, sizePages: 8 } } },
];

function locks(algorithm: LockAlgorithm): Plan['locks'] {
  return { ptl: algorithm, pml: algorithm, 'page-table': algorithm, zone: algorithm };
}

describe('an execution', async () => {
  const machine = await machineFor(null, PLANS.faultVsZap);
  const history = (seed: number) => machine.execute(randomly(seed), 0).history;

  property.prop([fc.nat(), fc.nat()], { numRuns: 50 })(
    'is repeated by its seed, whatever ran in between',
    (seed, other) => {
      const first = history(seed);
      history(other);
      expect(history(seed)).toEqual(first);
    },
  );

  test('is another one under another seed', () => {
    const histories = Array.from({ length: 50 }, (_, seed) => history(seed).join());
    expect(new Set(histories).size).toBeGreaterThan(45);
  });

  test('is told step by step, with what each word held', () => {
    const { steps, history } = machine.execute(randomly(1), 0);
    expect(history.length).toBe(steps * STEP_WORDS);
    // The rendezvous counts arrivals in this word, and the last to come clears it.
    const found: number[] = [];
    for (let at = 0; at < history.length; at += STEP_WORDS)
      if (history[at + STEP.at] === CONTROL.arrived) found.push(history[at + STEP.found]!);
    expect(found).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2]);
  });

  test('ends at the limit of steps', async () => {
    const short = await machineFor(null, PLANS.faultVsZap, 300);
    expect(short.execute(randomly(1), 0)).toMatchObject({ end: 'steps', steps: 300, verdicts: [] });
    expect(short.words[CONTROL.phase]).toBe(PHASE.main);
  });
});

describe('the living source is clean', () => {
  test.each(Object.entries(PLANS))('in plan %s', async (_, small) => {
    // The CPUs did meet: somebody found a table unhooked on the way to its lock.
    expect(await racesOfClean(small, EXECUTIONS)).toContain('pmdChanged');
  });

  test.each(SETTINGS)('with $more', async ({ more }) => {
    for (const protocol of ['none', 'pt-reclaim', 'async-scanner'])
      await racesOfClean(
        plan(protocol, [[MIX], [MIX], [MIX]], { ...WIDER, ...more }),
        EXECUTIONS / 4,
      );
  });

  test('in the torture tests', async () => {
    for (const rcu of ['qsbr', 'announced'] as const) await racesOfClean(rcuTorture({ rcu }), 50);
    for (const lock of ['ttas', 'ticket', 'mcs', 'rwsem', 'vma-lock'] as const)
      await racesOfClean(lockTorture(lock), 100);
  });
});

/** Runs `small` so many times, each of which must be clean; the kinds of races that it counted. */
async function racesOfClean(small: Plan, executions: number): Promise<string[]> {
  const machine = await machineFor(null, small);
  const strategy = randomly(1);
  const races = new Set<string>();
  for (let execution = 0; execution < executions; execution++) {
    const { end, verdicts } = machine.execute(strategy, execution);
    expect({ execution, end, verdicts }).toEqual({ execution, end: 'done', verdicts: [] });
    for (const race of racesIn(machine)) races.add(race);
  }
  return [...races];
}

/** Kinds of races that were counted. */
function racesIn({ words, map }: SteppedMachine): string[] {
  return RACES.filter((_, kind) => {
    for (let id = 0; id < map.geometry.cpus; id++) {
      const from = map.percpu + id * map.percpuWords + PERCPU.races + kind * ACTORS_MAX ** 2;
      if (words.subarray(from, from + ACTORS_MAX ** 2).some((count) => count !== 0)) return true;
    }
    return false;
  });
}

describe('both forms', () => {
  const alone = plan('pt-reclaim', [
    [times(3, ...PLANS.zapVsZap.setup, PLANS.zapVsZap.columns[0]![0]!)],
  ]);

  test('take the same steps and leave the same arena', async () => {
    const machine = await machineFor(null, alone);
    const stepped = machine.execute(NEVER_SWITCHES, 0);
    const plain = runPlain();
    expect(plain.history).toEqual([...stepped.history]);
    expect(plain.words).toEqual(machine.words);
    expect(stepped.end).toBe('done');
  });

  /** The plan in the sources as they are, on this thread, past a gate that only notes. */
  function runPlain() {
    const geometry = { ...TINY, cpus: 1 };
    const { sizeWords } = arenaMap(geometry);
    const words = new Int32Array(new SharedArrayBuffer(4 * sizeWords));
    const history: number[] = [];
    setClock(() => history.length / STEP_WORDS);
    setGate({
      pass(cpu, op, at) {
        history.push(cpu.id, op, at, words[at]!);
        return false;
      },
    });
    const machine = bindMachine(words.buffer, geometry, alone, 0);
    const cpu = makeCpu(0, alone.seed);
    expect(cpuMain(cpu, machine)).toBe('done');
    expect(cpuExit(cpu, machine)).toBe('done');
    setGate(null);
    setClock(null);
    return { history, words };
  }
});

const NEVER_SWITCHES: Strategy = {
  begin() {},
  pick: (enabled, running) => (enabled.includes(running) ? running : enabled[0]!),
};
