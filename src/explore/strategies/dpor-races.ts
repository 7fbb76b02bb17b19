/**
 * The races of an execution. Steps conflict if they touch a common word and one changes it. The
 * order of conflicting steps, and of each CPU's own, makes a partial order: which step happens
 * before which. A race is a pair of conflicting steps with nothing between them in that order, of
 * which the second could have come first.
 *
 * Waiting makes that last part worth words. A wait, or the taking of a lock, could not have come
 * first if the first step is what let it pass, or must precede that. The period in which it could
 * not pass begins with a step that stopped it (another has taken the lock): that is what it races
 * with, whatever happened in between.
 */
import { GATE } from '#arena/gate';
import { larger, NONE, type Path } from './dpor-path.ts';

/** Whether the second step of a pair could have come first: not at all, perhaps, certainly. */
const COULD = { not: 0, perhaps: 1, certainly: 2 } as const;
const CANDIDATES_MAX = 1024;

/** Told of each race. */
export interface RaceSink {
  /**
   * Instead of step `first`, all that follows and does not need it can be done, and then `second`;
   * any of `initials` may begin.
   */
  race(first: number, initials: number, second: number): void;
}

export class Races {
  private readonly path: Path;
  private readonly cpus: number;
  private readonly sink: RaceSink;
  /** For each step: how many steps of each CPU happen before it, as numbers of steps, or are it. */
  private clocks = new Int32Array(1024);
  /** For each place: one more than the step that changed it last, and that each CPU read it in. */
  private changes = new Int32Array(256);
  private reads = new Int32Array(1024);
  /** For each CPU, one more than its latest step. */
  private readonly latest: Int32Array;
  private readonly candidates = new Int32Array(CANDIDATES_MAX);
  private readonly could = new Int32Array(CANDIDATES_MAX);
  private count = 0;
  /** The period in which a step that waits could not pass: what stopped it, and what let it. */
  private stopper = NONE;
  private release = NONE;
  private readonly firstOf: Int32Array;

  constructor(path: Path, cpus: number, sink: RaceSink) {
    this.path = path;
    this.cpus = cpus;
    this.sink = sink;
    this.latest = new Int32Array(cpus);
    this.firstOf = new Int32Array(cpus);
  }

  /** Finds the races whose second step is `from` or later; those before were found already. */
  find(from: number): void {
    const { path, cpus } = this;
    this.reserve();
    this.latest.fill(0);
    this.changes.fill(0, 0, path.places);
    this.reads.fill(0, 0, path.places * cpus);
    for (let step = 0; step < path.steps; step++) {
      if (step >= from) this.order(step);
      this.remember(step);
    }
  }

  /** Finds the races of one more step, which waits for ever, or is cut off. */
  findPending(cpu: number, left: number): void {
    const { path } = this;
    const step = path.steps;
    path.begin(cpu, 0);
    path.finish(left);
    this.reserve();
    this.order(step);
    path.truncate(step);
  }

  private reserve(): void {
    const { path, cpus } = this;
    while (this.clocks.length < (path.steps + 1) * cpus) this.clocks = larger(this.clocks);
    while (this.changes.length < path.places) this.changes = larger(this.changes);
    while (this.reads.length < path.places * cpus) this.reads = larger(this.reads);
  }

  /** Whether step `first` happens before step `second`, for steps that `find` has seen. */
  happensBefore(first: number, second: number): boolean {
    return this.clocks[second * this.cpus + this.path.cpu(first)]! > first;
  }

  private remember(step: number): void {
    const { path, cpus } = this;
    const cpu = path.cpu(step);
    this.latest[cpu] = step + 1;
    const end = path.accessesOf(step + 1);
    for (let i = path.accessesOf(step); i < end; i++) {
      const access = path.accesses[i]!;
      if ((access & 1) !== 0) this.changes[access >> 1] = step + 1;
      else this.reads[(access >> 1) * cpus + cpu] = step + 1;
    }
  }

  /** Computes the clock of `step`, and tells of its races. */
  private order(step: number): void {
    const { cpus, clocks, latest, path } = this;
    const cpu = path.cpu(step);
    const own = latest[cpu]! - 1;
    const to = step * cpus;
    for (let c = 0; c < cpus; c++) clocks[to + c] = own < 0 ? 0 : clocks[own * cpus + c]!;
    this.count = 0;
    this.findPeriod(step);
    this.findConflicts(step);
    for (let i = 0; i < this.count; i++)
      this.could[i] = this.couldComeAfter(this.candidates[i]!, step);
    const conflicts = this.count;
    if (path.waitsInDoubt(step)) this.doubt(step);
    if (this.stopper !== NONE && path.cpu(this.stopper) !== cpu)
      this.addCandidate(this.stopper, step, COULD.certainly);
    for (let i = 0; i < conflicts; i++) this.join(step, this.candidates[i]!);
    clocks[to + cpu] = step + 1;
    for (let i = 0; i < this.count; i++) if (this.isRace(i)) this.tell(this.candidates[i]!, step);
  }

  /**
   * The word that `step` waits for is also changed quietly, by values that are not known: any
   * change may have stopped it or let it pass.
   */
  private doubt(step: number): void {
    const { path } = this;
    const place = path.place(path.at(step));
    this.stopper = NONE;
    this.could.fill(COULD.perhaps, 0, this.count);
    for (let i = step - 1; i >= 0; i--)
      if (path.cpu(i) !== path.cpu(step) && path.changes(i, place))
        this.addCandidate(i, step, COULD.perhaps);
  }

  private join(step: number, earlier: number): void {
    const { cpus, clocks } = this;
    const to = step * cpus;
    const from = earlier * cpus;
    for (let c = 0; c < cpus; c++)
      if (clocks[from + c]! > clocks[to + c]!) clocks[to + c] = clocks[from + c]!;
  }

  private findConflicts(step: number): void {
    const { path, cpus } = this;
    const cpu = path.cpu(step);
    const end = path.accessesOf(step + 1);
    for (let i = path.accessesOf(step); i < end; i++) {
      const access = path.accesses[i]!;
      const place = access >> 1;
      this.addCandidate(this.changes[place]! - 1, step, COULD.not);
      if ((access & 1) === 0) continue;
      for (let c = 0; c < cpus; c++)
        if (c !== cpu) this.addCandidate(this.reads[place * cpus + c]! - 1, step, COULD.not);
    }
  }

  /** Adds a step that conflicts with `step`, unless it happens before it in any case. */
  private addCandidate(earlier: number, step: number, could: number): void {
    const { candidates, count } = this;
    if (earlier < 0 || this.happensBefore(earlier, step)) return;
    for (let i = 0; i < count; i++) {
      if (candidates[i] !== earlier) continue;
      if (could > this.could[i]!) this.could[i] = could;
      return;
    }
    if (count === CANDIDATES_MAX) throw new Error('a step conflicts with too many others');
    candidates[count] = earlier;
    this.could[count] = could;
    this.count++;
  }

  /** Finds the latest period in which `step` could not pass, if it is one that waits. */
  private findPeriod(step: number): void {
    const { path } = this;
    this.stopper = NONE;
    this.release = NONE;
    const op = path.op(step);
    if (op !== GATE.acquire && op !== GATE.wait) return;
    const at = path.at(step);
    let isOpen = path.passes(step, path.found(step));
    if (!isOpen) this.release = step;
    for (let i = step - 1; i >= 0; i--) {
      if (path.at(i) !== at) continue;
      if (isOpen && path.lets(i, step)) {
        this.release = i;
        isOpen = false;
      } else if (!isOpen && path.stops(i, step)) {
        this.stopper = i;
        return;
      }
    }
  }

  /** Whether `step` could have come before `earlier`, with which it conflicts. */
  private couldComeAfter(earlier: number, step: number): number {
    const { path, release, stopper } = this;
    if (release === NONE || earlier <= stopper) return COULD.certainly;
    if (earlier > release) return COULD.certainly;
    const cpu = path.cpu(step);
    if (this.latest[cpu]! <= earlier && (path.enabled(earlier) & (1 << cpu)) !== 0)
      return COULD.certainly;
    if (release !== step && earlier !== release && !this.happensBefore(earlier, release))
      return COULD.certainly;
    return this.wasInterrupted(cpu) ? COULD.perhaps : COULD.not;
  }

  private wasInterrupted(cpu: number): boolean {
    const place = this.path.interruptsOf(cpu);
    return place !== NONE && this.changes[place] !== 0;
  }

  /** No race if another one is certain and comes in between. */
  private isRace(candidate: number): boolean {
    if (this.could[candidate] === COULD.not) return false;
    const step = this.candidates[candidate]!;
    for (let i = 0; i < this.count; i++) {
      if (i === candidate || this.could[i] !== COULD.certainly) continue;
      if (this.happensBefore(step, this.candidates[i]!)) return false;
    }
    return true;
  }

  /**
   * What could be done instead from before `first`: all between the two that does not need it, then
   * `second`. Any CPU whose first step of these needs none of the others may begin.
   */
  tell(first: number, second: number): void {
    const { path, firstOf } = this;
    firstOf.fill(0);
    let initials = 0;
    for (let step = first + 1; step <= second; step++) {
      if (step !== second && this.happensBefore(first, step)) continue;
      const cpu = path.cpu(step);
      if (firstOf[cpu] !== 0) continue;
      if (this.needsNone(step)) initials |= 1 << cpu;
      firstOf[cpu] = step + 1;
    }
    this.sink.race(first, initials, second);
  }

  /** Whether none of the first steps of other CPUs happens before `step`. */
  private needsNone(step: number): boolean {
    const { cpus, clocks, firstOf } = this;
    for (let c = 0; c < cpus; c++)
      if (firstOf[c] !== 0 && clocks[step * cpus + c]! >= firstOf[c]!) return false;
    return true;
  }
}
