/**
 * One run: the arena is laid out, CPUs and kernel threads live in it, the judges look at what they
 * leave, and the figures are harvested. However it ends (time, a violation, Ctrl-C, a dead thread),
 * it resolves with what was measured.
 */
import { availableParallelism } from 'node:os';
import { nowMs } from '#arena/clock';
import { CONTROL, PHASE, SCAN_CONSENT } from '#arena/layout/control';
import { MM } from '#arena/layout/mm';
import { type ArenaMap, arenaMap } from '#arena/map';
import { tell } from '#arena/outside';
import type { Words } from '#arena/word';
import { UserError } from '#base/user-error';
import { type NamedLockSite, readLockSites } from '#derive/tree';
import type { Run, RunExit } from '#result/result';
import type { RunTrace } from '#result/run-trace';
import type { Plan } from '#scenario/plan';
import { harvestRun, rssKiB, vmpteKiB } from './harvest.ts';
import { beginTrace, harvestTrace } from './harvest-trace.ts';
import { type Evidence, evidenceOf, type Judges, type Verdict } from './judges.ts';
import type { MachineMessage } from './messages.ts';
import { Monitor, type Progress } from './monitor.ts';
import { kthreadsOf, sizeMachine } from './size.ts';
import { tableCensus } from './table-census.ts';
import { CpuPool, KthreadPool, livingEntry } from './threads.ts';

/** What the scanner may do, in the words of its options; what is left out stays as it is. */
export interface ScanPolicy {
  readonly process?: 'on' | 'off';
  readonly opt?: keyof typeof SCAN_CONSENT;
  /** `counts` only where the run began with it, since tables count from their beginning. */
  readonly guided?: 'no' | 'counts';
}

/** What can be asked of a machine, and changed, while it runs. */
export interface RunControls {
  /** Changes the scanner's delay (milliseconds) and the address space of a pass (pages). */
  setScan(delayMs: number, sizePages: number): Promise<void>;
  /** Changes what the scanner may do. */
  setScanPolicy(policy: ScanPolicy): Promise<void>;
  /** Passes that each kernel thread has made so far. */
  kthreadPasses(): Promise<number[]>;
}

export interface RunHooks {
  readonly judges: Judges;
  /** URL of the module to run (tasks/entry); the living build's if left out. */
  readonly entry?: string;
  onProgress?(progress: Progress): void;
  /** Called once all threads are about to run. */
  onStart?(controls: RunControls): void;
  /** Called with the trace at the end, where the plan asks for one. */
  onTrace?(trace: RunTrace): void;
  /** Ends the run cleanly with the results so far. */
  readonly signal?: AbortSignal;
  /** The whole run must be over by then, or it is cut off. */
  readonly deadlineMs?: number;
}

/**
 * The arena of this process: one buffer, used again by every run that fits in, since V8 frees them
 * late.
 */
let arena: SharedArrayBuffer | null = null;

/** Runs `plan`. Rejects only for faults of our own. */
export async function runPlan(plan: Plan, hooks: RunHooks): Promise<Run> {
  const entry = hooks.entry ?? livingEntry(plan.noise > 0, plan.lockStat || plan.traceEvents > 0);
  const lockSites = plan.lockStat ? readLockSites(entry) : null;
  const geometry = sizeMachine(plan, lockSites);
  const map = arenaMap(geometry);
  const message: MachineMessage = {
    buffer: cleanArena(map.sizeWords),
    geometry,
    plan,
    entry,
    spins: spinsFor(geometry.cpus),
  };
  const words: Words = new Int32Array(message.buffer, 0, map.sizeWords);
  const session = new Session(plan, message, words, hooks, lockSites);
  try {
    await session.live();
    session.tellTrace();
    return session.result();
  } finally {
    // Threads that were ended may still take steps for a moment.
    if (session.isCut()) arena = null;
    await session.close();
  }
}

/** One run's threads, and what is known about its end. */
class Session {
  private readonly plan: Plan;
  private readonly message: MachineMessage;
  private readonly words: Words;
  private readonly map: ArenaMap;
  private readonly hooks: RunHooks;
  private readonly lockSites: readonly NamedLockSite[] | null;
  private readonly monitor: Monitor;
  private readonly cpus: CpuPool;
  private readonly kthreads: KthreadPool | null;
  private readonly killer = new AbortController();
  private readonly verdicts: Verdict[] = [];
  private ending: 'whole' | 'halted' | 'cut' = 'whole';
  private interrupted = false;
  private late = false;
  private note: string | null = null;
  private end = {
    ...{ cpuSeconds: 0, vmpteKiB: 0, rssKiB: 0, pteTables: 0 },
    census: { empty: 0, zeroPageOnly: 0 },
  };

  constructor(
    plan: Plan,
    message: MachineMessage,
    words: Words,
    hooks: RunHooks,
    lockSites: readonly NamedLockSite[] | null,
  ) {
    this.plan = plan;
    this.message = message;
    this.words = words;
    this.map = arenaMap(message.geometry);
    this.hooks = hooks;
    this.lockSites = lockSites;
    this.monitor = new Monitor(plan, words, this.map, hooks.judges, () => this.killer.abort());
    const { traceSampler } = this.monitor;
    if (traceSampler !== null) beginTrace(words, this.map, traceSampler.madeNs);
    this.cpus = new CpuPool(plan.cpus);
    const kthreads = kthreadsOf(plan);
    this.kthreads = kthreads.length > 0 ? new KthreadPool(kthreads.length) : null;
  }

  /** All phases, until nothing runs any more. */
  async live(): Promise<void> {
    const interrupt = (): void => {
      this.interrupted = true;
      this.monitor.stop();
    };
    if (this.hooks.signal?.aborted) interrupt();
    this.hooks.signal?.addEventListener('abort', interrupt, { once: true });
    const deadline = this.startDeadline();
    this.monitor.start(this.plan.durationMs, this.hooks.onProgress);
    try {
      await this.runAll();
    } catch (error) {
      this.cutOff(error);
    } finally {
      clearTimeout(deadline);
      this.monitor.end();
      this.end.cpuSeconds = this.monitor.cpuSeconds;
      this.hooks.signal?.removeEventListener('abort', interrupt);
    }
  }

  /** The run in the words of the result. */
  result(): Run {
    return harvestRun({
      plan: this.plan,
      words: this.words,
      map: this.map,
      lockSites: this.lockSites,
      exit: this.exit(),
      sampled: this.monitor.sampler.document(),
      rssPeakKiB: this.monitor.rssPeakKiB,
      end: this.end,
      isWhole: this.ending === 'whole' && !this.interrupted,
      verdicts: this.verdicts,
      note: this.note,
    });
  }

  tellTrace(): void {
    const { traceSampler: sampler } = this.monitor;
    if (sampler === null || this.hooks.onTrace === undefined) return;
    const lockSites = readLockSites(this.message.entry);
    const sources = { plan: this.plan, lockSites, sampler, verdicts: this.verdicts };
    this.hooks.onTrace(harvestTrace(this.words, this.map, sources));
  }

  /** Whether it was ended from outside, or one of its threads died. */
  isCut(): boolean {
    return this.ending === 'cut';
  }

  async close(): Promise<void> {
    await Promise.all([this.cpus.close(), this.kthreads?.close()]);
  }

  private startDeadline(): NodeJS.Timeout | undefined {
    if (this.hooks.deadlineMs === undefined) return undefined;
    return setTimeout(() => {
      this.late = true;
      this.killer.abort();
    }, this.hooks.deadlineMs);
  }

  private async runAll(): Promise<void> {
    const { signal } = this.killer;
    const lives = this.cpus.live(this.message, signal);
    lives.catch(() => {});
    await this.startKthreads(lives, signal);
    this.hooks.onStart?.(this.controls());
    const replies = await (this.kthreads === null
      ? lives
      : Promise.race([lives, this.kthreads.died().then(() => lives)]));
    await this.kthreads?.stop();
    this.noteEnd();
    if (replies.includes('halted')) return this.judgeHalted();
    this.verdicts.push(...this.hooks.judges.judge(this.evidence('fair')));
    // After a violation the end of the process would only repeat it.
    if (this.verdicts.length > 0) return;
    if ((await this.cpus.exit(this.message, signal)) === 'halted') return this.judgeHalted();
    this.verdicts.push(...this.hooks.judges.judge(this.evidence('exit')));
  }

  private controls(): RunControls {
    const remotes = this.kthreads?.remotes() ?? [];
    return {
      setScan: async (delayMs, sizePages) => {
        tell(this.words, CONTROL.scanDelay, delayMs);
        tell(this.words, CONTROL.scanSlots, Math.max(1, sizePages >> this.plan.ptrsShift));
        tell(this.words, CONTROL.scanNext, (nowMs() + delayMs) | 0);
        await Promise.all(remotes.map((remote) => remote.wake()));
      },
      setScanPolicy: async ({ process, opt, guided }) => {
        if (process) tell(this.words, CONTROL.scanSwitch, process === 'on' ? 1 : 0);
        if (opt) tell(this.words, CONTROL.scanConsent, SCAN_CONSENT[opt]);
        if (guided === 'counts' && this.plan.options['guided'] !== 'counts')
          throw new UserError('tables were not counted from the start: run with guided=counts');
        if (guided) tell(this.words, CONTROL.scanGuided, guided === 'counts' ? 1 : 0);
        await Promise.all(remotes.map((remote) => remote.wake()));
      },
      kthreadPasses: () => Promise.all(remotes.map((remote) => remote.passes())),
    };
  }

  /** Kernel threads begin once there is a machine to act on. */
  private async startKthreads(lives: Promise<unknown>, signal: AbortSignal): Promise<void> {
    if (this.kthreads === null) return;
    const dead = lives.then(
      () => true,
      () => true,
    );
    while (this.words[CONTROL.phase]! < PHASE.setup) {
      if (await Promise.race([dead, pause(1)])) return;
    }
    for (const [i, role] of kthreadsOf(this.plan).entries())
      this.kthreads.start(this.message, this.plan.cpus + i, role, signal);
  }

  private judgeHalted(): void {
    this.ending = 'halted';
    this.verdicts.push(...this.hooks.judges.judge(this.evidence('halted')));
  }

  /** The threads were ended from outside, or one of them died. */
  private cutOff(error: unknown): void {
    this.ending = 'cut';
    tell(this.words, CONTROL.halt, 1);
    this.noteEnd();
    const { stuck } = this.monitor;
    const verdicts = this.hooks.judges.judge(this.evidence('stopped'));
    if (stuck !== null && !verdicts.some(({ kind }) => kind === stuck.kind))
      this.verdicts.push(stuck);
    this.verdicts.push(...verdicts);
    if (stuck !== null) this.note = 'cut off: the CPUs no longer got anywhere';
    else if (this.late) this.note = `cut off: not over after ${this.hooks.deadlineMs} ms`;
    else {
      this.note = `a thread died: ${error instanceof Error ? error.message : String(error)}`;
      this.late = true;
    }
  }

  private noteEnd(): void {
    this.end.vmpteKiB = vmpteKiB(this.words, this.map);
    this.end.rssKiB = rssKiB(this.words, this.map);
    this.end.pteTables = this.words[this.map.mm + MM.nrPtes]!;
    this.end.census = tableCensus(this.words, this.map);
    this.monitor.sampler.sampleEnd(this.monitor.mainMs());
  }

  private evidence(moment: Evidence['moment']): Evidence {
    return evidenceOf(this.plan, this.words, this.map, moment);
  }

  private exit(): RunExit {
    if (this.verdicts.length > 0) return 'violation';
    if (this.late) return 'deadline';
    return this.interrupted ? 'interrupted' : 'pass';
  }
}

/** A zeroed arena of `sizeWords`. */
function cleanArena(sizeWords: number): SharedArrayBuffer {
  if (arena === null || arena.byteLength < 4 * sizeWords) {
    arena = new SharedArrayBuffer(4 * sizeWords);
  } else {
    new Int32Array(arena, 0, sizeWords).fill(0);
  }
  return arena;
}

/** Busy waiting pays only while the CPU waited for can be running. */
export function spinsFor(cpus: number): number {
  return cpus <= availableParallelism() ? 1000 : 100;
}

function pause(ms: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), ms));
}
