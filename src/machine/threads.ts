/**
 * The threads of a machine: a piscina pool with one thread per CPU, and a pool whose threads keep
 * their event loops for the kernel threads, which are called through comlink.
 */
import { setMaxListeners } from 'node:events';
import { execArgv } from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { MessageChannel } from 'node:worker_threads';
import * as Comlink from 'comlink';
import { Piscina } from 'piscina';
import type { Words } from '#arena/word';
import type { KthreadRole } from '#tasks/kthread';
import type { CpuReply, CpuTask, KthreadService, KthreadTask, MachineMessage } from './messages.ts';

/**
 * Threads always run the built code, also when the main thread runs from the sources under a test.
 */
const WORKERS = import.meta.url.endsWith('.ts') ? '../../dist/workers/' : '../../workers/';

/**
 * Up to how many bytecodes V8 inlines into a function that it compiles. By default it stops at 920,
 * in the midst of the fault path; with 4000 a fault and the zap of its page, on one CPU, take 92 ns
 * instead of 112. With 8000, or with larger functions allowed, they take no less.
 */
const INLINING = '--max-inlined-bytecode-size-cumulative=4000';

/**
 * Flags of Node.js that threads share with the main thread: those of its profiler. Others would,
 * under a test, make threads resolve to the sources.
 */
export const THREAD_FLAGS = execArgv.filter((flag) => flag.startsWith('--cpu-prof'));

/** For the whole process, and so before a thread of it compiles what a CPU runs. */
export function raiseInlining(): void {
  setFlagsFromString(INLINING);
}

/** Where worker code is: `dist/workers`. */
export function workerFile(name: string): string {
  return new URL(`${WORKERS}${name}.js`, import.meta.url).href;
}

/**
 * The living build, for `MachineMessage.entry`: its free-running form, or one that has a gate; or
 * the forms that observe, which keep lock statistics and a trace where the machine has room for
 * them.
 */
export function livingEntry(gated: boolean, observing = false): string {
  const folder = gated ? 'tasks' : 'free';
  const tree = observing ? 'lock-stat/' : gated ? 'src/' : '';
  return new URL(`../${tree}${folder}/entry.js`, workerFile('cpu')).href;
}

/** Runs the lives of all CPUs at once; rejects when a thread dies or `signal` aborts. */
export class CpuPool {
  private readonly pool: Piscina;
  private readonly cpus: number;

  constructor(cpus: number) {
    this.cpus = cpus;
    raiseInlining();
    this.pool = new Piscina({
      filename: workerFile('cpu'),
      minThreads: cpus,
      maxThreads: cpus,
      idleTimeout: 60_000,
      recordTiming: false,
      execArgv: THREAD_FLAGS,
    });
  }

  /** One reply per CPU; `order`: in which the steps of the hostile phase are taken. */
  live(message: MachineMessage, signal: AbortSignal, order?: Words): Promise<CpuReply[]> {
    const tasks: Promise<CpuReply>[] = [];
    // Each task listens until it ends, and Node.js warns where more than ten do.
    setMaxListeners(0, signal);
    for (let cpu = 0; cpu < this.cpus; cpu++) {
      const task: CpuTask = { ...message, cpu, part: 'life', ...(order && { order }) };
      tasks.push(this.pool.run(task, { signal }));
    }
    return Promise.all(tasks);
  }

  /** The end of the process, on CPU 0. */
  exit(message: MachineMessage, signal: AbortSignal, order?: Words): Promise<CpuReply> {
    const task: CpuTask = { ...message, cpu: 0, part: 'exit', ...(order && { order }) };
    return this.pool.run(task, { signal });
  }

  async close(): Promise<void> {
    await this.pool.destroy();
  }
}

/** The kernel threads of one machine. */
export class KthreadPool {
  private readonly pool: Piscina;
  private readonly services: Comlink.Remote<KthreadService>[] = [];
  private readonly ports: import('node:worker_threads').MessagePort[] = [];
  private readonly ends: Promise<void>[] = [];

  constructor(threads: number) {
    this.pool = new Piscina({
      filename: workerFile('kthread'),
      minThreads: threads,
      maxThreads: threads,
      // An idle thread must not block its event loop, or its port would not be served.
      atomics: 'disabled',
      recordTiming: false,
      execArgv: THREAD_FLAGS,
    });
  }

  start(message: MachineMessage, cpu: number, role: KthreadRole, signal: AbortSignal): void {
    const { port1, port2 } = new MessageChannel();
    const task: KthreadTask = { ...message, cpu, role, port: port2 };
    this.ends.push(this.pool.run(task, { transferList: [port2], signal }));
    this.services.push(Comlink.wrap<KthreadService>(port1 as unknown as Comlink.Endpoint));
    this.ports.push(port1);
  }

  /** The services, in the order of their start. */
  remotes(): readonly Comlink.Remote<KthreadService>[] {
    return this.services;
  }

  /** Rejects when a kernel thread dies or its signal aborts; never resolves before `stop`. */
  died(): Promise<void> {
    return Promise.all(this.ends).then(() => {});
  }

  /** Ends all threads; their callbacks have run. Rejects as `died` does. */
  async stop(): Promise<void> {
    const answers = Promise.all(this.services.map((service) => service.stop()));
    // One that dies does not answer.
    await Promise.race([answers, this.died()]);
    await this.died();
  }

  async close(): Promise<void> {
    for (const port of this.ports) port.close();
    await this.pool.destroy();
  }
}
