/** Threads of the process on the live kernel: each does operations of its own, all at once. */
import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { parentPort, Worker } from 'node:worker_threads';
import type { Op } from '#scenario/plan';
import { Executor } from './execute.ts';
import type { Layout } from './messages.ts';
import { settleHeap } from './settled-heap.ts';
import { loadSyscalls } from './syscalls.ts';

/**
 * What a thread is told: where memory is and what it is to do there; and then to begin, where the
 * heap has so many pages.
 */
type Order =
  | { readonly layout: Layout; readonly ops: readonly Op[] }
  | { readonly heapPages: number };

/** What a column allocates is little: a thread has less room for the young than its process. */
const YOUNG_HEAP = ['--min-semi-space-size=16', '--max-semi-space-size=16'];

/** Kept from plan to plan, so that their own memory is settled. */
export class Threads {
  private readonly workers: Worker[] = [];
  private readonly file: URL;

  /** `file`: the module that calls `serveThread` in a thread. */
  constructor(file: URL) {
    this.file = file;
    for (const flag of YOUNG_HEAP) setFlagsFromString(flag);
  }

  /** One thread for each list of operations, all of them ready to begin. */
  async prepare(layout: Layout, columns: readonly (readonly Op[])[]): Promise<void> {
    while (this.workers.length < columns.length) {
      const worker = new Worker(this.file, { trackUnmanagedFds: false });
      this.workers.push(worker);
      await once(worker, 'message');
    }
    for (const [i, ops] of columns.entries()) {
      this.workers[i]!.postMessage({ layout, ops } satisfies Order);
      await once(this.workers[i]!, 'message');
    }
  }

  /** Has them do it, all at once; pages whose access was refused. */
  async go(columns: number, heapPages: number): Promise<number> {
    const busy = this.workers.slice(0, columns);
    const done = busy.map((worker) => once(worker, 'message'));
    for (const worker of busy) worker.postMessage({ heapPages } satisfies Order);
    const refused = await Promise.all(done);
    return refused.reduce((sum, [count]) => sum + count, 0);
  }
}

/** The life of such a thread. It answers each order with a number. */
export function serveThread(base: number): void {
  const calls = loadSyscalls();
  settleHeap();
  let layout: Layout | null = null;
  let ops: readonly Op[] = [];
  parentPort!.on('message', (order: Order) => {
    let refused = 0;
    if ('heapPages' in order) {
      const executor = new Executor(calls, base, layout!, order.heapPages);
      for (const op of ops) executor.execute(op);
      executor.close();
      refused = executor.refused;
    } else ({ layout, ops } = order);
    parentPort!.postMessage(refused);
  });
  parentPort!.postMessage(0);
}
