/**
 * How many different things the executions did. Two executions are the same trace if they differ
 * only in the order of steps that do not meet (Mazurkiewicz): then every step finds its word as the
 * same step left it. So a trace's fingerprint is a sum, over all steps, of a hash of the step and
 * of the step that changed its word last; a sum does not depend on the order.
 *
 * A fingerprint has 52 bits: among a million traces two share one with a chance of one in 10,000.
 */
import { STEP } from '#arena/layout/history';
import type { History } from './history.ts';

/** Traces that are remembered at most; beyond these the count stands still. */
const TRACES_MAX = 4_000_000;
const CPUS_MAX = 32;

export class TraceCensus {
  private readonly traces = new Set<number>();
  /** For each word, which step changed it last (CPU and its own count), if it was in this trace. */
  private changer = new Int32Array(0);
  private changedIn = new Int32Array(0);
  private readonly taken = new Int32Array(CPUS_MAX);
  private trace = 0;
  private plan = 0;

  /** From now on executions are of another plan, on an arena of `sizeWords` words. */
  beginPlan(plan: number, sizeWords: number): void {
    this.plan = plan;
    if (sizeWords <= this.changer.length) return;
    this.changer = new Int32Array(sizeWords);
    this.changedIn = new Int32Array(sizeWords);
  }

  get size(): number {
    return this.traces.size;
  }

  /** The fingerprints, to be put together with those of another census. */
  fingerprints(): Float64Array<ArrayBuffer> {
    return Float64Array.from(this.traces);
  }

  /** Whether no execution before did what this one did. */
  add(history: History): boolean {
    const fingerprint = this.fingerprint(history);
    if (this.traces.has(fingerprint) || this.traces.size >= TRACES_MAX) return false;
    this.traces.add(fingerprint);
    return true;
  }

  /** Of the main phase of an execution. */
  fingerprint(history: History): number {
    const { changer, changedIn, taken } = this;
    const trace = ++this.trace;
    taken.fill(0);
    let low = this.plan;
    let high = Math.imul(this.plan, 0x9e3779b1);
    for (let step = 0; step < history.decided; step++) {
      const cpu = history.step(step, STEP.cpu);
      const at = history.step(step, STEP.at);
      const own = (taken[cpu]!++ << 5) | cpu;
      const before = changedIn[at] === trace ? changer[at]! : -1;
      let hash = Math.imul(own ^ 0x2c1b3c6d, 0x297a2d39) ^ Math.imul(before + 1, 0x85ebca6b);
      hash = Math.imul(hash ^ (hash >>> 15) ^ at, 0x9e3779b1);
      hash ^= hash >>> 13;
      low = (low + hash) | 0;
      high = (high + Math.imul(hash ^ (hash >>> 16), 0xc2b2ae35)) | 0;
      if (history.step(step, STEP.found) === history.step(step, STEP.left)) continue;
      changer[at] = own;
      changedIn[at] = trace;
    }
    return (low >>> 0) + (high & 0xfffff) * 2 ** 32;
  }
}
