/** A bounded series of samples: once it is full, every second one goes and the interval doubles. */
export class Samples<T> {
  /** In order of time. */
  readonly kept: T[] = [];
  private readonly max: number;
  private everyMs: number;
  private nextMs = 0;

  constructor(max: number, everyMs: number) {
    this.max = max;
    this.everyMs = everyMs;
  }

  isDue(ms: number): boolean {
    return ms >= this.nextMs;
  }

  /** Takes a sample of the time `ms`; the next is due an interval later, or `pauseMs` if longer. */
  add(ms: number, sample: T, pauseMs = 0): void {
    if (this.kept.length === this.max) {
      for (let i = 0; 2 * i < this.max; i++) this.kept[i] = this.kept[2 * i]!;
      this.kept.length = Math.ceil(this.max / 2);
      this.everyMs *= 2;
    }
    this.kept.push(sample);
    this.nextMs = ms + Math.max(this.everyMs, pauseMs);
  }
}
