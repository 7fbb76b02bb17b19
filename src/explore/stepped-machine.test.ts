/** The stepped form: repeatable, clean on the living source, the same program as the plain one. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { setClock } from '#arena/clock';
import { GATE, type Gate, setGate } from '#arena/gate';
import { CONTROL, PHASE } from '#arena/layout/control';
import { STEP, STEP_WORDS } from '#arena/layout/history';
import { ACTORS_MAX, PERCPU } from '#arena/layout/percpu';
import { arenaMap } from '#arena/map';
import { property } from '#base/property.suite';
import type { LockAlgorithm, Plan } from '#scenario/plan';
import { bindMachine, makeCpu } from '#tasks/bind';
import { cpuExit, cpuPart, enterPhase } from '#tasks/cpu-main';
import { Task } from '#tasks/task';
import { RACES } from '#trace/vocabulary';
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
  const history = (seed: number) => machine.execute(randomly(seed), 0).history.copySteps();

  property([fc.nat(), fc.nat()], { numRuns: 50 })(
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

  test('is told step by step, with what each word held before and after', () => {
    const { history } = machine.execute(randomly(1), 0);
    const held = new Map<number, number>();
    let changes = 0;
    for (let step = 0; step < history.decided; step++) {
      const at = history.step(step, STEP.at);
      const [found, left] = [history.step(step, STEP.found), history.step(step, STEP.left)];
      // Nobody but a step changes a lock word.
      if (history.step(step, STEP.op) === GATE.acquire) expect(found).toBe(held.get(at) ?? 0);
      if (found !== left) changes++;
      held.set(at, left);
    }
    expect(changes).toBeGreaterThan(20);
  });

  test('ends at the limit of steps', async () => {
    const short = await machineFor(null, PLANS.faultVsZap, 50);
    const { end, verdicts, history } = short.execute(randomly(1), 0);
    expect({ end, verdicts, steps: history.steps }).toEqual({
      end: 'steps',
      verdicts: [],
      steps: 50,
    });
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
    const { end, history } = machine.execute(randomly(1), 0);
    const plain = runPlain();
    const steps = [...history.copySteps(history.steps)].filter(
      (_, i) => i % STEP_WORDS !== STEP.left,
    );
    expect(plain.steps).toEqual(steps);
    expect(plain.words).toEqual(machine.words);
    expect(end).toBe('done');
  });

  /** The plan in the sources as they are, on this thread, past a gate that only notes. */
  function runPlain() {
    const geometry = { ...TINY, cpus: 1 };
    const { sizeWords } = arenaMap(geometry);
    const words = new Int32Array(new SharedArrayBuffer(4 * sizeWords));
    const steps: number[] = [];
    let clock = 0;
    setClock(() => clock);
    const isAlone = { pass: () => ++clock < 0 };
    const isNoted: Gate = {
      pass(cpu, op, at) {
        steps.push(cpu.id, op, at, words[at]!);
        return ++clock < 0;
      },
    };
    const machine = bindMachine(words.buffer, geometry, alone, 0);
    const cpu = makeCpu(0, alone.seed);
    const task = new Task(cpu, machine);
    setGate(isAlone);
    expect(cpuPart(cpu, machine, task, 'boot')).toBe('done');
    enterPhase(PHASE.main);
    setGate(isNoted);
    expect(cpuPart(cpu, machine, task, 'hostile')).toBe('done');
    enterPhase(PHASE.fair);
    expect(cpuPart(cpu, machine, task, 'fair')).toBe('done');
    enterPhase(PHASE.exit);
    setGate(isAlone);
    expect(cpuExit(cpu, machine)).toBe('done');
    setGate(null);
    setClock(null);
    return { steps, words };
  }
});
