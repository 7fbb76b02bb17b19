/**
 * The ticket lock, as the kernel used it until 2015: strictly first come, first served. The word
 * holds the next ticket in its upper half and the ticket being served in its lower half.
 */

import type { Cpu } from '#arch/cpu';
import { waitUntilChanged } from '#arch/interrupts';
import { add, addAndWake, compareExchange, load } from '#arena/word';

const TICKET = 1 << 16;
const SERVING_MASK = TICKET - 1;

export function ticketLock(cpu: Cpu, lockp: number): void {
  const mine = add(cpu, lockp, TICKET) >>> 16;
  for (;;) {
    const word = load(cpu, lockp);
    const served = (word & SERVING_MASK) === mine; // @ticket-wait
    if (served) return;
    waitUntilChanged(cpu, lockp, word);
  }
}

export function ticketTrylock(cpu: Cpu, lockp: number): boolean {
  const word = load(cpu, lockp);
  if (word >>> 16 !== (word & SERVING_MASK)) return false;
  return compareExchange(cpu, lockp, word, (word + TICKET) | 0) === word;
}

/** Only the holder changes the lower half; at its end the carry must not reach the upper half. */
export function ticketUnlock(cpu: Cpu, lockp: number): void {
  const atEnd = (load(cpu, lockp) & SERVING_MASK) === SERVING_MASK;
  addAndWake(cpu, lockp, atEnd ? -SERVING_MASK : 1);
}
