/**
 * Watches a run from the main thread: samples VmPTE and RSS, tells the run to stop when its time is
 * over or a fact has been noted, and finds out that it no longer gets anywhere.
 */
import { nowMs } from '#arena/clock';
import { CONTROL, PHASE } from '#arena/layout/control';
import { PERCPU } from '#arena/layout/percpu';
import type { ArenaMap } from '#arena/map';
import { tell } from '#arena/outside';
import type { Words } from '#arena/word';
import type { Plan } from '#scenario/plan';
import { counter, rssKiB, vmpteKiB } from './harvest.ts';
import type { Judges, Verdict } from './judges.ts';
import { Sampler } from './sampler.ts';
import { TraceSampler } from './trace-sampler.ts';

export interface Progress {
  readonly phase: 'setup' | 'main' | 'fair';
  readonly seconds: number;
  readonly vmpteKiB: number;
  readonly faultsPerSecond: number;
  /** Facts noted so far that an oracle will have to judge. */
  readonly facts: number;
}

const SAMPLE_MS = 20;
/** Progress is told at every so many samples. */
const PROGRESS_SAMPLES = 5;
/** A grace period that takes longer is a stall. */
const STALL_MS = 10_000;
/** Without any work done for so long, while somebody waits, a run goes nowhere; and in any case. */
const IDLE_WAITING_MS = 10_000;
const IDLE_MS = 60_000;
/** The same once a fact has been noted: what is broken may well hang. */
const IDLE_FACTS_MS = 2_000;
/** A wait-for cycle must stand unchanged for so many samples to be a deadlock. */
const DEADLOCK_SAMPLES = 10;

/** Counters of which at least one moves while anything is done. */
const WORK = [
  'faultsRead',
  'faultsWrite',
  'pagesZapped',
  'tablesFreed',
  'scanTables',
  'scanPasses',
  'dataCompared',
  'opTouch',
  'opDontneed',
  'opTorture',
] as const;

export class Monitor {
  readonly sampler: Sampler;
  /** Null: there is no trace. */
  readonly traceSampler: TraceSampler | null;
  rssPeakKiB = 0;
  /** CPU seconds of the process, all threads, in the main phase. */
  cpuSeconds = 0;
  private cpuAtMain: NodeJS.CpuUsage | null = null;
  private cpuIsFinal = false;
  /** What is wrong with a run that no longer gets anywhere. */
  stuck: Verdict | null = null;
  private readonly words: Words;
  private readonly map: ArenaMap;
  private readonly judges: Judges;
  private readonly onStuck: () => void;
  private timer: NodeJS.Timeout | undefined;
  private waits = '';
  private waitsSeen = 0;
  private lastFaults = 0;
  private lastFaultsMs = 0;
  private faultsPerSecond = 0;
  private work = -1;
  private workedAt = nowMs();

  constructor(plan: Plan, words: Words, map: ArenaMap, judges: Judges, onStuck: () => void) {
    this.sampler = new Sampler(plan, words, map, SAMPLE_MS);
    this.traceSampler = plan.traceEvents > 0 ? new TraceSampler(words, map, SAMPLE_MS) : null;
    this.words = words;
    this.map = map;
    this.judges = judges;
    this.onStuck = onStuck;
  }

  /** Begins watching; `durationMs` ends the main phase (null: it ends by itself). */
  start(durationMs: number | null, onProgress: ((progress: Progress) => void) | undefined): void {
    let ticks = 0;
    tell(this.words, CONTROL.stopAtFact, 1);
    this.timer = setInterval(() => {
      this.sample();
      if (durationMs !== null && this.mainMs() >= durationMs) this.stop();
      if (this.words[CONTROL.facts] !== 0) this.stop();
      this.findStuck();
      if (++ticks % PROGRESS_SAMPLES === 0) onProgress?.(this.progress());
    }, SAMPLE_MS);
  }

  /** Tells all CPUs to begin nothing new. */
  stop(): void {
    tell(this.words, CONTROL.stop, 1);
  }

  end(): void {
    clearInterval(this.timer);
    this.sample();
  }

  /** Milliseconds since the main phase began; 0 before it. */
  mainMs(): number {
    if (this.words[CONTROL.phase]! < PHASE.main) return 0;
    return (nowMs() - this.words[CONTROL.phaseBegan + PHASE.main]!) | 0;
  }

  private sample(): void {
    this.sampleCpu();
    this.rssPeakKiB = Math.max(this.rssPeakKiB, rssKiB(this.words, this.map));
    const phase = this.words[CONTROL.phase]!;
    this.traceSampler?.sample(phase);
    if (phase < PHASE.main) return;
    const ms = this.mainMs();
    const faults = counter(this.words, this.map, 'faultsWrite');
    if (ms > this.lastFaultsMs + 200) {
      this.faultsPerSecond = ((faults - this.lastFaults) * 1000) / (ms - this.lastFaultsMs);
      this.lastFaults = faults;
      this.lastFaultsMs = ms;
    }
    this.sampler.sample(ms, phase);
  }

  /** Counts from the first sample of the main phase to the first after it. */
  private sampleCpu(): void {
    const phase = this.words[CONTROL.phase]!;
    if (phase < PHASE.main || this.cpuIsFinal) return;
    this.cpuAtMain ??= process.cpuUsage();
    const { user, system } = process.cpuUsage(this.cpuAtMain);
    this.cpuSeconds = (user + system) / 1e6;
    this.cpuIsFinal = phase > PHASE.main;
  }

  /**
   * A deadlock is a cycle of waits that does not change; a stall, a grace period that does not end.
   */
  private findStuck(): void {
    if (this.stuck !== null) return;
    const waits = this.fingerprint();
    this.waitsSeen = waits !== '' && waits === this.waits ? this.waitsSeen + 1 : 0;
    this.waits = waits;
    if (this.waitsSeen >= DEADLOCK_SAMPLES) this.stuck = this.findDeadlock();
    this.stuck ??= this.judges.findStall(this.words, this.map, STALL_MS);
    const idleMs = this.idleMs();
    const limitMs = this.words[CONTROL.facts] === 0 ? IDLE_WAITING_MS : IDLE_FACTS_MS;
    if (idleMs > IDLE_MS || (idleMs > limitMs && this.waitsSince(limitMs)))
      this.stuck ??= this.judges.tellLivelock(this.words, this.map, `${Math.round(idleMs)} ms`);
    if (this.stuck !== null) this.onStuck();
  }

  /** Looked at one after another, CPUs that moved meanwhile might seem to wait for each other. */
  private findDeadlock(): Verdict | null {
    const deadlock = this.judges.findDeadlock(this.words, this.map);
    return this.fingerprint() === this.waits ? deadlock : null;
  }

  /** Milliseconds for which no counter of work has moved. */
  private idleMs(): number {
    let work = this.words[CONTROL.phase]!;
    for (const name of WORK) work += counter(this.words, this.map, name);
    const now = nowMs();
    if (work !== this.work) {
      this.work = work;
      this.workedAt = now;
    }
    return (now - this.workedAt) | 0;
  }

  /** Whether a CPU has waited for longer than `limitMs` for anything but the other CPUs' phases. */
  private waitsSince(limitMs: number): boolean {
    for (let id = 0; id < this.map.geometry.cpus; id++) {
      const block = this.map.percpu + id * this.map.percpuWords;
      const at = this.words[block + PERCPU.waitAt]!;
      if (at === 0 || at === CONTROL.round) continue;
      if (((nowMs() - this.words[block + PERCPU.waitSince]!) | 0) > limitMs) return true;
    }
    return false;
  }

  /** Who waits for what since when; empty if fewer than one CPU waits. */
  private fingerprint(): string {
    let text = '';
    for (let id = 0; id < this.map.geometry.cpus; id++) {
      const block = this.map.percpu + id * this.map.percpuWords;
      const at = this.words[block + PERCPU.waitAt]!;
      if (at !== 0) text += `${id}:${at}:${this.words[block + PERCPU.waitSince]} `;
    }
    return text;
  }

  private progress(): Progress {
    const phase = this.words[CONTROL.phase]!;
    return {
      phase: phase < PHASE.main ? 'setup' : phase === PHASE.main ? 'main' : 'fair',
      seconds: this.mainMs() / 1000,
      vmpteKiB: vmpteKiB(this.words, this.map),
      faultsPerSecond: this.faultsPerSecond,
      facts: this.words[CONTROL.facts]!,
    };
  }
}
