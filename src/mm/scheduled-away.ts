/**
 * The scheduler takes a CPU away from what it does and gives it back, after as long as it likes:
 * where the code sleeps, and on a preemptible kernel anywhere outside of read sections, spinlocks
 * and interrupts off. Simulated only where somebody relies on its not happening.
 */
import type { Cpu } from '#arch/cpu';
import { enterMm, leaveMm } from '#arch/interrupts';
import { mightSleep } from '#sync/held';
import { rcuIdleEnter, rcuIdleExit } from '#sync/rcu';

/** Meanwhile this CPU holds no reference, and flushes do not wait for it. */
export function scheduledAway(cpu: Cpu): void {
  mightSleep(cpu);
  const idle = rcuIdleEnter(cpu);
  leaveMm(cpu);
  enterMm(cpu);
  if (idle) rcuIdleExit(cpu);
}
