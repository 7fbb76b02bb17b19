/**
 * The gate of a CPU that is alone (boot, the end of the process): its steps are nobody's choice and
 * are not recorded. It yields only where it would wait for ever.
 */
import { type CpuRef, GATE, type Gate } from '#arena/gate';
import type { ExecutionEnd } from './execution.ts';
import type { Coroutine } from './stepped-tree.ts';

export class AloneGate implements Gate {
  /** Steps taken in this execution, not recorded: part of what the clock shows. */
  clock = 0;
  private clockMax = 0;
  private readonly words: Int32Array;
  private readonly stepsMax: number;

  constructor(words: Int32Array, stepsMax: number) {
    this.words = words;
    this.stepsMax = stepsMax;
  }

  /** Runs the coroutine to its end; `deadlock`: it waits, `steps`: it does not come to an end. */
  run(coroutine: Coroutine): ExecutionEnd {
    this.clockMax = this.clock + this.stepsMax;
    const { done, value } = coroutine.next();
    if (done) return value;
    return this.clock > this.clockMax ? 'steps' : 'deadlock';
  }

  pass(_cpu: CpuRef, op: number, at: number, seen: number): boolean {
    if (++this.clock > this.clockMax) return true;
    if (op === GATE.wait) return this.words[at] === seen;
    return op === GATE.acquire && this.words[at] !== 0;
  }

  choose(): number {
    return 0;
  }
}
