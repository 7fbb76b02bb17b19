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
import type { Batch, Checkpoint } from './peer.ts';
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

class LiveProcess {
  /** Kept, so that the heap keeps its room. */
  readonly settledHeap = settleHeap();
  private readonly calls: Syscalls = loadSyscalls();
  private readonly counters = new Counters();
  private readonly threads = new Threads(new URL(import.meta.url));
  private layout: Layout | null = null;
  private executor: Executor | null = null;
  private start = 0;
  private end = 0;
  private vmpteBefore = 0;

  /** An empty address space, of which the tables are none of the plan's. */
  begin(layout: Layout): void {
    const { starts, pages } = layout;
    const last = starts.length - 1;
    this.start = BASE_ADDRESS + starts[0]! * PAGE_SIZE_BYTES;
    this.end = BASE_ADDRESS + (starts[last]! + pages[last]!) * PAGE_SIZE_BYTES;
    this.layout = layout;
    this.executor?.close();
    this.executor = new Executor(this.calls, BASE_ADDRESS, layout);
    this.vmpteBefore = this.counters.vmpteKiB();
  }

  /** Operations, and readings after some of them. */
  run({ ops, checkpoints }: Batch): Reading[] {
    const readings: Reading[] = [];
    let next = 0;
    for (let done = 0; done <= ops.length; done++) {
      while (checkpoints[next]?.after === done) readings.push(this.read(checkpoints[next++]!));
      if (done < ops.length) this.executor!.execute(ops[done]!);
    }
    return readings;
  }

  /** The setup, and then the columns all at once; read once all are done. */
  async race(setup: readonly Op[], columns: readonly (readonly Op[])[]): Promise<Reading> {
    await this.threads.prepare(this.layout!, columns);
    // What the threads have needed until now is none of the plan's.
    this.vmpteBefore = this.counters.vmpteKiB();
    for (const op of setup) this.executor!.execute(op);
    const refused = await this.threads.go(columns.length);
    const { refused: before, ...read } = this.read({ after: 0, watched: [] });
    return { ...read, refused: before + refused };
  }

  /** Whether everything is as before the plan once its memory is unmapped. */
  finish(): boolean {
    this.calls.munmap(this.start, this.end - this.start);
    return this.counters.vmpteKiB() === this.vmpteBefore;
  }

  warmUp(): void {
    const layout: Layout = { starts: [0], pages: [1024], noReserve: [false] };
    const where = { region: 0, extent: { page: 0, pages: 1024 }, share: 'all' } as const;
    for (let i = 0; i < WARM_UP_ROUNDS; i++) {
      this.begin(layout);
      const ops: Batch['ops'] = [
        { op: 'mmap', protection: 'write', ...where },
        { op: 'touch', access: 'write', pages: 'every', ...where },
        { op: 'touch', access: 'read', pages: 'every', ...where },
      ];
      this.run({ ops, checkpoints: [{ after: 3, watched: [{ page: 0, pages: 1024 }] }] });
      this.finish();
    }
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
  const live = new LiveProcess();
  live.warmUp();
  const tell = (reply: Reply): void => void process.send!(reply);
  process.on('message', (request: Request) => {
    answer(live, request).then(tell, (error: Error) =>
      tell({ answer: 'failed', why: error.message }),
    );
  });
  // Whoever asked is gone.
  process.on('disconnect', () => process.kill(process.pid));
  if (isAddressSpaceFree()) tell({ answer: 'begun' });
  else tell({ answer: 'failed', why: 'the addresses of plans are in use' });
}

async function answer(live: LiveProcess, request: Request): Promise<Reply> {
  switch (request.ask) {
    case 'begin':
      live.begin(request.layout);
      return { answer: 'begun' };
    case 'run':
      return { answer: 'readings', readings: live.run(request.batch) };
    case 'race':
      return { answer: 'readings', readings: [await live.race(request.setup, request.columns)] };
    case 'end':
      return { answer: 'ended', clean: live.finish() };
  }
}
