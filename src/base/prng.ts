/**
 * The only source of chance in the project: a seeded generator, passed in by whoever owns the run.
 * The algorithm is sfc32 of the PractRand suite (small fast counting generator, 32-bit words): no
 * multiplication, a period of at least 2^32, and its state fits small integers.
 */
export class Prng {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  /** `stream` separates generators that share a seed (one per CPU, one for noise, ...). */
  constructor(seed: number, stream = 0) {
    this.a = seed | 0;
    this.b = stream | 0;
    this.c = 0x9e3779b9 | 0;
    for (let i = 0; i < 15; i++) this.next();
  }

  /** A uniform 32-bit integer, signed. */
  next(): number {
    const t = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + t) | 0;
    return t;
  }

  /** A uniform integer in `[0, bound)`, for `1 <= bound < 2^31` (bias below 2^-11 up to 2^20). */
  below(bound: number): number {
    return Math.floor(((this.next() >>> 0) / 0x1_0000_0000) * bound);
  }

  /** True with a probability of `perMillion` in a million. */
  chance(perMillion: number): boolean {
    return this.below(1_000_000) < perMillion;
  }
}
