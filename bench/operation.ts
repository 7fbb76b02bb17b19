/**
 * Single operations of a simulated CPU, timed by mitata in batches: one operation costs less than
 * reading the clock. Each sample has a thread of its own, as a simulated CPU has: code that has run
 * with one lock algorithm or form of RCU is compiled for it, and would run another one slower.
 *
 * A group's module names its operations, and measures one of them where it is loaded as a thread.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { measure } from 'mitata';
import { Cpu } from '#arch/cpu';
import { bindArena } from '#arena/arena';
import { arenaMap, type Geometry } from '#arena/map';
import { rcuInitialize, rcuOnline } from '#sync/rcu';
import type { BenchOptions, Variant } from './harness.ts';

/** By name: configures the machine, and returns what is to be timed. */
export type Operations = Readonly<Record<string, (cpu: Cpu) => () => void>>;

/** One variant for each of `operations`, which the module at `url` serves. */
export function operationVariants(
  url: string,
  operations: Operations,
  { ms }: BenchOptions,
): Variant[] {
  return Object.keys(operations).map((name) => ({
    name,
    unit: 'ns',
    sample: () => sampleInThread(url, { operation: name, cpuNs: ms * 1e6 * MEASURED_SHARE }),
  }));
}

/** To be called by the module: on the main thread it does nothing. */
export async function serveOperations(operations: Operations): Promise<void> {
  const task = workerData as Task | null;
  if (isMainThread || task?.operation === undefined) return;
  const operation = operations[task.operation](bootCpu());
  for (let i = 0; i < WARM_UP; i++) operation();
  const { p50 } = await measure(operation, { min_cpu_time: task.cpuNs });
  parentPort!.postMessage(p50);
}

interface Task {
  readonly operation: string;
  readonly cpuNs: number;
}

/** Part of a simulated run's time that a single operation is given. */
const MEASURED_SHARE = 0.1;
const WARM_UP = 20_000;

const GEOMETRY: Geometry = {
  cpus: 2,
  ptrsShift: 9,
  levels: 4,
  tables: 64,
  bodies: 64,
  pages: 1024,
  vmas: 4,
  gatherPages: 512,
  batch: 32,
  backing: 'fixed',
};

function sampleInThread(url: string, task: Task): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(url), { workerData: task });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the thread ended without a result')));
  });
}

/** Binds a small arena to this thread; CPU 0 of it is online, and nothing contends. */
function bootCpu(): Cpu {
  const sizeBytes = arenaMap(GEOMETRY).sizeWords * 4;
  bindArena(new SharedArrayBuffer(sizeBytes), GEOMETRY, 1000);
  rcuInitialize();
  const cpu = new Cpu(0, 1);
  rcuOnline(cpu);
  return cpu;
}
