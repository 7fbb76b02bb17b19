/**
 * The gate of a recording: asks the stepper, and notes each passage as it is announced, and as
 * quiet acts the events, facts, locks, read sections and page states that change in between.
 *
 * The watch is told of a quiet store before it happens, so what it changes is looked at when the
 * recorder is called next.
 */
import type { CpuRef, Gate, QuietWatch } from '#arena/gate';
import { STEP } from '#arena/layout/history';
import { PAGE, PAGE_DESC_SHIFT } from '#arena/layout/page';
import { EVENT_RECORD, EVENTS_MAX, FACT_RECORD, FACTS_MAX, PERCPU } from '#arena/layout/percpu';
import type { ArenaMap } from '#arena/map';
import type { Words } from '#arena/word';
import { cacheActOf, completesCacheAct } from '#oracles/cache-name';
import { actorName } from '#oracles/naming';
import { nameWord, tableText } from '#oracles/word-name';
import { eventKindOf } from '#trace/act';
import { COUNTER } from '#trace/counters';
import { FACTS } from '#trace/fact';
import { EVENTS } from '#trace/ring';
import type { Stepper } from '../stepper.ts';
import type { QuietAct, RecordedStep } from './recording.ts';
import { type Frame, framesHere } from './sites.ts';

type Announced = Omit<RecordedStep, 'step' | 'found' | 'left'>;

/** A quiet store to the word `at`, which held `before`. */
interface Pending {
  readonly after: number;
  readonly frames: readonly Frame[];
  readonly at: number;
  readonly before: number;
}

type Who = Pick<QuietAct, 'after' | 'cpu' | 'frames'>;

/** Counters of a CPU's block that tell of acts. */
const WATCHED: ReadonlySet<number> = new Set([
  PERCPU.eventCount,
  PERCPU.factCount,
  PERCPU.heldCount,
  PERCPU.semaphoreCount,
  PERCPU.rcuNesting,
  COUNTER.allocFailed,
]);

export class Recorder implements Gate, QuietWatch {
  private readonly stepper: Stepper;
  private readonly words: Words;
  private readonly map: ArenaMap;
  private readonly announced: Announced[][];
  private readonly acts: QuietAct[] = [];
  /** Semaphores that each CPU was last found to hold. */
  private readonly semaphores: number[][];
  private pending: Pending | null = null;

  constructor(stepper: Stepper, words: Words, map: ArenaMap) {
    this.stepper = stepper;
    this.words = words;
    this.map = map;
    this.announced = Array.from({ length: map.geometry.cpus }, () => []);
    this.semaphores = Array.from({ length: map.geometry.cpus }, () => []);
  }

  pass(cpu: CpuRef, op: number, at: number, seen: number): boolean {
    this.settle();
    const { words, map } = this;
    const word = nameWord(words, map, at);
    this.announced[cpu.id]!.push({
      ...{ cpu: cpu.id, op, at, announced: this.stepper.history.steps, word },
      frames: framesHere(),
      actor: actorName(words[cpu.block + PERCPU.actor]!),
      operation: words[cpu.block + PERCPU.operation]!,
    });
    return this.stepper.pass(cpu, op, at, seen);
  }

  choose(cpu: CpuRef, alternatives: number): number {
    return this.stepper.choose(cpu, alternatives);
  }

  quiet(at: number, sizeWords: number, isWrite: boolean): void {
    this.settle();
    if (!isWrite || sizeWords !== 1 || !this.isWatched(at)) return;
    const after = this.stepper.history.steps - 1;
    this.pending = { after, frames: framesHere(), at, before: this.words[at]! };
  }

  /** All that was recorded. */
  finish(): { steps: RecordedStep[]; acts: QuietAct[] } {
    this.settle();
    const { history } = this.stepper;
    const taken = this.announced.map(() => 0);
    const steps = Array.from({ length: history.steps }, (_, step): RecordedStep => {
      const cpu = history.step(step, STEP.cpu);
      const found = history.step(step, STEP.found);
      return {
        ...this.announced[cpu]![taken[cpu]!++]!,
        ...{ step, found, left: history.step(step, STEP.left) },
      };
    });
    return { steps, acts: this.acts };
  }

  /** Looks at what the latest quiet store has changed. */
  private settle(): void {
    const { pending, map } = this;
    if (pending === null) return;
    this.pending = null;
    const { after, frames, at, before } = pending;
    const { cpu, offset } = this.inBlock(at);
    if (offset >= 0) {
      this.settleOfCpu({ after, frames, cpu }, offset, before);
      return;
    }
    const by = after < 0 ? 0 : this.stepper.history.step(after, STEP.cpu);
    const page = (at - map.pages) >> PAGE_DESC_SHIFT;
    const change = { page, from: before, to: this.words[at]! };
    this.acts.push({ after, frames, cpu: by, kind: 'page', ...change });
  }

  private isWatched(at: number): boolean {
    const { offset } = this.inBlock(at);
    if (offset >= 0) return WATCHED.has(offset) || completesCacheAct(offset);
    const inPages = at - this.map.pages;
    if (inPages < 0 || inPages >= this.map.geometry.pages << PAGE_DESC_SHIFT) return false;
    return (inPages & ((1 << PAGE_DESC_SHIFT) - 1)) === PAGE.state;
  }

  /** The CPU whose block has the word, and its offset there; -1: none has. */
  private inBlock(at: number): { cpu: number; offset: number } {
    const { percpu, percpuWords, geometry } = this.map;
    const cpu = Math.floor((at - percpu) / percpuWords);
    const isInside = cpu >= 0 && cpu < geometry.cpus;
    return isInside ? { cpu, offset: at - percpu - cpu * percpuWords } : { cpu: -1, offset: -1 };
  }

  private settleOfCpu(who: Who, offset: number, before: number): void {
    const block = this.map.percpu + who.cpu * this.map.percpuWords;
    const now = this.words[block + offset]!;
    if (offset === PERCPU.eventCount) this.noteEvent(who, block, before);
    else if (offset === PERCPU.factCount) this.noteFact(who, block, before);
    else if (offset === PERCPU.heldCount && now > before)
      this.noteLock(who, 'took', this.words[block + PERCPU.held + before]!);
    else if (offset === PERCPU.heldCount)
      this.noteLock(who, 'releases', this.words[block + PERCPU.held + now]!);
    else if (offset === PERCPU.semaphoreCount) this.noteSemaphores(who, block, now);
    else if (offset === PERCPU.rcuNesting && (before === 0) !== (now === 0))
      this.acts.push({ ...who, kind: now === 0 ? 'rcu-leave' : 'rcu-enter' });
    else if (offset === COUNTER.allocFailed) this.acts.push({ ...who, kind: 'no-memory' });
    else if (completesCacheAct(offset))
      this.acts.push({ ...who, ...cacheActOf(this.words, this.map, block, offset) });
  }

  private noteEvent(who: Who, block: number, count: number): void {
    const at = block + PERCPU.events + (count & (EVENTS_MAX - 1)) * EVENT_RECORD.sizeWords;
    const { words, map } = this;
    const kind = EVENTS[eventKindOf(words[at + EVENT_RECORD.kind]!)]!;
    const a = words[at + EVENT_RECORD.a]!;
    this.acts.push({ ...who, kind, a, name: tableText(words, map, a) });
  }

  private noteFact(who: Who, block: number, count: number): void {
    if (count >= FACTS_MAX) return;
    const at = block + PERCPU.facts + count * FACT_RECORD.sizeWords;
    const { a, b, c, d, e, kind } = FACT_RECORD;
    const words = [a, b, c, d, e].map((field) => this.words[at + field]!);
    this.acts.push({ ...who, kind: 'fact', fact: FACTS[this.words[at + kind]!]!, words });
  }

  private noteSemaphores(who: Who, block: number, count: number): void {
    const before = this.semaphores[who.cpu]!;
    const first = block + PERCPU.semaphores;
    const now = [...this.words.subarray(first, first + count)];
    this.semaphores[who.cpu] = now;
    for (const lock of beyond(now, before)) this.noteLock(who, 'took', lock);
    for (const lock of beyond(before, now)) this.noteLock(who, 'releases', lock);
  }

  private noteLock(who: Who, kind: 'took' | 'releases', lock: number): void {
    const { name } = nameWord(this.words, this.map, lock);
    this.acts.push({ ...who, kind, lock, name });
  }
}

/** Of `locks`, those that are not in `others` as often. */
function beyond(locks: readonly number[], others: readonly number[]): number[] {
  const left = [...others];
  return locks.filter((lock) => {
    const at = left.indexOf(lock);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
