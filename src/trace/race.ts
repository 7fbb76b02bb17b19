/** Races, counted: one cell per kind, who noticed, and who had caused it. */
import type { CpuRef } from '#arena/gate';
import { ACTORS_MAX, PERCPU } from '#arena/layout/percpu';
import { bump, peek, poke } from '#arena/word';
import { traceRace } from './tracing.ts';

/**
 * Counts a race of `kind` (a value of `RACE`) noticed by what this CPU is doing and caused by
 * `causedBy` (a value of `ACTOR`).
 */
export function countRace(cpu: CpuRef, kind: number, causedBy: number): void {
  const noticedBy = peek(cpu.block + PERCPU.actor);
  bump(cpu.block + PERCPU.races + (kind * ACTORS_MAX + noticedBy) * ACTORS_MAX + causedBy, 1);
  const kinds = cpu.block + PERCPU.raceKinds;
  poke(kinds, peek(kinds) | (1 << kind));
  traceRace(cpu, kind, noticedBy, causedBy);
}
