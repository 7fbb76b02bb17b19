/**
 * The socket of strategies: who goes on at each passage of the gate. The stepped machine asks
 * inline, before every step, so `pick` allocates nothing and keeps nothing of what it is given.
 */

export interface Strategy {
  /** Before execution number `execution` on `cpus` CPUs: forgets the one before. */
  begin(execution: number, cpus: number): void;

  /**
   * The CPU that takes the next step, one of `enabled` (ascending; two at least). `running` took
   * the last one, and is not among them if it waits or has ended. The array is used again.
   */
  pick(enabled: readonly number[], running: number): number;
}
