/**
 * Torture of RCU itself, in the manner of rcutorture (kernel/rcu/rcutorture.c): one element is
 * published; the writer retires it and publishes another; a retired element ages one stage per
 * grace period through a pipe of ten stages. A reader that finds, at the end of its section, that
 * its element has aged more than one stage saw a grace period end too early.
 */

import type { Cpu } from '#arch/cpu';
import { CONTROL } from '#arena/layout/control';
import { load, peek, poke, store } from '#arena/word';
import { COUNTER, count } from '#trace/counters';
import { FACT, noteFact } from '#trace/fact';
import { rcuReadLock, rcuReadUnlock } from './rcu.ts';
import { callRcu, RCU_KIND, rcuQueueFull } from './rcu-callbacks.ts';

const PIPE_LENGTH = 10;
const ELEMENTS = 64;
const FREE = -1;
/**
 * Torture area: word 0 names the published element (1-based); elements' stages stand from `STAGES`
 * on.
 */
const PUBLISHED = CONTROL.torture;
const STAGES = CONTROL.torture + 16;

/** One reader section with a random delay; notes a fact if its element aged too far. */
export function rcuTortureRead(cpu: Cpu): void {
  rcuReadLock(cpu);
  const element = load(cpu, PUBLISHED);
  if (element !== 0) {
    const nested = cpu.prng.below(4) === 0;
    if (nested) rcuReadLock(cpu);
    delay(cpu);
    if (nested) rcuReadUnlock(cpu);
    const stage = load(cpu, STAGES + element);
    if (stage > 1 || stage === FREE) noteFact(cpu, FACT.rcuTooEarly, element, stage, 0, 0, 0);
  }
  rcuReadUnlock(cpu);
  count(cpu, COUNTER.opTorture, 1);
}

/** Publishes a fresh element and retires the old one. One writer at a time. */
export function rcuTortureWrite(cpu: Cpu): void {
  count(cpu, COUNTER.opTorture, 1);
  if (rcuQueueFull(cpu)) return;
  const fresh = freeElement();
  if (fresh === 0) return;
  store(cpu, STAGES + fresh, 0);
  const old = load(cpu, PUBLISHED);
  store(cpu, PUBLISHED, fresh);
  if (old === 0) return;
  store(cpu, STAGES + old, 1);
  callRcu(cpu, RCU_KIND.torture, old);
}

/**
 * A grace period has passed for `element`: one stage on, back to the free ones at the pipe's end.
 */
export function rcuTortureAge(cpu: Cpu, element: number): void {
  const stage = load(cpu, STAGES + element) + 1;
  store(cpu, STAGES + element, stage);
  if (stage <= PIPE_LENGTH) callRcu(cpu, RCU_KIND.torture, element);
  else poke(STAGES + element, FREE);
}

function freeElement(): number {
  for (let element = 1; element <= ELEMENTS; element++) {
    const stage = peek(STAGES + element);
    if (stage === FREE || (stage === 0 && peek(PUBLISHED) !== element)) return element;
  }
  return 0;
}

/** Mostly short, now and then long, so that sections overlap grace periods. */
function delay(cpu: Cpu): void {
  const rounds = cpu.prng.below(50) === 0 ? 20_000 : cpu.prng.below(200);
  for (let i = 0; i < rounds; i++) load(cpu, PUBLISHED);
}
