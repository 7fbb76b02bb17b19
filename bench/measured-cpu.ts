/**
 * A simulated CPU whose operations the bench times: a thread that loads one of the forms of
 * `measured-forms.ts` as the CPU of a small machine, with its settings as constants of the code.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { Cpu } from '#arch/cpu';
import type { SettingsAtLoad } from '#arena/at-load';
import type { Geometry } from '#arena/map';
import type { MeasuredTree } from './measured-forms.ts';

/** A machine as its threads are told of it. */
export interface MeasuredMachine {
  readonly buffer: SharedArrayBuffer;
  readonly geometry: Geometry;
  readonly entry: string;
  readonly settings: SettingsAtLoad;
  readonly spins: number;
}

/** What a thread is started with; `task` says what it is to do. */
interface Start {
  readonly measuredMachine: MeasuredMachine;
  readonly id: number;
  readonly task: unknown;
}

/** Starts CPU `id` of `machine`; the module at `url` serves it with `serveCpu`. */
export function startCpu(url: string, machine: MeasuredMachine, id: number, task: unknown): Worker {
  const start: Start = { measuredMachine: machine, id, task };
  return new Worker(new URL(url), { workerData: start });
}

/** Next message of `worker`; rejects when the thread fails, or ends without one. */
export function nextMessage<T>(worker: Worker): Promise<T> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the thread ended without a result')));
  });
}

export function reply(message: unknown): void {
  parentPort!.postMessage(message);
}

/**
 * To be called by the module that `startCpu` names: on such a thread `serve` acts as the CPU; on
 * the main thread, or one of another purpose, nothing happens.
 */
export async function serveCpu<Task>(
  serve: (cpu: Cpu, tree: MeasuredTree, task: Task) => Promise<void> | void,
): Promise<void> {
  const start = workerData as Start | null;
  if (isMainThread || start?.measuredMachine === undefined) return;
  const { measuredMachine: machine, id, task } = start;
  const { buffer, geometry, spins, settings, entry } = machine;
  const totalStoreOrder = process.arch === 'x64';
  globalThis.pttortureMachine = { buffer, geometry, spins, settings, totalStoreOrder };
  const tree: MeasuredTree = await import(entry);
  tree.bindLockStat();
  if (id === 0) tree.rcuInitialize();
  const cpu = new tree.Cpu(id, 1);
  tree.lockStatCalibrate(cpu);
  await serve(cpu, tree, task as Task);
}
