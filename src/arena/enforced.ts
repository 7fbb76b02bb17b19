/**
 * The enforced gate: real threads take their steps in a recorded order.
 *
 * Beside the arena lies the order: the steps one after the other (CPU, kind of passage, word, and
 * what it held), what was chosen at choice points, and the number of the step whose turn it is. A
 * CPU that comes to a passage first says that its previous step is over, quiet code included, and
 * then waits until a step of its own is due. Hence one CPU runs at a time, as in the stepped form,
 * and each step is compared with the record just before it happens. Before the first step the CPUs
 * come to their first passages one after the other, in turns of negative numbers.
 *
 * At a difference the machine is halted: what would come after it is no longer what was recorded.
 * So it is once all CPUs stand behind the last step, which is how a deadlock is confirmed.
 *
 * Outside of the hostile phase the gate only counts steps, since the clock shows them.
 */
import { type CpuRef, GATE, type Gate } from './gate.ts';
import { Halted } from './halt.ts';
import { CONTROL } from './layout/control.ts';
import { CHOICE, CHOICE_WORDS, STEP, STEP_WORDS } from './layout/history.ts';
import { struct } from './layout/struct.ts';
import { boundWords, type Words } from './word.ts';

/** A passage: its CPU, its kind (`GATE`, or one of `NO_STEP`), its word, and what that holds. */
export const PASSAGE = struct({ cpu: 1, op: 1, at: 1, value: 1 });
/** What a CPU does instead of the step that is due; a choice has its alternatives as `at`. */
export const NO_STEP = { end: -1, choice: -2 } as const;

/** The order: its own words, and where steps and choices follow. */
export const ORDER = struct({
  /** The step whose turn it is; before the first, and behind the last, as told above. */
  turn: 1,
  /** Steps taken in all phases, and how many there may be. */
  clock: 1,
  clockMax: 1,
  outcome: 1,
  /** CPUs whose columns have ended, and of them and those that stand behind the last step. */
  ended: 1,
  arrived: 1,
  cpus: 1,
  /** How many steps and choices there are, the next choice, and where each list begins. */
  steps: 1,
  choices: 1,
  choice: 1,
  stepsAt: 1,
  choicesAt: 1,
  /** Not 0: behind the last step CPUs go on as they like; or others do only where CPU 0 cannot. */
  opens: 1,
  outranks: 1,
  /** The first difference: at which step, and what came. */
  diverged: 1,
  came: PASSAGE.sizeWords,
  /** Of each CPU, the passage to which it came last; for a wait, `value` is what must change. */
  standing: 0,
});

/**
 * `ended`: all columns did, and the fair phase began; `halted`: a fact left memory in doubt;
 * `stands`: all steps are taken, and no CPU's turn comes any more; `endless`: too many steps;
 * `stopped`: from outside.
 */
export const OUTCOME = {
  ...{ running: 0, ended: 1, halted: 2, stands: 3, diverged: 4, endless: 5, stopped: 6 },
} as const;

/** No step is due any more, and the gate is open. */
const OPEN = -1;
/** A wait for a turn looks about itself so often (ms), should nobody wake it. */
const SLICE_MS = 20;

/**
 * The order of `steps` and `choices`; CPUs may take `clockMax` steps in all. `opens`: behind the
 * last step the gate is open; `outranks`: to CPU 0 before all others.
 */
export function makeOrder(
  cpus: number,
  steps: Int32Array,
  choices: Int32Array,
  clockMax: number,
  opens: boolean,
  outranks: boolean,
): Words {
  const stepsAt = ORDER.standing + cpus * PASSAGE.sizeWords;
  const choicesAt = stepsAt + steps.length;
  const order = new Int32Array(new SharedArrayBuffer(4 * (choicesAt + choices.length)));
  order[ORDER.turn] = bootTurn(cpus);
  order[ORDER.clockMax] = clockMax;
  order[ORDER.cpus] = cpus;
  order[ORDER.opens] = opens ? 1 : 0;
  order[ORDER.outranks] = outranks ? 1 : 0;
  order[ORDER.steps] = steps.length / STEP_WORDS;
  order[ORDER.choices] = choices.length / CHOICE_WORDS;
  order[ORDER.stepsAt] = stepsAt;
  order[ORDER.choicesAt] = choicesAt;
  order.set(steps, stepsAt);
  order.set(choices, choicesAt);
  return order;
}

/** Settles how it ends, unless that is settled; says so to all CPUs. False: it was settled. */
export function settle(order: Words, words: Words, outcome: number): boolean {
  const seen = Atomics.load(order, ORDER.outcome);
  if (seen > OUTCOME.ended || seen === outcome) return false;
  if (Atomics.compareExchange(order, ORDER.outcome, seen, outcome) !== seen) return false;
  if (outcome !== OUTCOME.ended) {
    Atomics.store(words, CONTROL.halt, 1);
    Atomics.notify(words, CONTROL.halt);
  }
  Atomics.notify(order, ORDER.outcome);
  Atomics.notify(order, ORDER.turn);
  return true;
}

/** The turn in which CPU 0 boots; those of the CPUs' beginnings follow, and then the steps. */
function bootTurn(cpus: number): number {
  return -cpus - 1;
}

export class EnforcedGate implements Gate {
  private readonly order: Words;
  private readonly words: Words;
  private readonly cpus: number;
  private readonly steps: number;
  private isEnforcing = false;

  /** `order`: of `makeOrder`. The arena is bound. */
  constructor(order: Words) {
    this.order = order;
    this.words = boundWords();
    this.cpus = order[ORDER.cpus]!;
    this.steps = order[ORDER.steps]!;
  }

  /** Steps that all CPUs have taken so far. */
  clock(): number {
    return Atomics.load(this.order, ORDER.clock);
  }

  /** CPU `cpu` is about to begin its column: returns when it is its turn; CPU 0 has booted. */
  enterHostile(cpu: CpuRef): void {
    if (cpu.id === 0) this.endTurn();
    this.isEnforcing = true;
    for (let turn = this.turn(); turn !== cpu.id - this.cpus; turn = this.turn())
      this.waitOut(turn);
  }

  /** Its column has ended: returns when all have. */
  leaveHostile(cpu: CpuRef): void {
    this.note(ORDER.standing + cpu.id * PASSAGE.sizeWords, cpu.id, NO_STEP.end, 0, 0);
    if (this.isEnforcing) this.checkNoMore(cpu);
    if (this.isEnforcing) this.endTurn();
    this.isEnforcing = false;
    Atomics.add(this.order, ORDER.ended, 1);
    this.arrive();
    while (Atomics.load(this.order, ORDER.outcome) === OUTCOME.running)
      Atomics.wait(this.order, ORDER.outcome, OUTCOME.running, SLICE_MS);
    if (Atomics.load(this.order, ORDER.outcome) > OUTCOME.ended) throw new Halted();
  }

  /** CPU `cpu` has halted, by itself or because another did. */
  noteHalted(cpu: CpuRef): void {
    if (Atomics.load(this.order, ORDER.outcome) > OUTCOME.ended) return;
    const next = this.turn() + 1;
    if (this.isEnforcing && next < this.steps) this.diverge(next, cpu.id, NO_STEP.end, 0, 0);
    settle(this.order, this.words, OUTCOME.halted);
  }

  pass(cpu: CpuRef, op: number, at: number, seen: number): boolean {
    this.note(ORDER.standing + cpu.id * PASSAGE.sizeWords, cpu.id, op, at, seen);
    if (!this.isEnforcing) return this.countFree(cpu);
    this.endTurn();
    const turn = this.awaitStep(cpu);
    if (turn === OPEN) {
      this.isEnforcing = false;
      return this.countFree(cpu);
    }
    const { order } = this;
    const found = this.words[at]!;
    const due = order[ORDER.stepsAt]! + turn * STEP_WORDS;
    const asRecorded =
      order[due + STEP.op] === op &&
      order[due + STEP.at] === at &&
      order[due + STEP.found] === found;
    if (!asRecorded) {
      this.diverge(turn, cpu.id, op, at, found);
      throw new Halted();
    }
    Atomics.add(order, ORDER.clock, 1);
    return false;
  }

  choose(cpu: CpuRef, alternatives: number): number {
    if (!this.isEnforcing) return 0;
    const { order } = this;
    const choice = order[ORDER.choice]!++;
    const row = order[ORDER.choicesAt]! + choice * CHOICE_WORDS;
    const asRecorded =
      choice < order[ORDER.choices]! &&
      order[row + CHOICE.cpu] === cpu.id &&
      order[row + CHOICE.alternatives] === alternatives;
    if (asRecorded) return order[row + CHOICE.chosen]!;
    this.diverge(this.turn() + 1, cpu.id, NO_STEP.choice, alternatives, 0);
    throw new Halted();
  }

  /** A step of which no order is recorded. */
  private countFree(cpu: CpuRef): boolean {
    const { order } = this;
    while (cpu.id !== 0 && this.isOutranked()) this.waitOut(this.turn());
    const taken = Atomics.add(order, ORDER.clock, 1);
    if (taken > order[ORDER.clockMax]!) settle(order, this.words, OUTCOME.endless);
    if (Atomics.load(order, ORDER.outcome) > OUTCOME.ended) throw new Halted();
    return false;
  }

  /** Whether CPU 0 goes before all others behind the last step, and can go on. */
  private isOutranked(): boolean {
    const { order, words } = this;
    if (order[ORDER.outranks] === 0 || Atomics.load(order, ORDER.outcome) !== OUTCOME.running)
      return false;
    const op = order[ORDER.standing + PASSAGE.op]!;
    // It does not stand at locks: it tries, and then waits. That one is taken may be its own doing.
    return op !== NO_STEP.end && !(op === GATE.wait && isDisabled(order, words, ORDER.standing));
  }

  /** Waits until a step of this CPU is due; which one that is, or `OPEN`. */
  private awaitStep(cpu: CpuRef): number {
    let stands = false;
    for (;;) {
      const turn = this.turn();
      if (turn >= 0 && turn < this.steps && this.cpuOf(turn) === cpu.id) return turn;
      if (turn >= this.steps && this.order[ORDER.opens] !== 0) return OPEN;
      if (turn >= this.steps && !stands) {
        stands = true;
        this.arrive();
      }
      this.waitOut(turn);
    }
  }

  /**
   * One more CPU has come to its end, or behind the last step; if it is the last, that is all. Of
   * CPUs that end at once the last to be counted here need not be the last that was counted there.
   */
  private arrive(): void {
    const { order, words, cpus } = this;
    if (Atomics.add(order, ORDER.arrived, 1) + 1 < cpus) return;
    const haveEnded = Atomics.load(order, ORDER.ended) === cpus;
    settle(order, words, haveEnded ? OUTCOME.ended : OUTCOME.stands);
  }

  private turn(): number {
    return Atomics.load(this.order, ORDER.turn);
  }

  /** The turn is over; wakes the others unless the next one is this CPU's as well. */
  private endTurn(): void {
    const turn = this.turn();
    Atomics.store(this.order, ORDER.turn, turn + 1);
    const goesOn = turn >= 0 && turn + 1 < this.steps && this.cpuOf(turn) === this.cpuOf(turn + 1);
    if (!goesOn) Atomics.notify(this.order, ORDER.turn);
  }

  /** Waits while it is the turn of step `turn`, but not for long. */
  private waitOut(turn: number): void {
    if (Atomics.load(this.order, ORDER.outcome) > OUTCOME.ended) throw new Halted();
    Atomics.wait(this.order, ORDER.turn, turn, SLICE_MS);
  }

  private cpuOf(step: number): number {
    return this.order[this.order[ORDER.stepsAt]! + step * STEP_WORDS + STEP.cpu]!;
  }

  /** Notes the first difference if the column that has ended ought to take more steps. */
  private checkNoMore(cpu: CpuRef): void {
    for (let step = this.turn() + 1; step < this.steps; step++) {
      if (this.cpuOf(step) !== cpu.id) continue;
      this.diverge(step, cpu.id, NO_STEP.end, 0, 0);
      throw new Halted();
    }
  }

  /** Notes a difference: at step `step` this came. All CPUs halt. */
  private diverge(step: number, cpu: number, op: number, at: number, value: number): void {
    const { order } = this;
    order[ORDER.diverged] = step;
    this.note(ORDER.came, cpu, op, at, value);
    settle(order, this.words, OUTCOME.diverged);
  }

  private note(to: number, cpu: number, op: number, at: number, value: number): void {
    const { order } = this;
    order[to + PASSAGE.cpu] = cpu;
    order[to + PASSAGE.op] = op;
    order[to + PASSAGE.at] = at;
    order[to + PASSAGE.value] = value;
  }
}

/** Whether a CPU that stands at a passage (a row of `PASSAGE` at `row`) cannot go on. */
export function isDisabled(order: Words, words: Words, row: number): boolean {
  const held = words[order[row + PASSAGE.at]!]!;
  const op = order[row + PASSAGE.op]!;
  if (op === GATE.wait) return held === order[row + PASSAGE.value];
  return op === GATE.acquire && held !== 0;
}
