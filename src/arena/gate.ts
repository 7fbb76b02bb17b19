/**
 * The gate: what a CPU passes before it touches a racing word.
 *
 * Free-running CPUs have no gate: their form of the code leaves the question out. With noise it
 * delays at random instead; under an enforced schedule it waits for this CPU's turn. In the stepped
 * form, which the build derives, each statement `passGate(...);` becomes
 * `if (passGate(...)) yield;`: the strategy is asked inline, and the coroutine yields only when
 * another CPU is to go on.
 */

/** The kinds of passage, part of a history's vocabulary. */
export const GATE = {
  load: 0,
  store: 1,
  exchange: 2,
  compareExchange: 3,
  add: 4,
  read: 5,
  write: 6,
  wait: 7,
  /** Taking a lock word: the CPU is disabled while the word is not 0. */
  acquire: 8,
} as const;

export const GATE_NAMES = Object.keys(GATE);

/**
 * What identifies a CPU to the ground floor: its number and the place of its block in the arena.
 */
export interface CpuRef {
  readonly id: number;
  readonly block: number;
  /** Not 0: interrupts are off, and wait. */
  readonly irqsOff?: number;
}

export interface Gate {
  /**
   * Called before the access `op` to the word `at`. For `GATE.wait`, `seen` is the value that the
   * CPU waits to see change; the CPU is disabled until then. True: yield, another CPU goes on.
   */
  pass(cpu: CpuRef, op: number, at: number, seen: number): boolean;
  /**
   * A choice point (need-resched, a failing allocation): which of `alternatives` happens, 0 being
   * what is usual. Left out: the CPU's own random numbers decide.
   */
  choose?(cpu: CpuRef, alternatives: number): number;
}

/** Told of quiet accesses to `sizeWords` words from `at`, where a search must know of them all. */
export interface QuietWatch {
  quiet(at: number, sizeWords: number, isWrite: boolean): void;
}

let gate: Gate | null = null;
let watch: QuietWatch | null = null;

/** Sets this thread's gate; null opens it. */
export function setGate(next: Gate | null): void {
  gate = next;
}

/** Sets who is told of this thread's quiet accesses; null: nobody. */
export function setQuietWatch(next: QuietWatch | null): void {
  watch = next;
}

/** Tells of a quiet access. The free-running form leaves it out. */
export function noteQuiet(at: number, sizeWords: number, isWrite: boolean): void {
  if (watch !== null) watch.quiet(at, sizeWords, isWrite);
}

/** Whether there is a gate, which lets CPUs take one step at a time. */
export function isGated(): boolean {
  return gate !== null;
}

/** Whether a gate decides at choice points. */
export function gateChooses(): boolean {
  return gate?.choose !== undefined;
}

/** The gate's decision: 0 .. `alternatives` - 1. Only where it decides. */
export function gateChoice(cpu: CpuRef, alternatives: number): number {
  return gate!.choose!(cpu, alternatives);
}

/** One passage. The only call that makes a function part of the stepped form. */
export function passGate(cpu: CpuRef, op: number, at: number, seen: number): boolean {
  return gate?.pass(cpu, op, at, seen) === true;
}
