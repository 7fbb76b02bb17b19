/**
 * Single operations of a simulated CPU, timed by mitata in batches: one operation costs less than
 * reading the clock. Each sample has a thread of its own, as a simulated CPU has: code that has run
 * with one lock algorithm or form of RCU is compiled for it, and would run another one slower.
 *
 * This half is the thread's; `operation-variants.ts` is that of the main thread.
 */
import { measure } from 'mitata';
import type { Cpu } from '#arch/cpu';
import { reply } from './measured-cpu.ts';
import type { MeasuredTree } from './measured-forms.ts';

/** How a machine is built. */
export interface Build {
  readonly cpus: number;
  /** Algorithm of the lock class `torture`. */
  readonly lock?: 'ttas' | 'ticket' | 'mcs';
  /** Keeps lock statistics. */
  readonly lockStat?: boolean;
  readonly rcu?: 'qsbr' | 'announced';
}

export interface Operation {
  readonly build: Build;
  /** Prepares the machine, and returns what is to be timed. */
  prepare(cpu: Cpu, tree: MeasuredTree): () => void;
}

/** By name. */
export type Operations = Readonly<Record<string, Operation>>;

export interface OperationTask {
  readonly operation: string;
  readonly cpuNs: number;
}

const WARM_UP = 20_000;

/** On the thread: times the operation that `task` names. */
export async function timeOperation(
  operations: Operations,
  cpu: Cpu,
  tree: MeasuredTree,
  { operation, cpuNs }: OperationTask,
): Promise<void> {
  const run = operations[operation].prepare(cpu, tree);
  for (let i = 0; i < WARM_UP; i++) run();
  const { p50 } = await measure(run, { min_cpu_time: cpuNs });
  reply(p50);
}
