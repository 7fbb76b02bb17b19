/** The abstract form of RCU: what costs a step, and what is seen too late. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Cpu } from '#arch/cpu';
import { GATE, GATE_NAMES, setGate } from '#arena/gate';
import { CONTROL } from '#arena/layout/control';
import { PERCPU } from '#arena/layout/percpu';
import { peek } from '#arena/word';
import { TestMachine } from '#tasks/machine.suite';
import {
  rcuAdvance,
  rcuAwaitEnd,
  rcuBoundary,
  rcuGraceEnd,
  rcuGraceIsOver,
  rcuOffline,
  rcuOnline,
  rcuQuiescent,
  rcuReadLock,
  rcuReadUnlock,
  synchronizeRcu,
} from './rcu.ts';
import { callRcu, RCU_KIND, rcuTake } from './rcu-callbacks.ts';

let machine: TestMachine;
let cpus: readonly [Cpu, Cpu, Cpu];

const answered = (cpu: Cpu): number => peek(cpu.block + PERCPU.rcuAnswered);

beforeEach(() => {
  machine = new TestMachine({ rcu: 'abstract' });
  cpus = [machine.cpu(0), machine.cpu(1), machine.cpu(2)];
});

describe('in steps, there cost', () => {
  /** Steps that `act` takes, but for looks at the CPU's own mailbox: kind, and whose word. */
  function stepsOf(act: () => void): string[] {
    const steps: string[] = [];
    setGate({
      pass(cpu, op, at) {
        if (op === GATE.read && at === cpu.block + PERCPU.ipiWanted) return false;
        const owner = cpus.findIndex(({ block }) => at === block + PERCPU.rcuAnswered);
        steps.push(`${GATE_NAMES[op]} ${owner >= 0 ? owner : at}`);
        return false;
      },
    });
    act();
    setGate(null);
    return steps;
  }

  test('nothing: sections, and quiescent states while nobody asks', () => {
    const nothing = stepsOf(() => {
      rcuReadLock(cpus[1]);
      rcuReadUnlock(cpus[1]);
      rcuQuiescent(cpus[1]);
      rcuBoundary(cpus[1]);
      rcuAdvance(cpus[1]);
    });
    expect(nothing).toEqual([]);
  });

  test('one: to come online, to leave, and to answer, however many have asked', () => {
    expect(stepsOf(() => rcuOffline(cpus[1]))).toEqual(['store 1']);
    expect(stepsOf(() => rcuOnline(cpus[1]))).toEqual(['store 1']);
    for (let i = 0; i < 3; i++) rcuGraceEnd(cpus[0]);
    expect(stepsOf(() => rcuQuiescent(cpus[1]))).toEqual(['store 1']);
    expect(stepsOf(() => rcuBoundary(cpus[1]))).toEqual([]);
    rcuGraceEnd(cpus[0]);
    expect(stepsOf(() => rcuBoundary(cpus[1]))).toEqual(['store 1']);
  });

  test('one: to ask; nothing: to be quiescent when offline', () => {
    rcuOffline(cpus[1]);
    const ask = `add ${CONTROL.rcuAsked}`;
    expect(stepsOf(() => callRcu(cpus[0], RCU_KIND.torture, 1))).toEqual([ask]);
    expect(stepsOf(() => rcuBoundary(cpus[1]))).toEqual([]);
    expect(answered(cpus[1])).toBe(0);
  });

  test('a look at each other CPU, up to the first that has not answered, once for all', () => {
    const take = (): void => {
      rcuTake(cpus[0]);
    };
    for (let word = 1; word <= 3; word++) callRcu(cpus[0], RCU_KIND.torture, word);
    expect(stepsOf(take)).toEqual([]);
    rcuBoundary(cpus[0]);
    expect(stepsOf(take)).toEqual(['load 1']);
    rcuBoundary(cpus[1]);
    expect(stepsOf(take)).toEqual(['load 1', 'load 2']);
    rcuOffline(cpus[2]);
    expect(stepsOf(take)).toEqual(['load 1', 'load 2']);
    for (let i = 0; i < 2; i++) expect(stepsOf(take)).toEqual([]);
    expect(machine.counter('rcuCallbacks')).toBe(3);
    expect(rcuTake(cpus[0])).toBe(0);
    // A later request is another matter.
    callRcu(cpus[0], RCU_KIND.torture, 4);
    rcuBoundary(cpus[0]);
    expect(stepsOf(take)).toEqual(['load 1']);
  });

  test('nothing: to see that what was waited for is over', () => {
    synchronizeRcu(cpus[0]);
    const end = rcuGraceEnd(cpus[0]);
    rcuOffline(cpus[0]);
    expect(rcuAwaitEnd(cpus[0], end)).toBe(true);
    expect(rcuAwaitEnd(cpus[0], end)).toBe(false);
    expect(stepsOf(() => rcuGraceIsOver(cpus[0], end))).toEqual([]);
  });
});

test('what some have answered is not over', () => {
  for (const word of [1, 2]) {
    for (const cpu of cpus) rcuBoundary(cpu);
    callRcu(cpus[0], RCU_KIND.torture, word);
  }
  for (const cpu of [cpus[0], cpus[2]]) rcuBoundary(cpu);
  expect([rcuTake(cpus[0]), rcuTake(cpus[0])]).toEqual([RCU_KIND.torture, 0]);
  rcuBoundary(cpus[1]);
  expect(rcuTake(cpus[0])).toBe(RCU_KIND.torture);
});

test('a request made between the look and the answer is not answered', () => {
  rcuGraceEnd(cpus[0]);
  let second = 0;
  machine.meanwhile(1, 'store', cpus[1].block + PERCPU.rcuAnswered, () => {
    second = rcuGraceEnd(cpus[0]);
  });
  rcuQuiescent(cpus[1]);
  expect([second, answered(cpus[1])]).toEqual([3, 2]);
  for (const cpu of [cpus[0], cpus[2]]) rcuBoundary(cpu);
  expect(rcuGraceIsOver(cpus[0], second)).toBe(false);
  rcuQuiescent(cpus[1]);
  expect(rcuGraceIsOver(cpus[0], second)).toBe(true);
});

test('a CPU that comes online after a request need not answer it', () => {
  rcuOffline(cpus[1]);
  const end = rcuGraceEnd(cpus[0]);
  rcuOnline(cpus[1]);
  for (const cpu of [cpus[0], cpus[2]]) rcuBoundary(cpu);
  expect([answered(cpus[1]), rcuGraceIsOver(cpus[0], end)]).toEqual([end, true]);
});

test('one that comes online as the request is made is waited for', () => {
  rcuOffline(cpus[1]);
  let end = 0;
  machine.meanwhile(1, 'store', cpus[1].block + PERCPU.rcuAnswered, () => {
    end = rcuGraceEnd(cpus[0]);
  });
  rcuOnline(cpus[1]);
  for (const cpu of [cpus[0], cpus[2]]) rcuBoundary(cpu);
  expect(rcuGraceIsOver(cpus[0], end)).toBe(false);
});

test('two that wait for each other wait for nobody', () => {
  machine.meanwhile(0, 'load', cpus[1].block + PERCPU.rcuAnswered, () => synchronizeRcu(cpus[1]));
  synchronizeRcu(cpus[0]);
  expect(machine.unplayed()).toEqual([]);
  expect([peek(CONTROL.rcuAsked), answered(cpus[0])]).toEqual([3, 3]);
});
