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
} as const;

export const GATE_NAMES = Object.keys(GATE);

/**
 * What identifies a CPU to the ground floor: its number and the place of its block in the arena.
 */
export interface CpuRef {
  readonly id: number;
  readonly block: number;
}

export interface Gate {
  /**
   * Called before the access `op` to the word `at`. For `GATE.wait`, `seen` is the value that the
   * CPU waits to see change; the CPU is disabled until then. True: yield, another CPU goes on.
   */
  pass(cpu: CpuRef, op: number, at: number, seen: number): boolean;
}

let gate: Gate | null = null;

/** Sets this thread's gate; null opens it. */
export function setGate(next: Gate | null): void {
  gate = next;
}

/** One passage. The only call that makes a function part of the stepped form. */
export function passGate(cpu: CpuRef, op: number, at: number, seen: number): boolean {
  return gate?.pass(cpu, op, at, seen) === true;
}
