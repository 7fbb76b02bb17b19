/**
 * What crosses to the threads: a task for a CPU, a task for a kernel thread, and the latter's
 * service.
 */
import type { Geometry } from '#arena/map';
import type { Words } from '#arena/word';
import type { Plan } from '#scenario/plan';
import type { CpuEnd } from '#tasks/cpu-main';
import type { KthreadRole } from '#tasks/kthread';

/**
 * The machine as a thread needs it: the bytes, their layout, the plan, and which build of the code
 * to run.
 */
export interface MachineMessage {
  readonly buffer: SharedArrayBuffer;
  readonly geometry: Geometry;
  readonly plan: Plan;
  /**
   * URL of the module to load (tasks/entry): of the living build's free-running form, or of a
   * variant.
   */
  readonly entry: string;
  readonly spins: number;
}

export interface CpuTask extends MachineMessage {
  readonly cpu: number;
  /** A whole life, or the end of the process after all CPUs are done. */
  readonly part: 'life' | 'exit';
  /** The order in which the steps of the hostile phase are to be taken, if there is one. */
  readonly order?: Words;
}

export type CpuReply = CpuEnd;

export interface KthreadTask extends MachineMessage {
  readonly cpu: number;
  readonly role: KthreadRole;
  readonly port: import('node:worker_threads').MessagePort;
}

/** What a kernel thread answers while it runs (comlink). */
export interface KthreadService {
  /** Passes made so far. */
  passes(): number;
  /** Ends the present pause: controls have changed. */
  wake(): void;
  /** Ends the thread after its present pass; resolves when its callbacks have run. */
  stop(): Promise<void>;
}
