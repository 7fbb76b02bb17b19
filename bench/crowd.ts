/**
 * Several CPUs at once for a set time: they warm up, gather at a line, start together, and stop
 * when a word says so. The board is what they and the main thread share beside the machine.
 */
import type { Worker } from 'node:worker_threads';
import { type MeasuredMachine, nextMessage, reply, startCpu } from './measured-cpu.ts';

export type Board = Int32Array<SharedArrayBuffer>;

/** Words of the board, a line each. `data`: what a lock protects. */
export const BOARD = { go: 0, stop: 16, data: 32 } as const;
const BOARD_WORDS = 48;

export interface CrowdTask {
  readonly board: Board;
}

/** What each CPU has found, and the wall time from the start to the last CPU's end. */
export interface CrowdEnd<T> {
  readonly found: readonly T[];
  readonly ns: number;
  readonly data: number;
}

interface End<T> {
  readonly found: T;
  readonly endMs: number;
}

/** Runs `tasks[id]` on CPU `id`; the module at `url` serves them. */
export async function runCrowd<T>(
  url: string,
  machine: MeasuredMachine,
  tasks: readonly object[],
  ms: number,
): Promise<CrowdEnd<T>> {
  const board: Board = new Int32Array(new SharedArrayBuffer(4 * BOARD_WORDS));
  const workers: Worker[] = [];
  const exits: Promise<unknown>[] = [];
  try {
    // CPU 0 boots the machine, so the others start when it is ready.
    for (const [id, task] of tasks.entries()) {
      const worker = startCpu(url, machine, id, { ...task, board } satisfies CrowdTask);
      workers.push(worker);
      exits.push(new Promise((resolve) => worker.once('exit', resolve)));
      if (id === 0) await nextMessage(worker);
    }
    await Promise.all(workers.slice(1).map((worker) => nextMessage(worker)));
    const ends = workers.map((worker) => nextMessage<End<T>>(worker));
    const startMs = now();
    Atomics.store(board, BOARD.go, 1);
    Atomics.notify(board, BOARD.go);
    await new Promise((resolve) => setTimeout(resolve, ms));
    Atomics.store(board, BOARD.stop, 1);
    const all = await Promise.all(ends);
    const endMs = Math.max(...all.map((end) => end.endMs));
    const found = all.map((end) => end.found);
    return { found, ns: (endMs - startMs) * 1e6, data: board[BOARD.data] };
  } finally {
    // A thread that has told its end is left to end by itself, so that a profile of it is written.
    const killer = setTimeout(() => terminateAll(workers), ENDING_MS);
    await Promise.all(exits);
    clearTimeout(killer);
  }
}

/** Where a thread has failed, the others wait at the line for ever. */
const ENDING_MS = 2_000;

function terminateAll(workers: readonly Worker[]): void {
  for (const worker of workers) void worker.terminate();
}

/** On the thread, when it is warm: waits for the start, acts, and tells what it has found. */
export function joinCrowd<T>({ board }: CrowdTask, act: (board: Board) => T): void {
  reply('ready');
  Atomics.wait(board, BOARD.go, 0);
  const found = act(board);
  reply({ found, endMs: now() } satisfies End<T>);
}

/** Milliseconds on a clock that all threads share. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
