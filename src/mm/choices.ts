/**
 * Choice points of the memory manager: what on a real machine depends on the scheduler or on free
 * memory comes from the CPU's own random numbers, by the plan's chances. Where a gate chooses, what
 * has a chance at all may happen, and the gate says when.
 */
import type { Cpu } from '#arch/cpu';
import { atLoad } from '#arena/at-load';
import { gateChoice, gateChooses } from '#arena/gate';
import { COUNTER, count } from '#trace/counters';
import { ACTOR } from '#trace/vocabulary';

let reschedPerMillion = atLoad.settings.reschedPerMillion; // constant at load
let allocFailPerMillion = atLoad.settings.allocFailPerMillion; // constant at load

/**
 * `resched`: chance, per million entries, that a loop over entries finds need-resched set;
 * `allocFail`: chance, per million, that an allocation (page, table, batch of a gather) fails.
 */
export function configureChoices(resched: number, allocFail: number): void {
  reschedPerMillion = resched;
  allocFailPerMillion = allocFail;
}

/** How many of the next `entries` entries pass before need-resched is found set. */
export function untilResched(cpu: Cpu, entries: number): number {
  if (reschedPerMillion === 0) return entries;
  const after = gateChooses() ? gateChoice(cpu, entries + 1) : drawResched(cpu, entries);
  if (after === 0) return entries;
  count(cpu, COUNTER.reschedTaken, 1);
  return after;
}

/** Whether the allocation that is about to be made fails. */
export function allocationFails(cpu: Cpu): boolean {
  if (allocFailPerMillion === 0 || cpu.actor === ACTOR.boot) return false;
  const fails = gateChooses() ? gateChoice(cpu, 2) !== 0 : cpu.prng.chance(allocFailPerMillion);
  if (!fails) return false;
  count(cpu, COUNTER.allocFailed, 1);
  return true;
}

/** After how many of `entries` entries need-resched is found set; 0: after none of them. */
function drawResched(cpu: Cpu, entries: number): number {
  return cpu.prng.chance(reschedPerMillion * entries) ? 1 + cpu.prng.below(entries) : 0;
}
