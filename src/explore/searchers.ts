/**
 * The searchers: a piscina pool with one thread for each, all on the same plan with seeds of their
 * own. One thread can also shrink and replay.
 */
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { THREAD_FLAGS, workerFile } from '#machine/threads';
import type {
  Job,
  ReplayJob,
  ReplayReply,
  SearchProgress,
  SearchReply,
  ShrinkJob,
  ShrinkReply,
} from './jobs.ts';
import type { Figures, Found, SearchOrder } from './search.ts';

export interface SearchHooks {
  /** The figures of each searcher so far. */
  onProgress(figures: readonly Figures[]): void;
  /** True: that was enough. */
  onFound(found: Found): boolean;
  readonly signal: AbortSignal;
}

export class Searchers {
  readonly count: number;
  private readonly pool: Piscina;
  private readonly tree: string;

  /** `tree`: URL of the stepped tree to run. */
  constructor(count: number, tree: string) {
    this.count = count;
    this.tree = tree;
    this.pool = new Piscina({
      filename: workerFile('explorer'),
      minThreads: 1,
      maxThreads: count,
      // A searcher looks at its port between two slices of work.
      atomics: 'disabled',
      recordTiming: false,
      execArgv: THREAD_FLAGS,
    });
  }

  /** All searchers, until one has found enough, nothing is left, or `signal` aborts. */
  async search(
    order: Omit<SearchOrder, 'lane' | 'lanes'>,
    hooks: SearchHooks,
  ): Promise<SearchReply[]> {
    const lanes = this.count;
    const stops: (() => void)[] = [];
    const figures: Figures[] = [];
    const stop = (): void => {
      for (const each of stops) each();
    };
    hooks.signal.addEventListener('abort', stop, { once: true });
    const searches = Array.from({ length: lanes }, (_, lane) => {
      const { port1, port2 } = new MessageChannel();
      stops.push(() => port1.postMessage('stop'));
      port1.on('message', (progress: SearchProgress) => {
        figures[lane] = progress.figures;
        hooks.onProgress(figures.filter((each) => each !== undefined));
        for (const found of progress.found) if (hooks.onFound(found)) stop();
      });
      const job: Job = {
        job: 'search',
        tree: this.tree,
        order: { ...order, lane, lanes },
        port: port2,
      };
      return this.pool.run(job, { transferList: [port2] }).finally(() => port1.close());
    });
    if (hooks.signal.aborted) stop();
    try {
      return await Promise.all(searches);
    } finally {
      hooks.signal.removeEventListener('abort', stop);
    }
  }

  shrink(job: Omit<ShrinkJob, 'job'>): Promise<ShrinkReply> {
    return this.pool.run({ ...job, job: 'shrink', tree: this.tree } satisfies Job);
  }

  replay(job: Omit<ReplayJob, 'job'>): Promise<ReplayReply> {
    return this.pool.run({ ...job, job: 'replay', tree: this.tree } satisfies Job);
  }

  async close(): Promise<void> {
    await this.pool.destroy();
  }
}
