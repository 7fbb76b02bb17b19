/**
 * The process in which plans are executed on the live kernel. It does nothing else, so that what
 * its page tables do between two readings is the plan's doing.
 */
import { readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { PAGE_SIZE_BYTES } from '#base/units';
import type { Reading } from '#result/reading';
import type { Op } from '#scenario/plan';
import { Counters } from './counters.ts';
import { Executor } from './execute.ts';
import type { Layout, Reply, Request } from './messages.ts';
import type { Batch, Checkpoint, Readings } from './peer.ts';
import { settleHeap } from './settled-heap.ts';
import { loadSyscalls, type Syscalls } from './syscalls.ts';
import { serveThread, Threads } from './threads.ts';

/**
 * Page 0 of plans, where a top-level entry begins (each reaches 512 GiB): page tables are those of
 * the simulated machine then. It is above what V8 asks for and below where Linux puts programs.
 */
const BASE_ADDRESS = 0x6000_0000_0000;
/** How often all that is read is read before the first plan, so that V8 has done its part. */
const WARM_UP_ROUNDS = 50;
/** Before a plan of more operations what the last one left on the heap is collected. */
const LONG_OPERATIONS = 1000;

class LiveProcess {
  private readonly calls: Syscalls = loadSyscalls();
  private readonly counters = new Counters();
  private readonly threads = new Threads(new URL(import.meta.url));
  private executor: Executor | null = null;
  private start = 0;
  private end = 0;
  private vmpteBefore = 0;

  /** All of it at once: while it runs nothing is received or sent, and little is allocated. */
  run(layout: Layout, { ops, checkpoints }: Batch): Readings {
    this.enter(layout);
    if (ops.length > LONG_OPERATIONS) gc!();
    this.vmpteBefore = this.counters.vmpteKiB();
    const readings: Reading[] = [];
    let next = 0;
    for (let done = 0; done <= ops.length; done++) {
      while (checkpoints[next]?.after === done) readings.push(this.read(checkpoints[next++]!));
      if (done < ops.length) this.executor!.execute(ops[done]!);
    }
    return { readings, isStill: this.leave() };
  }

  /**
   * The setup, and then the columns all at once; read once all are done. They do it twice, since
   * the first time the threads have memory to map for themselves.
   */
  async race(
    layout: Layout,
    setup: readonly Op[],
    columns: readonly (readonly Op[])[],
  ): Promise<Readings> {
    await this.threads.prepare(layout, columns);
    await this.raceOnce(layout, setup, columns.length);
    return this.raceOnce(layout, setup, columns.length);
  }

  private async raceOnce(layout: Layout, setup: readonly Op[], threads: number): Promise<Readings> {
    this.enter(layout);
    this.vmpteBefore = this.counters.vmpteKiB();
    for (const op of setup) this.executor!.execute(op);
    const refused = await this.threads.go(threads, this.executor!.heapPages);
    const { refused: before, ...read } = this.read({ after: 0, watched: [] });
    const readings = [{ ...read, refused: before + refused }];
    return { readings, isStill: this.leave() };
  }

  /** An address space of that layout, with nothing in it. */
  private enter(layout: Layout): void {
    const { starts, pages } = layout;
    const last = starts.length - 1;
    this.start = BASE_ADDRESS + starts[0]! * PAGE_SIZE_BYTES;
    this.end = BASE_ADDRESS + (starts[last]! + pages[last]!) * PAGE_SIZE_BYTES;
    this.executor?.close();
    this.executor = new Executor(this.calls, BASE_ADDRESS, layout);
  }

  /** Whether everything is as before once the plan's memory is unmapped. */
  private leave(): boolean {
    this.calls.munmap(this.start, this.end - this.start);
    return this.counters.vmpteKiB() === this.vmpteBefore;
  }

  warmUp(): void {
    const layout: Layout = { starts: [0], pages: [1024], noReserve: [false] };
    const where = { region: 0, extent: { page: 0, pages: 1024 }, share: 'all' } as const;
    const ops: Batch['ops'] = [
      { op: 'mmap', protection: 'write', ...where },
      { op: 'touch', access: 'write', pages: 'every', ...where },
      { op: 'touch', access: 'read', pages: 'every', ...where },
    ];
    const checkpoints = [{ after: 3, watched: [{ page: 0, pages: 1024 }] }];
    for (let i = 0; i < WARM_UP_ROUNDS; i++) this.run(layout, { ops, checkpoints });
  }

  private read({ watched }: Checkpoint): Reading {
    return {
      vmpteKiB: this.counters.vmpteKiB() - this.vmpteBefore,
      rssKiB: this.counters.rssKiB(this.start, this.end),
      refused: this.executor!.refused,
      present: watched.map(({ page, pages }) =>
        this.counters.present(BASE_ADDRESS + page * PAGE_SIZE_BYTES, pages),
      ),
    };
  }
}

/** Whether the addresses of plans are free, up to where Linux puts programs. */
function isAddressSpaceFree(): boolean {
  const maps = readFileSync('/proc/self/maps', 'latin1').split('\n');
  return maps.every((line) => !/^(6[0-9a-f]|7[0-6])[0-9a-f]{10}-/.test(line));
}

if (isMainThread) serveProcess();
else serveThread(BASE_ADDRESS);

/** Answers one request after another. */
function serveProcess(): void {
  settleHeap();
  const live = new LiveProcess();
  live.warmUp();
  const tell = (reply: Reply): void => void process.send!(reply);
  process.on('message', (request: Request) => {
    answer(live, request).then(tell, (error: Error) =>
      tell({ answer: 'failed', why: error.message }),
    );
  });
  // When whoever asked is gone, so is this.
  process.on('disconnect', () => process.kill(process.pid));
  if (isAddressSpaceFree()) tell({ answer: 'ready' });
  else tell({ answer: 'failed', why: 'the addresses of plans are in use' });
}

async function answer(live: LiveProcess, request: Request): Promise<Reply> {
  const { ask, layout } = request;
  const readings =
    ask === 'run'
      ? live.run(layout, request.batch)
      : await live.race(layout, request.setup, request.columns);
  return { answer: 'readings', ...readings };
}
