/**
 * What sleeping CPUs would do. Of each CPU that was tried at a place the words are kept that its
 * step touched, and go with it from place to place for as long as it sleeps.
 */
import { larger, type Path } from './dpor-path.ts';

export class Sleep {
  /** How many accesses are kept, of all places; those of later places come last. */
  count = 0;
  private readonly path: Path;
  private readonly cpus: number;
  /** For each place and CPU: where its accesses begin and end. */
  private from = new Int32Array(1024);
  private to = new Int32Array(1024);
  private kept = new Int32Array(1024);
  /**
   * Of each of the path's numbers for words: the latest step looked at that touched or changed it.
   */
  private touched = new Int32Array(256);
  private changed = new Int32Array(256);
  private serial = 0;

  constructor(path: Path, cpus: number) {
    this.path = path;
    this.cpus = cpus;
  }

  /** Makes room for places up to `place`. */
  reserve(place: number): void {
    while ((place + 1) * this.cpus > this.from.length) {
      this.from = larger(this.from);
      this.to = larger(this.to);
    }
  }

  /** CPU `cpu` has not been tried at `place`. */
  keepNothing(place: number, cpu: number): void {
    this.from[place * this.cpus + cpu] = 0;
    this.to[place * this.cpus + cpu] = 0;
  }

  /**
   * Keeps what CPU `cpu` touched in the step from `place`, beside what it has with other choices.
   */
  keep(place: number, cpu: number): void {
    const { path } = this;
    const index = place * this.cpus + cpu;
    if (this.to[index] === 0) this.from[index] = this.count;
    const from = path.accessesOf(place);
    const to = path.accessesOf(place + 1);
    while (this.count + to - from > this.kept.length) this.kept = larger(this.kept);
    for (let i = from; i < to; i++) this.kept[this.count++] = path.accesses[i]!;
    this.to[index] = this.count;
  }

  /** CPU `cpu` sleeps on: it would do from `place` what it would have done one step before. */
  sleepOn(place: number, cpu: number): void {
    const { cpus, from, to } = this;
    from[place * cpus + cpu] = from[(place - 1) * cpus + cpu]!;
    to[place * cpus + cpu] = to[(place - 1) * cpus + cpu]!;
  }

  /** Looks at step `step`, for `conflicts`. */
  lookAt(step: number): void {
    const { path } = this;
    while (this.touched.length < path.places) {
      this.touched = larger(this.touched);
      this.changed = larger(this.changed);
    }
    const { touched, changed } = this;
    const serial = ++this.serial;
    const end = path.accessesOf(step + 1);
    for (let i = path.accessesOf(step); i < end; i++) {
      const access = path.accesses[i]!;
      touched[access >> 1] = serial;
      if ((access & 1) !== 0) changed[access >> 1] = serial;
    }
  }

  /** Whether what CPU `cpu` would do from `place` conflicts with the step looked at. */
  conflicts(place: number, cpu: number): boolean {
    const { kept, touched, changed, serial } = this;
    const index = place * this.cpus + cpu;
    const end = this.to[index]!;
    for (let i = this.from[index]!; i < end; i++) {
      const access = kept[i]!;
      if (((access & 1) !== 0 ? touched : changed)[access >> 1] === serial) return true;
    }
    return false;
  }
}
