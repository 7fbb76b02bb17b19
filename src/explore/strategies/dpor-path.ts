/**
 * The steps of one execution as systematic search sees them: for each step which words it touched,
 * and which of them it changed. Steps that an execution has in common with the one before it stay.
 *
 * A step's words are the gated one and all quiet ones up to the same CPU's next passage. The gated
 * word counts as changed only if it was: a compare-exchange that failed, or a store of the value
 * that was there. That is sound. In all orders of the same trace such a step comes between the same
 * two changes of its word, for it stays ordered with those, so it finds the same and again changes
 * nothing; and where nothing is changed, who reads may come before or after.
 *
 * Words have small numbers, in the order in which they are met. An access is twice that number, and
 * one more for a change.
 */
import { GATE, type QuietWatch } from '#arena/gate';
import type { Standing } from '../strategy.ts';

/** Numbers no step. */
export const NONE = -1;

const ROW = { cpu: 0, op: 1, at: 2, seen: 3, found: 4, left: 5, enabled: 6, accesses: 7 } as const;
const ROW_WORDS = 8;

export class Path implements QuietWatch {
  /** Steps begun; the last may still go on. */
  steps = 0;
  /** Accesses of all steps, one after the other. */
  accesses = new Int32Array(1024);
  /** How many different words have been met; the first has number 0. */
  places = 0;
  private rows = new Int32Array(128 * ROW_WORDS);
  private accessCount = 0;
  private isOpen = false;
  private readonly standing: Standing;
  /** Of each word of the arena: one more than its number, 0 if it has not been met. */
  private readonly placeOf: Int32Array;
  /** Of each place: the step that touched it last and the step that changed it last. */
  private touched = new Int32Array(256);
  private changed = new Int32Array(256);
  private wordOf = new Int32Array(256);
  /** Of each place: 1 if a quiet access has ever changed it. */
  private changedQuietly = new Int32Array(256);
  /** Counts steps over all executions. */
  private serial = 0;

  constructor(standing: Standing) {
    this.standing = standing;
    this.placeOf = new Int32Array(standing.words.length);
  }

  cpu(step: number): number {
    return this.rows[step * ROW_WORDS + ROW.cpu]!;
  }

  op(step: number): number {
    return this.rows[step * ROW_WORDS + ROW.op]!;
  }

  at(step: number): number {
    return this.rows[step * ROW_WORDS + ROW.at]!;
  }

  found(step: number): number {
    return this.rows[step * ROW_WORDS + ROW.found]!;
  }

  left(step: number): number {
    return this.rows[step * ROW_WORDS + ROW.left]!;
  }

  /** Which CPUs could have taken the step. */
  enabled(step: number): number {
    return this.rows[step * ROW_WORDS + ROW.enabled]!;
  }

  /** Where the accesses of step `step` begin; they end where those of the next one do. */
  accessesOf(step: number): number {
    return step === this.steps ? this.accessCount : this.rows[step * ROW_WORDS + ROW.accesses]!;
  }

  /** Whether step `step` is a wait that value `value` of its word lets pass, or is no wait. */
  passes(step: number, value: number): boolean {
    const op = this.op(step);
    if (op === GATE.acquire) return value === 0;
    return op !== GATE.wait || value !== this.rows[step * ROW_WORDS + ROW.seen]!;
  }

  /** The number of the word `at`. */
  place(at: number): number {
    const place = this.placeOf[at]! - 1;
    return place >= 0 ? place : this.addPlace(at);
  }

  /** The word that has the number `place`. */
  word(place: number): number {
    return this.wordOf[place]!;
  }

  /** Forgets all but the first `steps` steps. */
  truncate(steps: number): void {
    this.accessCount = this.accessesOf(steps);
    this.steps = steps;
    this.isOpen = false;
  }

  /** CPU `cpu` takes the step for which it stands, one of those that are `enabled`. */
  begin(cpu: number, enabled: number): void {
    const { standing } = this;
    const to = this.steps++ * ROW_WORDS;
    if (to === this.rows.length) this.rows = larger(this.rows);
    const { rows } = this;
    const at = standing.at[cpu]!;
    const found = standing.words[at]!;
    rows[to + ROW.cpu] = cpu;
    rows[to + ROW.op] = standing.op[cpu]!;
    rows[to + ROW.at] = at;
    rows[to + ROW.seen] = standing.seen[cpu]!;
    rows[to + ROW.found] = found;
    rows[to + ROW.left] = found;
    rows[to + ROW.enabled] = enabled;
    rows[to + ROW.accesses] = this.accessCount;
    this.serial++;
    this.isOpen = true;
  }

  /** The step that goes on is over, if one does; its word holds what it left there. */
  finish(left: number): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    const step = this.steps - 1;
    const op = this.op(step);
    const found = this.found(step);
    this.rows[step * ROW_WORDS + ROW.left] = left;
    this.note(this.at(step), left !== found);
    if (op === GATE.acquire || op === GATE.wait) this.noteInterrupts(step);
  }

  /** The place of the word in which others ask CPU `cpu` for an interrupt; NONE: there is none. */
  interruptsOf(cpu: number): number {
    const { interrupts } = this.standing;
    return interrupts ? this.place(interrupts.blocks[cpu]! + interrupts.wanted) : NONE;
  }

  quiet(at: number, sizeWords: number, isWrite: boolean): void {
    if (!this.isOpen) return;
    const { ignored } = this.standing;
    for (let word = at; word < at + sizeWords; word++) {
      if (ignored?.[word] === 1) continue;
      this.note(word, isWrite);
      if (isWrite) this.changedQuietly[this.place(word)] = 1;
    }
  }

  /** Notes an access of the open step, once; twice if it reads first. */
  private note(at: number, isWrite: boolean): void {
    const place = this.place(at);
    if (this.changed[place] === this.serial) return;
    if (isWrite) this.changed[place] = this.serial;
    else if (this.touched[place] === this.serial) return;
    this.touched[place] = this.serial;
    if (this.accessCount === this.accesses.length) this.accesses = larger(this.accesses);
    this.accesses[this.accessCount++] = 2 * place + (isWrite ? 1 : 0);
  }

  /** An interrupt lets a CPU go on that waits, and comes before the lock that it would take. */
  private noteInterrupts(step: number): void {
    const { interrupts } = this.standing;
    if (interrupts) this.note(interrupts.blocks[this.cpu(step)]! + interrupts.wanted, false);
  }

  /** Whether step `step` waits for a word of which not all changes are known by their values. */
  waitsInDoubt(step: number): boolean {
    const op = this.op(step);
    if (op !== GATE.acquire && op !== GATE.wait) return false;
    return this.changedQuietly[this.place(this.at(step))] === 1;
  }

  /** Whether step `step` changed the word that has the number `place`. */
  changes(step: number, place: number): boolean {
    const end = this.accessesOf(step + 1);
    for (let i = this.accessesOf(step); i < end; i++)
      if (this.accesses[i] === 2 * place + 1) return true;
    return false;
  }

  /** Whether step `i` changed the word so that step `waiter` passes. */
  lets(i: number, waiter: number): boolean {
    return this.passes(waiter, this.left(i)) && !this.passes(waiter, this.found(i));
  }

  /** Whether step `i` changed the word so that step `waiter` does not pass. */
  stops(i: number, waiter: number): boolean {
    return this.passes(waiter, this.found(i)) && !this.passes(waiter, this.left(i));
  }

  private addPlace(at: number): number {
    const place = this.places++;
    this.placeOf[at] = place + 1;
    if (place === this.wordOf.length) {
      this.wordOf = larger(this.wordOf);
      this.touched = larger(this.touched);
      this.changed = larger(this.changed);
      this.changedQuietly = larger(this.changedQuietly);
    }
    this.wordOf[place] = at;
    return place;
  }
}

export function larger(words: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(2 * words.length);
  grown.set(words);
  return grown;
}
