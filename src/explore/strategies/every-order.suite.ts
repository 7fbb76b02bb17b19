/**
 * For tests: all orders of the steps of a subject, one after the other, without any reduction; and
 * which of them are the same trace, from what each word went through.
 */
import { GATE, type QuietWatch } from '#arena/gate';
import { STEP } from '#arena/layout/history';
import type { History } from '../history.ts';
import { memberOf, type Standing, type Strategy, sizeOf } from '../strategy.ts';

/** Depth first over what was enabled and what could be chosen, in the order of numbers. */
export class EveryOrder implements Strategy, QuietWatch {
  /** The trace of the latest execution: the same text for the same trace. */
  trace = '';
  private stack: { options: number; taken: number }[] = [];
  private depth = 0;
  private standing: Standing | null = null;
  /** Quiet accesses and choices, by step. */
  private quietOf: [at: number, isWrite: boolean][][] = [];
  private chosenOf: string[] = [];
  private picks = 0;

  readonly watch: QuietWatch = this;

  begin(execution: number, _cpus: number, standing: Standing): boolean {
    if (execution === 0) this.stack = [];
    else {
      while (this.stack.length > 0 && this.stack.at(-1)!.taken + 1 === this.stack.at(-1)!.options)
        this.stack.pop();
      if (this.stack.length === 0) return false;
      this.stack.at(-1)!.taken++;
    }
    this.standing = standing;
    this.depth = 0;
    this.picks = 0;
    this.quietOf = [];
    this.chosenOf = [];
    return true;
  }

  pick(enabled: number): number {
    this.quietOf[this.picks++] = [];
    return memberOf(enabled, this.branch(sizeOf(enabled)));
  }

  choose(_cpu: number, alternatives: number): number {
    const chosen = this.branch(alternatives);
    this.chosenOf[this.picks] = `${this.chosenOf[this.picks] ?? ''}?${chosen}`;
    return chosen;
  }

  quiet(at: number, sizeWords: number, isWrite: boolean): void {
    for (let i = 0; i < sizeWords; i++) this.quietOf[this.picks - 1]?.push([at + i, isWrite]);
  }

  end(history: History): void {
    const lives = new Map<number, string[][]>();
    const taken: number[] = [];
    for (let step = 0; step < history.decided; step++) {
      const cpu = history.step(step, STEP.cpu);
      taken[cpu] = (taken[cpu] ?? 0) + 1;
      const name = `${cpu}.${taken[cpu]}${this.chosenOf[step + 1] ?? ''}`;
      const isWrite = history.step(step, STEP.found) !== history.step(step, STEP.left);
      const touched = new Map([[history.step(step, STEP.at), isWrite]]);
      for (const [at, writes] of this.quietOf[step]!)
        touched.set(at, writes || touched.get(at) === true);
      for (const [at, writes] of touched) addTo(lives, at, name, writes);
    }
    const { op, at } = this.standing!;
    const waiting = [...op].map((kind, cpu) =>
      kind === GATE.acquire || kind === GATE.wait ? `${cpu} waits for ${at[cpu]}` : '',
    );
    const words = [...lives].sort(([a], [b]) => a - b);
    this.trace = JSON.stringify([
      this.chosenOf[0],
      taken,
      words.map(([at, life]) => [at, life.map((readers) => [...readers].sort())]),
      waiting,
    ]);
  }

  private branch(options: number): number {
    if (this.depth === this.stack.length) this.stack.push({ options, taken: 0 });
    return this.stack[this.depth++]!.taken;
  }
}

/** Writes stand alone, reads between two writes together. */
function addTo(lives: Map<number, string[][]>, at: number, name: string, writes: boolean): void {
  const life = lives.get(at) ?? [[]];
  lives.set(at, life);
  if (writes) life.push([`write ${name}`], []);
  else life.at(-1)!.push(name);
}
