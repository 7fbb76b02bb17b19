/**
 * What a simulated CPU does in the group `locks`: it takes and releases one lock, alone, or against
 * others, and then it adds to a word that the lock protects.
 */
import type { Cpu } from '#arch/cpu';
import { CONTROL } from '#arena/layout/control';
import { LINE_WORDS } from '#arena/layout/struct';
import { histogramSlot } from '#trace/histogram';
import { LOCK } from '#trace/vocabulary';
import { BOARD, type CrowdTask, joinCrowd } from './crowd.ts';
import { lockName, withStatistics } from './lock-names.ts';
import { serveCpu } from './measured-cpu.ts';
import type { MeasuredTree } from './measured-forms.ts';
import {
  type Build,
  type Operation,
  type Operations,
  type OperationTask,
  timeOperation,
} from './operation.ts';

/** This module, as the entry point of a thread. */
export const LOCK_THREAD = import.meta.url;

export type OurLock = NonNullable<Build['lock']>;
const OUR_LOCKS: readonly OurLock[] = ['ttas', 'ticket', 'mcs'];

/** Pairs by one CPU. */
export const ALONE: Operations = Object.fromEntries(
  [false, true].flatMap((lockStat) =>
    OUR_LOCKS.map((lock) => [
      lockName(withStatistics(lock, lockStat), 1),
      pairOf({ cpus: 1, lock, lockStat }),
    ]),
  ),
);

interface LockLoopTask extends CrowdTask {
  /** Times each acquisition. */
  readonly timed: boolean;
}

export interface LockLoopFound {
  readonly acquisitions: number;
  /** How many acquisitions took how long, if timed: by `histogramSlot` of nanoseconds. */
  readonly waits: Float64Array;
  readonly longestNs: number;
}

/** The lock that all CPUs share stands in the first of so many lines; each warms up on its own. */
const LINES = 8;
const WARM_UP = 20_000;
/** Beyond this, durations share a bucket. */
const NS_MAX = 2 ** 32 - 1;
const SLOTS = histogramSlot(NS_MAX) + 1;

function pairOf(build: Build): Operation {
  return {
    build,
    prepare: (cpu, { spinLock, spinUnlock }) => {
      return () => {
        spinLock(cpu, CONTROL.torture, LOCK.torture);
        spinUnlock(cpu, CONTROL.torture, LOCK.torture);
      };
    },
  };
}

function lockLoop(cpu: Cpu, tree: MeasuredTree, task: LockLoopTask): void {
  const { spinLock, spinUnlock } = tree;
  const warm = CONTROL.torture + (cpu.id % LINES) * LINE_WORDS;
  for (let i = 0; i < WARM_UP; i++) {
    spinLock(cpu, warm, LOCK.torture);
    spinUnlock(cpu, warm, LOCK.torture);
  }
  joinCrowd(task, (board) => (task.timed ? takeTimed(cpu, tree, board) : take(cpu, tree, board)));
}

type Board = LockLoopTask['board'];

function take(cpu: Cpu, { spinLock, spinUnlock }: MeasuredTree, board: Board): LockLoopFound {
  let acquisitions = 0;
  do {
    spinLock(cpu, CONTROL.torture, LOCK.torture);
    board[BOARD.data]++;
    spinUnlock(cpu, CONTROL.torture, LOCK.torture);
    acquisitions++;
  } while (board[BOARD.stop] === 0);
  return { acquisitions, waits: new Float64Array(0), longestNs: 0 };
}

function takeTimed(cpu: Cpu, { spinLock, spinUnlock }: MeasuredTree, board: Board): LockLoopFound {
  const waits = new Float64Array(SLOTS);
  let longestNs = 0;
  let acquisitions = 0;
  do {
    const before = performance.now();
    spinLock(cpu, CONTROL.torture, LOCK.torture);
    const ns = Math.min(Math.round((performance.now() - before) * 1e6), NS_MAX);
    board[BOARD.data]++;
    spinUnlock(cpu, CONTROL.torture, LOCK.torture);
    waits[histogramSlot(ns)]++;
    longestNs = Math.max(longestNs, ns);
    acquisitions++;
  } while (board[BOARD.stop] === 0);
  return { acquisitions, waits, longestNs };
}

await serveCpu<OperationTask | LockLoopTask>((cpu, tree, task) =>
  'operation' in task ? timeOperation(ALONE, cpu, tree, task) : lockLoop(cpu, tree, task),
);
