/**
 * Confirmation: a schedule that was found in the stepped form is enforced on real threads, step by
 * step, and judged as the execution was in which it was found. From the fair phase on the threads
 * run freely.
 */

import { isDisabled, makeOrder, NO_STEP, ORDER, OUTCOME, PASSAGE, settle } from '#arena/enforced';
import { GATE } from '#arena/gate';
import { STEP_WORDS } from '#arena/layout/history';
import { type ArenaMap, arenaMap, type Geometry } from '#arena/map';
import type { Words } from '#arena/word';
import type { Plan } from '#scenario/plan';
import { doAllWait, freeWaits } from './free-waits.ts';
import { type Evidence, evidenceOf, type Judges, type Verdict, type Wait } from './judges.ts';
import type { MachineMessage } from './messages.ts';
import { CpuPool } from './threads.ts';

/** A passage of the gate, as `PASSAGE` tells it. */
export interface Passage {
  readonly cpu: number;
  /** A value of `GATE`, or of `NO_STEP`. */
  readonly op: number;
  readonly at: number;
  readonly value: number;
}

export interface ConfirmJudges extends Pick<Judges, 'judge' | 'tellLivelock'> {
  /** What is wrong with a machine in which `waits` is all that goes on. */
  judgeDeadlock(evidence: Evidence, waits: readonly Wait[]): Verdict[];
}

/** An execution of the stepped machine, as plain data. */
export interface Recorded {
  readonly plan: Plan;
  readonly geometry: Geometry;
  /** Its steps and choices, in the rows of its history, and how many steps were decided. */
  readonly steps: Int32Array;
  readonly choices: Int32Array;
  readonly decided: number;
  readonly end: string;
  /** The columns went on behind the steps that were decided: so they do on threads, freely. */
  readonly isCut?: boolean;
}

export interface ConfirmOptions {
  /** URL of the plain build's tasks/entry. */
  readonly entry: string;
  readonly judges: ConfirmJudges;
  readonly signal?: AbortSignal;
  /** It must be over by then, or the CPUs are halted where they stand. */
  readonly deadlineMs?: number;
}

export type ThreadsEnd = 'done' | 'halted' | 'deadlock' | 'livelock';

/**
 * `same`: all steps were taken as recorded, and what came of it, in the end and in the judges'
 * view, for the caller to compare; `diverged`: step `step` was due (null: no more), and this came
 * instead; `stopped`: the deadline, or the signal.
 */
export type Confirmation =
  | { kind: 'same'; end: ThreadsEnd; verdicts: readonly Verdict[] }
  | { kind: 'diverged'; step: number; expected: Passage | null; found: Passage | null }
  | { kind: 'stopped'; why: 'deadline' | 'signal'; standing: readonly Passage[] };

const DEADLINE_MS = 20_000;
/** Steps that CPUs may take freely before these are said to have no end. */
const FREE_STEPS_MAX = 1_000_000;
/** So often it is looked whether all CPUs wait. */
const LOOK_MS = 20;
/** CPUs that have been told to halt have so long before their threads are ended. */
const HALT_MS = 1_000;

/** Confirms one execution, on threads of its own. */
export async function confirmSchedule(
  recorded: Recorded,
  options: ConfirmOptions,
): Promise<Confirmation> {
  const confirmer = new Confirmer(recorded.plan.cpus);
  try {
    return await confirmer.confirm(recorded, options);
  } finally {
    await confirmer.close();
  }
}

/** Threads for confirming executions on so many CPUs, one after the other; of one build only. */
export class Confirmer {
  private readonly pool: CpuPool;
  private arena = new SharedArrayBuffer(0);

  constructor(cpus: number) {
    this.pool = new CpuPool(cpus);
  }

  async confirm(recorded: Recorded, options: ConfirmOptions): Promise<Confirmation> {
    const { sizeWords } = arenaMap(recorded.geometry);
    if (this.arena.byteLength < 4 * sizeWords) this.arena = new SharedArrayBuffer(4 * sizeWords);
    const words = new Int32Array(this.arena, 0, sizeWords).fill(0);
    const enforcement = new Enforcement(this.pool, recorded, options, words);
    try {
      return await enforcement.run();
    } finally {
      // Threads that are ended may still take steps for a moment.
      if (enforcement.isAbandoned) this.arena = new SharedArrayBuffer(0);
    }
  }

  async close(): Promise<void> {
    await this.pool.close();
  }
}

/** One recorded execution on threads. */
class Enforcement {
  private readonly pool: CpuPool;
  private readonly plan: Plan;
  private readonly recorded: Recorded;
  private readonly options: ConfirmOptions;
  private readonly words: Words;
  private readonly map: ArenaMap;
  private readonly order: Words;
  private readonly message: MachineMessage;
  /** Behind the last step the CPUs run freely. */
  private readonly opens: boolean;
  private readonly killer = new AbortController();
  /** Not all CPUs came to an end of their own. */
  isAbandoned = false;
  private why: 'deadline' | 'signal' | null = null;
  private kill: NodeJS.Timeout | undefined;
  /** What the clock showed when it was last looked at all CPUs. */
  private clockSeen = -1;
  /** All CPUs that run freely wait. */
  private isStuck = false;

  constructor(pool: CpuPool, recorded: Recorded, options: ConfirmOptions, words: Words) {
    const { plan, geometry, decided, end, isCut = false } = recorded;
    this.pool = pool;
    this.plan = plan;
    this.recorded = recorded;
    this.options = options;
    this.words = words;
    this.map = arenaMap(geometry);
    const steps = recorded.steps.subarray(0, decided * STEP_WORDS);
    this.opens = isCut || end === 'livelock' || end === 'steps';
    this.order = makeOrder(
      plan.cpus,
      steps,
      recorded.choices,
      decided + FREE_STEPS_MAX,
      this.opens,
      plan.scheduler === 'fifo',
    );
    const entry = new URL('enforced-entry.js', options.entry).href;
    this.message = { buffer: words.buffer, geometry, plan, entry, spins: 0 };
  }

  async run(): Promise<Confirmation> {
    const { signal, deadlineMs = DEADLINE_MS } = this.options;
    const interrupt = (): void => this.stop('signal');
    if (signal?.aborted) interrupt();
    signal?.addEventListener('abort', interrupt, { once: true });
    const deadline = setTimeout(() => this.stop('deadline'), deadlineMs);
    const look = setInterval(() => this.findStuck(), LOOK_MS);
    try {
      await this.pool.live(this.message, this.killer.signal, this.order);
      return await this.judgeLives();
    } catch (error) {
      this.isAbandoned = true;
      settle(this.order, this.words, OUTCOME.stopped);
      if (this.why === null) throw error;
      return this.stopped(this.why);
    } finally {
      clearTimeout(deadline);
      clearTimeout(this.kill);
      clearInterval(look);
      signal?.removeEventListener('abort', interrupt);
    }
  }

  /** All CPUs have come to their ends, or were halted. */
  private async judgeLives(): Promise<Confirmation> {
    const { order } = this;
    const outcome = order[ORDER.outcome]!;
    if (outcome === OUTCOME.stopped && this.why !== null) return this.stopped(this.why);
    if (outcome === OUTCOME.diverged) return this.diverged();
    if (!this.cameToRecordedEnd()) return this.endedOtherwise();
    if (outcome === OUTCOME.halted) return this.same('halted', this.judge('halted'));
    if (outcome === OUTCOME.endless) return this.same('livelock', this.judgeLivelock());
    if (this.isStuck || outcome === OUTCOME.stands)
      return this.same('deadlock', this.judgeDeadlock());
    const verdicts = this.judge('fair');
    if (verdicts.length > 0) return this.same('done', verdicts);
    const exit = await this.pool.exit(this.message, this.killer.signal, order);
    if (this.why !== null) return this.stopped(this.why);
    if (this.isStuck) return this.same('deadlock', this.judgeDeadlock());
    if (order[ORDER.outcome] === OUTCOME.endless)
      return this.same('livelock', this.judgeLivelock());
    if (exit === 'halted') return this.same('halted', this.judge('halted'));
    return this.same('done', this.judge('exit'));
  }

  /** Whether what came of the steps can be what came of them where they were recorded. */
  private cameToRecordedEnd(): boolean {
    const { order, words } = this;
    const outcome = order[ORDER.outcome]!;
    if (this.opens || order[ORDER.ended] === order[ORDER.cpus]) return true;
    switch (this.recorded.end) {
      case 'halted':
        return outcome === OUTCOME.halted;
      case 'deadlock':
        return (
          outcome === OUTCOME.stands && this.waiting().every((row) => isDisabled(order, words, row))
        );
      default:
        return false;
    }
  }

  /** All recorded steps were taken, and then something else came of it. */
  private endedOtherwise(): Confirmation {
    const { decided } = this.recorded;
    const row = this.waiting()[0];
    const found = row === undefined ? null : this.passage(row);
    return { kind: 'diverged', step: decided, expected: null, found };
  }

  private diverged(): Confirmation {
    const { steps, decided } = this.recorded;
    const step = this.order[ORDER.diverged]!;
    const [cpu, op, at, value] = steps.subarray(step * STEP_WORDS);
    const expected = step < decided ? { cpu: cpu!, op: op!, at: at!, value: value! } : null;
    return { kind: 'diverged', step, expected, found: this.passage(ORDER.came) };
  }

  private same(end: ThreadsEnd, verdicts: readonly Verdict[]): Confirmation {
    return { kind: 'same', end, verdicts };
  }

  private stopped(why: 'deadline' | 'signal'): Confirmation {
    return { kind: 'stopped', why, standing: this.waiting().map((row) => this.passage(row)) };
  }

  /** Halts all CPUs; threads that do not come to a passage are ended. */
  private stop(why: 'deadline' | 'signal'): void {
    if (!settle(this.order, this.words, OUTCOME.stopped)) return;
    this.why = why;
    this.kill = setTimeout(() => this.killer.abort(), HALT_MS);
  }

  /** CPUs that run freely may all come to wait; CPUs at the gate do not sleep for a word. */
  private findStuck(): void {
    const clock = this.order[ORDER.clock]!;
    const isStill = clock === this.clockSeen;
    this.clockSeen = clock;
    if (!isStill || !doAllWait(this.order, this.words, this.map)) return;
    // Looked at one after another, CPUs that took steps meanwhile may all have been seen to wait.
    if (this.order[ORDER.clock] !== clock) return;
    this.isStuck = settle(this.order, this.words, OUTCOME.stopped);
  }

  /** Rows of the passages at which CPUs stand whose columns have not ended. */
  private waiting(): number[] {
    const rows = this.plan.columns.map((_, cpu) => ORDER.standing + cpu * PASSAGE.sizeWords);
    return rows.filter((row) => this.order[row + PASSAGE.op] !== NO_STEP.end);
  }

  private passage(row: number): Passage {
    const [cpu, op, at, value] = this.order.subarray(row);
    return { cpu: cpu!, op: op!, at: at!, value: value! };
  }

  private judgeDeadlock(): Verdict[] {
    const { words, map } = this;
    const waits = this.isStuck ? freeWaits(words, map, this.plan.cpus) : this.gateWaits();
    return this.options.judges.judgeDeadlock(this.evidence('stopped'), waits);
  }

  /** What CPUs that stand at the gate wait for. */
  private gateWaits(): Wait[] {
    return this.waiting().map((row) => {
      const { cpu, op, at, value } = this.passage(row);
      return { cpu, at, seen: op === GATE.wait ? value : this.words[at]! };
    });
  }

  private judgeLivelock(): Verdict[] {
    const { judges } = this.options;
    const idle = `${FREE_STEPS_MAX} steps`;
    return [...this.judge('stopped'), judges.tellLivelock(this.words, this.map, idle)];
  }

  private judge(moment: Evidence['moment']): Verdict[] {
    return this.options.judges.judge(this.evidence(moment));
  }

  private evidence(moment: Evidence['moment']): Evidence {
    return evidenceOf(this.plan, this.words, this.map, moment);
  }
}
