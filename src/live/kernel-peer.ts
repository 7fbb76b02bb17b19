/** The live kernel as a peer: a process of its own executes the plans, and is asked over IPC. */
import { type ChildProcess, fork } from 'node:child_process';
import { arch, platform } from 'node:process';
import { UserError } from '#base/user-error';
import type { Op } from '#scenario/plan';
import { regionStarts } from '#scenario/regions';
import type { Layout, Reply, Request } from './messages.ts';
import { type Batch, Interrupted, type Memory, type Peer, type Readings } from './peer.ts';

/** The page tables of the live kernel. */
export const X86_64 = { levels: 4, ptrsShift: 9 } as const;

/** The process always runs the built code, also when a test runs from the sources. */
const CHILD = import.meta.url.endsWith('.ts') ? '../../dist/src/live/main.js' : './main.js';

/**
 * MiB of V8's heap for the young. A long plan has up to 120,000 operations, which allocate 33 MiB,
 * and none of it may be collected in the midst of the plan. Short ones read their figures sooner
 * where there is less memory to read about.
 */
const YOUNG_MIB = { short: 16, long: 64 } as const;

/**
 * V8 without threads that compile or collect, and with a heap for the young that is as large from
 * the start as it gets: what it maps later, to grow or to promote, would move the figures.
 */
function quiet(youngMiB: number): string[] {
  const sizes = ['min', 'max'].map((end) => `--${end}-semi-space-size=${youngMiB}`);
  return ['--single-threaded', '--expose-gc', ...sizes];
}

export class KernelPeer implements Peer {
  private readonly child: ChildProcess;
  private waiting: { resolve(reply: Reply): void; reject(error: Error): void } | null = null;
  private isStopped = false;

  private constructor(child: ChildProcess) {
    this.child = child;
    child.on('message', (reply: Reply) => this.settle((waiting) => waiting.resolve(reply)));
    child.on('error', (error) => this.settle((waiting) => waiting.reject(error)));
    child.on('exit', (code, signal) => {
      const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
      const error = new Error(`the process on the live kernel ${how}`);
      this.settle((waiting) => waiting.reject(this.isStopped ? new Interrupted() : error));
    });
  }

  /** Throws a `UserError` where there is no live kernel to ask. */
  static async start(plans: keyof typeof YOUNG_MIB): Promise<KernelPeer> {
    await checkPlatform();
    const file = new URL(CHILD, import.meta.url);
    const execArgv = quiet(YOUNG_MIB[plans]);
    // A process group of its own: Ctrl-C is for whoever asks, from the first moment on.
    const options = { execArgv, serialization: 'advanced', detached: true } as const;
    const peer = new KernelPeer(fork(file, { ...options, stdio: ['ignore', 2, 2, 'ipc'] }));
    peer.expect(await peer.reply(), 'ready');
    return peer;
  }

  run(plan: Memory, batch: Batch): Promise<Readings> {
    return this.readings({ ask: 'run', layout: layoutOf(plan), batch });
  }

  /** The setup, then all columns at once; what is read once all are done. */
  race(plan: Memory, setup: readonly Op[], columns: readonly (readonly Op[])[]): Promise<Readings> {
    return this.readings({ ask: 'race', layout: layoutOf(plan), setup, columns });
  }

  /** Whether a DONTNEED of a whole table frees it: a trial. */
  async reclaims(): Promise<boolean> {
    const pages = 2 ** X86_64.ptrsShift;
    const region = { name: 'trial', pages, flags: [], gapPages: 0 };
    const where = { region: 0, extent: { page: 0, pages }, share: 'all' } as const;
    const { readings } = await this.run(
      { ...X86_64, regions: [region] },
      {
        ops: [
          { op: 'mmap', protection: 'write', ...where },
          { op: 'touch', access: 'write', pages: 'every', ...where },
          { op: 'dontneed', ...where },
        ],
        checkpoints: [2, 3].map((after) => ({ after, watched: [] })),
      },
    );
    return readings[1]!.vmpteKiB < readings[0]!.vmpteKiB;
  }

  /** Ends the process in the midst of a plan: what it is asked, now or later, is `Interrupted`. */
  stop(): void {
    this.isStopped = true;
    this.child.kill('SIGKILL');
  }

  async close(): Promise<void> {
    this.child.removeAllListeners('exit');
    this.child.kill('SIGKILL');
  }

  private async readings(request: Request): Promise<Readings> {
    if (this.isStopped) throw new Interrupted();
    const reply = this.reply();
    this.child.send(request);
    return this.expect(await reply, 'readings');
  }

  private reply(): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
    });
  }

  private settle(how: (waiting: NonNullable<KernelPeer['waiting']>) => void): void {
    const { waiting } = this;
    this.waiting = null;
    if (waiting !== null) how(waiting);
  }

  private expect<A extends Reply['answer']>(reply: Reply, answer: A): Reply & { answer: A } {
    if (reply.answer === 'failed') throw new Error(`on the live kernel: ${reply.why}`);
    if (reply.answer !== answer) throw new Error(`"${reply.answer}" instead of "${answer}"`);
    return reply as Reply & { answer: A };
  }
}

function layoutOf(plan: Memory): Layout {
  return {
    starts: regionStarts(plan),
    pages: plan.regions.map(({ pages }) => pages),
    noReserve: plan.regions.map(({ flags }) => flags.includes('noreserve')),
  };
}

/** What there must be before a plan can run on the live kernel. */
async function checkPlatform(): Promise<void> {
  if (platform !== 'linux' || arch !== 'x64')
    throw new UserError(`the live kernel must be Linux on x86-64, not ${platform} on ${arch}`);
  try {
    await import('koffi');
  } catch {
    throw new UserError(
      'the package koffi, by which the live kernel is asked, is not installed; npm ci installs it',
    );
  }
}
