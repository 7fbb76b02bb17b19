/** Watches how large a program's page tables and memory are, while another program records it. */
import { readFileSync } from 'node:fs';
import type { TimedSample } from '#scenario/trace/builder';

const PERIOD_MS = 10;
/** How the recording program calls itself before it becomes the recorded one. */
const NOT_YET = /^(perf|perf-exec|strace)$/;

/** Samples the child of process `recorder`; `now` is the clock of the events, in seconds. */
export class Sampler {
  readonly samples: TimedSample[] = [];
  private readonly recorder: number;
  private readonly now: () => number;
  private readonly timer: NodeJS.Timeout;
  private program: number | null = null;

  constructor(recorder: number, now: () => number) {
    this.recorder = recorder;
    this.now = now;
    this.timer = setInterval(() => this.sample(), PERIOD_MS);
    this.sample();
  }

  /** The recorded program, once it runs. */
  programId(): number | null {
    return this.program;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private sample(): void {
    this.program ??= this.findProgram();
    if (this.program === null) return;
    const seconds = this.now();
    const status = readOrNothing(`/proc/${this.program}/status`);
    const vmpteKiB = /^VmPTE:\s+(\d+) kB$/m.exec(status)?.[1];
    const rssKiB = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
    // One that has ended has no memory any more.
    if (vmpteKiB === undefined || rssKiB === undefined) return;
    this.samples.push({ seconds, vmpteKiB: Number(vmpteKiB), rssKiB: Number(rssKiB) });
  }

  private findProgram(): number | null {
    const children = readOrNothing(`/proc/${this.recorder}/task/${this.recorder}/children`);
    for (const word of children.split(' ')) {
      const name = word === '' ? '' : readOrNothing(`/proc/${word}/comm`).trim();
      if (name !== '' && !NOT_YET.test(name)) return Number(word);
    }
    return null;
  }
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
