/** Counters of a trace: looked at now and then by the main thread, from setup to the fair phase. */
import { nowNs } from '#arena/clock';
import { PHASE } from '#arena/layout/control';
import { PERCPU } from '#arena/layout/percpu';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import type { TraceSample } from '#result/run-trace';
import { rssKiB, vmpteKiB } from './harvest.ts';
import { Samples } from './samples.ts';

const SAMPLES_MAX = 2000;
const NS_PER_MS = 1e6;

export class TraceSampler {
  /** When the machine was made, on this thread's clock. */
  readonly madeNs: number = nowNs();
  private readonly words: Words;
  private readonly map: ArenaMap;
  private readonly samples: Samples<TraceSample>;

  constructor(words: Words, map: ArenaMap, everyMs: number) {
    this.words = words;
    this.map = map;
    this.samples = new Samples(SAMPLES_MAX, everyMs);
  }

  sample(phase: number): void {
    const ns = nowNs() - this.madeNs;
    const ms = ns / NS_PER_MS;
    if (phase < PHASE.setup || phase > PHASE.fair || !this.samples.isDue(ms)) return;
    const { words, map } = this;
    // Sums over CPUs that go on counting may be momentarily too low.
    const sum = {
      rssKiB: Math.max(0, rssKiB(words, map)),
      rcuBacklog: Math.max(0, this.backlog()),
    };
    this.samples.add(ms, { ns, vmpteKiB: vmpteKiB(words, map), ...sum });
  }

  document(): readonly TraceSample[] {
    return this.samples.kept;
  }

  private backlog(): number {
    const { percpu, percpuWords, geometry } = this.map;
    let backlog = 0;
    for (let id = 0; id < geometry.cpus; id++) {
      const block = percpu + id * percpuWords;
      backlog += (this.words[block + PERCPU.rcuHead]! - this.words[block + PERCPU.rcuTail]!) | 0;
    }
    return backlog;
  }
}
