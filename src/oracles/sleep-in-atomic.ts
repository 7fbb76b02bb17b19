/**
 * A CPU that held a spinlock did what may sleep: took the mmap lock, or waited for a grace period.
 * Or one with interrupts off waited for others, who may wait for it to serve an interrupt.
 */
import type { Evidence, Fact } from './evidence.ts';
import { whoNoted } from './naming.ts';
import { type Verdict, verdict } from './verdict.ts';

export function sleepInAtomic(_: Evidence, fact: Fact): Verdict {
  const held = fact.a === 1 ? 'a spinlock' : `${fact.a} spinlocks`;
  return verdict(
    'sleep-in-atomic',
    [fact.cpu],
    `${whoNoted(fact)} may sleep while it holds ${held}`,
  );
}

export function waitIrqsOff(_: Evidence, fact: Fact): Verdict {
  return verdict(
    'sleep-in-atomic',
    [fact.cpu],
    `${whoNoted(fact)} waits for other CPUs while its interrupts are off`,
  );
}
