/**
 * The stepper: coroutines on one thread, one step at a time, under a strategy.
 *
 * At a passage the coroutine says what it is about to do, and it is decided at once who goes on. If
 * that is the same CPU, the coroutine does not even yield. Otherwise its step is taken, and
 * recorded, when it is its turn again; until then the access has not happened. A CPU that waits for
 * a word to change, or for a lock to be free, is not enabled until it is.
 *
 * A strategy may let a retry loop run for ever, so after `decidedMax` steps, and where no strategy
 * is given, CPUs take turns. What does not come to its end even so has lost its liveness.
 *
 * Where CPU 0 outranks the others (`Plan.scheduler`), a strategy decides when an operation of it
 * begins; from then on nobody else is enabled while it is. It gives way where it waits, not where
 * it tries again. Who holds a spinlock is preempted by nobody.
 */
import { type CpuRef, GATE, type Gate } from '#arena/gate';
import type { Plan } from '#scenario/plan';
import type { CpuEnd } from '#tasks/cpu-main';
import type { ExecutionEnd } from './execution.ts';
import type { History } from './history.ts';
import type { Coroutine } from './stepped-tree.ts';
import {
  ABANDON,
  type InterruptWords,
  lowestOf,
  NO_PASSAGE,
  type Standing,
  type Strategy,
} from './strategy.ts';

/** Steps that a CPU takes in a fair phase before it is another's turn. */
const FAIR_TURN_STEPS = 64;
/** Nobody goes on: all have ended, wait, or are cut off. */
const NOBODY = -1;

/** Steps that a strategy decides in one execution; fewer where who spins may do so for ever. */
const DECIDED_MAX = { fair: 20_000, fifo: 2_000 } as const;

export function decidedMaxOf({ scheduler }: Pick<Plan, 'scheduler'>): number {
  return DECIDED_MAX[scheduler];
}

/** Where the stepper finds out who outranks whom: words of the CPUs' blocks. */
export interface RankWords {
  /** Counts the operations of CPU 0. */
  readonly operations: number;
  /** Of each CPU, how many spinlocks it holds. */
  readonly held: readonly number[];
}

export class Stepper implements Gate {
  readonly standing: Standing;
  readonly history: History;
  /** Steps taken, recorded or not: what the clock shows. */
  clock = 0;
  private readonly op: Int32Array;
  private readonly at: Int32Array;
  private readonly seen: Int32Array;
  private readonly words: Int32Array;
  private readonly interrupts: InterruptWords | null;
  private readonly cpus: number;
  /** Told when the strategy has decided all that it may. */
  private readonly onLimit: () => void;
  private readonly decidedMax: number;
  /** Null: nobody outranks the others. */
  private readonly rank: RankWords | null;
  /** The number of CPU 0's operation at its latest step: while it is the same, that has begun. */
  private begun = NOBODY;
  private strategy: Strategy | null = null;
  /** Before all CPUs have come to their first passage nobody takes a step. */
  private starting = false;
  private abandoned = false;
  private turnSteps = 0;
  private running = NOBODY;
  /** Who takes the next step. */
  private next = NOBODY;

  constructor(
    words: Int32Array,
    cpus: number,
    history: History,
    interrupts: InterruptWords | null,
    onLimit: () => void = () => {},
    ignored: Uint8Array | null = null,
    rank: RankWords | null = null,
  ) {
    this.words = words;
    this.cpus = cpus;
    this.history = history;
    this.interrupts = interrupts;
    this.onLimit = onLimit;
    this.rank = rank;
    this.decidedMax = DECIDED_MAX[rank === null ? 'fair' : 'fifo'];
    this.op = new Int32Array(cpus).fill(NO_PASSAGE);
    this.at = new Int32Array(cpus);
    this.seen = new Int32Array(cpus);
    this.standing = { op: this.op, at: this.at, seen: this.seen, words, interrupts, ignored };
  }

  /**
   * Runs the coroutines, one per CPU, to their ends. Without a strategy they take turns. The ends
   * `done`, `halted`, `deadlock`, `steps` and `abandoned` are possible.
   */
  run(coroutines: readonly Coroutine[], strategy: Strategy | null): ExecutionEnd {
    this.strategy = strategy;
    this.abandoned = false;
    this.turnSteps = 0;
    this.begun = NOBODY;
    this.running = NOBODY;
    this.op.fill(NO_PASSAGE);
    this.starting = true;
    let living = coroutines.length;
    for (const coroutine of coroutines) {
      const { done, value } = coroutine.next();
      if (!done) continue;
      if (value === 'halted') return 'halted';
      living--;
    }
    this.starting = false;
    if (living === 0) return 'done';
    this.next = this.whoIsNext();
    while (this.next !== NOBODY) {
      const cpu = this.next;
      this.takeStep(cpu);
      const { done, value } = coroutines[cpu]!.next();
      if (!done) continue;
      this.leaveStep(cpu);
      this.op[cpu] = NO_PASSAGE;
      if ((value as CpuEnd) === 'halted') return 'halted';
      if (--living === 0) return 'done';
      this.next = this.whoIsNext();
    }
    if (this.abandoned) return 'abandoned';
    return this.history.isFull ? 'steps' : 'deadlock';
  }

  /** How many of the steps so far a strategy has decided. */
  get decided(): number {
    return Math.min(this.history.steps, this.decidedMax);
  }

  /** Asked by the running CPU before each of its steps. True: it yields. */
  pass(cpu: CpuRef, op: number, at: number, seen: number): boolean {
    const { id } = cpu;
    const { starting } = this;
    if (!starting) this.leaveStep(id);
    this.op[id] = op;
    this.at[id] = at;
    this.seen[id] = seen;
    if (starting) return true;
    const next = this.whoIsNext();
    this.next = next;
    if (next !== id) return true;
    this.takeStep(id);
    return false;
  }

  choose(cpu: CpuRef, alternatives: number): number {
    const { strategy, history } = this;
    if (strategy === null) return 0;
    const chosen = strategy.choose(cpu.id, alternatives);
    history.addChoice(cpu.id, alternatives, chosen);
    return chosen;
  }

  /** After a passage, or an end, of the running CPU: who takes the next step. */
  private whoIsNext(): number {
    if (this.history.isFull) return NOBODY;
    let enabled = 0;
    for (let id = 0; id < this.cpus; id++) if (this.isEnabled(id)) enabled |= 1 << id;
    if (enabled === 0) return NOBODY;
    if (this.rank !== null && this.strategy !== null)
      enabled = this.ofHighestRank(this.rank, enabled);
    if (this.history.steps === this.decidedMax) this.onLimit();
    if (this.strategy === null || this.history.steps >= this.decidedMax)
      return this.whoseTurn(enabled);
    const next = this.strategy.pick(enabled, this.running);
    if (next === ABANDON) this.abandoned = true;
    return next;
  }

  /** Of the CPUs `enabled`, those that are not outranked by another of them. */
  private ofHighestRank({ operations, held }: RankWords, enabled: number): number {
    const { words } = this;
    for (let rest = enabled; rest !== 0; rest &= rest - 1)
      if (words[held[lowestOf(rest)]!] !== 0) return rest & -rest;
    return (enabled & 1) !== 0 && words[operations] === this.begun ? 1 : enabled;
  }

  private isEnabled(id: number): boolean {
    const op = this.op[id]!;
    if (op === GATE.wait)
      return this.words[this.at[id]!] !== this.seen[id] || this.isInterrupted(id);
    if (op === GATE.acquire) return this.words[this.at[id]!] === 0 || this.isInterrupted(id);
    return op !== NO_PASSAGE;
  }

  /** A CPU that waits is enabled by an interrupt, which it serves and then waits on. */
  private isInterrupted(id: number): boolean {
    const { interrupts, words } = this;
    if (interrupts === null) return false;
    const block = interrupts.blocks[id]!;
    return words[block + interrupts.wanted] !== words[block + interrupts.served];
  }

  /** Fair: one after the other, for a number of steps each. */
  private whoseTurn(enabled: number): number {
    const { running } = this;
    const goesOn = running >= 0 && (enabled & (1 << running)) !== 0;
    if (goesOn && this.turnSteps++ < FAIR_TURN_STEPS) return running;
    this.turnSteps = 0;
    const higher = enabled & (-2 << Math.max(running, 0));
    return lowestOf(running >= 0 && higher !== 0 ? higher : enabled);
  }

  private takeStep(id: number): void {
    const at = this.at[id]!;
    this.clock++;
    this.running = id;
    if (id === 0 && this.rank !== null) this.begun = this.words[this.rank.operations]!;
    this.history.add(id, this.op[id]!, at, this.words[at]!);
  }

  /** The running CPU has come to its next passage, or its end: its latest step is over. */
  private leaveStep(id: number): void {
    this.history.leave(this.words[this.at[id]!]!);
  }
}
