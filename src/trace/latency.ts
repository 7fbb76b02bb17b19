/**
 * How long faults and madvise calls take, counted in the arena per CPU: a histogram of nanoseconds
 * with four buckets per power of two, and the longest of all.
 *
 * A fault takes about as long as reading the clock twice, so only one in `FAULTS_PER_SAMPLE` is
 * timed; the others pay for a private counter. Every madvise call may be timed. Nothing here is a
 * step, and no protocol decides by it.
 */
import { nowNs } from '#arena/clock';
import type { CpuRef } from '#arena/gate';
import { LATENCY_RECORD, PERCPU } from '#arena/layout/percpu';
import { bump, peek, poke } from '#arena/word';
import { raiseDuration } from './duration.ts';
import { histogramSlot } from './histogram.ts';

/**
 * A prime, so that CPUs that fill one table after another are sampled at each index in turn; with
 * a power of two the fault that allocates a table would be timed at every table, or at none.
 */
export const FAULTS_PER_SAMPLE = 61;

/** `histogramSlot` takes values below this. */
const SLOT_VALUES = 2 ** 32;

/** Whether the fault that begins now is to be timed; the first one of each CPU is. */
export function latencySampleDue(cpu: CpuRef): boolean {
  const at = cpu.block + PERCPU.faultsUntimed;
  const left = peek(at);
  poke(at, left > 0 ? left - 1 : FAULTS_PER_SAMPLE - 1);
  return left === 0;
}

/** Counts a fault that began at `startNs` (of `nowNs`) and ends now. */
export function recordFaultLatency(cpu: CpuRef, startNs: number): void {
  record(cpu.block + PERCPU.faultLatency, nowNs() - startNs);
}

/** Counts a madvise call that began at `startNs` (of `nowNs`) and ends now. */
export function recordMadviseLatency(cpu: CpuRef, startNs: number): void {
  record(cpu.block + PERCPU.madviseLatency, nowNs() - startNs);
}

function record(at: number, ns: number): void {
  bump(at + LATENCY_RECORD.buckets + latencySlot(ns), 1);
  raiseDuration(at + LATENCY_RECORD.longest, ns);
}

/**
 * Bucket of a duration (whole nanoseconds); all beyond two minutes share the last. Each doubling is
 * four buckets.
 */
export function latencySlot(ns: number): number {
  if (ns < SLOT_VALUES) return histogramSlot(ns);
  return histogramSlot(Math.min(Math.floor(ns / 32), SLOT_VALUES - 1)) + 5 * 4;
}
