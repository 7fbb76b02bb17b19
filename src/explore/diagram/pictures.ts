/**
 * Executes a schedule once more and takes pictures of memory when the steps asked for are over,
 * that is when it is asked who goes on.
 */
import { type CpuRef, GATE } from '#arena/gate';
import { MM } from '#arena/layout/mm';
import { PERCPU } from '#arena/layout/percpu';
import type { Words } from '#arena/word';
import { blockOf } from '#oracles/evidence';
import { ReplayStrategy, type Schedule } from '../schedule.ts';
import type { SteppedMachine } from '../stepped-machine.ts';
import type { Stepper } from '../stepper.ts';
import { type Onlooker, Twin } from './twin.ts';

export interface Picture {
  readonly words: Words;
  /** Of each CPU that is about to release a lock, which is held as long: the lock's word. */
  readonly leaving: ReadonlyMap<number, number>;
}

/** Pictures of memory after each of `steps`, which are in order; -1: before all steps. */
export function picturesAfter(
  machine: SteppedMachine,
  schedule: Schedule,
  steps: readonly number[],
  stepsMax: number | undefined,
): Picture[] {
  const pictures: Picture[] = [];
  const passages = new Map<number, { op: number; at: number }>();
  let taken = (): number => -1;
  const look = (): void => {
    const done = taken() - 1;
    while (pictures.length < steps.length && steps[pictures.length]! <= done)
      pictures.push(pictureOf(twin.machine, passages));
  };
  const onlookerFor = (stepper: Stepper): Onlooker => {
    taken = () => stepper.history.steps;
    return {
      pass(cpu: CpuRef, op: number, at: number, seen: number): boolean {
        passages.set(cpu.id, { op, at });
        look();
        return stepper.pass(cpu, op, at, seen);
      },
      choose: (cpu, alternatives) => stepper.choose(cpu, alternatives),
      quiet() {},
    };
  };
  const twin = new Twin(machine, stepsMax, onlookerFor, look);
  const replay = new ReplayStrategy(schedule);
  twin.execute({
    begin: () => replay.begin(),
    pick(enabled, running) {
      look();
      return replay.pick(enabled, running);
    },
    choose: (cpu, alternatives) => replay.choose(cpu, alternatives),
  });
  while (pictures.length < steps.length) pictures.push(pictureOf(twin.machine, passages));
  return pictures;
}

/**
 * What a CPU holds it gives up in its own accounts before the step that releases it. That step
 * stores to a spinlock, and subtracts from a semaphore; neither is ever taken so.
 */
function pictureOf(
  { words, map, plan }: SteppedMachine,
  passages: ReadonlyMap<number, { op: number; at: number }>,
): Picture {
  const copy = new Int32Array(new SharedArrayBuffer(words.byteLength));
  copy.set(words);
  const semaphores = [map.mm + MM.mmapLock, map.mm + MM.anonVma];
  const leaving = plan.columns.flatMap((_, cpu): [number, number][] => {
    const { op, at } = passages.get(cpu) ?? { op: -1, at: 0 };
    const block = blockOf(map, cpu);
    const latest = words[block + PERCPU.held + words[block + PERCPU.heldCount]!];
    const isLeaving =
      (op === GATE.store && at === latest) || (op === GATE.add && semaphores.includes(at));
    return isLeaving && words[at] !== 0 ? [[cpu, at]] : [];
  });
  return { words: copy, leaving: new Map(leaving) };
}
