/** Facts about measured durations: what is timed, and that what is read back is what was. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bindArena } from '#arena/arena';
import { nowNs, setClock } from '#arena/clock';
import { LATENCY_RECORD, LATENCY_WORDS, PERCPU } from '#arena/layout/percpu';
import { arenaMap } from '#arena/map';
import { peek } from '#arena/word';
import { property } from '#base/property.suite';
import { peekDuration } from './duration.ts';
import { histogramValue } from './histogram.ts';
import {
  FAULTS_PER_SAMPLE,
  latencySampleDue,
  latencySlot,
  recordFaultLatency,
  recordMadviseLatency,
} from './latency.ts';

const GEOMETRY = {
  ...{ cpus: 2, ptrsShift: 3, levels: 2, tables: 4, bodies: 4, pages: 4, vmas: 4 },
  ...{ gatherPages: 4, batch: 2, backing: 'fixed' as const },
};
const map = arenaMap(GEOMETRY);
const cpus = [0, 1].map((id) => ({ id, block: map.percpu + id * map.percpuWords }));
const [cpu, other] = cpus as [(typeof cpus)[0], (typeof cpus)[0]];
let now = 0;

beforeEach(() => {
  bindArena(new SharedArrayBuffer(4 * map.sizeWords), GEOMETRY, 0);
  now = 0;
  setClock(() => now);
});
afterEach(() => setClock(null));

/** [bucket, count] of those buckets that are not empty. */
function buckets(at: number): [slot: number, count: number][] {
  const all = Array.from({ length: LATENCY_WORDS }, (_, slot): [number, number] => [
    slot,
    peek(at + LATENCY_RECORD.buckets + slot),
  ]);
  return all.filter(([, count]) => count !== 0);
}

function longestNs(at: number): number {
  return peekDuration(at + LATENCY_RECORD.longest);
}

describe('a fault', () => {
  test('is timed once in a while, the first of each CPU first', () => {
    const timed = [];
    for (let i = 0; i < 3 * FAULTS_PER_SAMPLE; i++) if (latencySampleDue(cpu)) timed.push(i);
    expect(timed).toEqual([0, FAULTS_PER_SAMPLE, 2 * FAULTS_PER_SAMPLE]);
    expect(latencySampleDue(other)).toBe(true);
  });

  test('at each index of its table in turn', () => {
    const [ptrs, indices] = [512, new Set<number>()];
    for (let i = 0; i < ptrs * FAULTS_PER_SAMPLE; i++)
      if (latencySampleDue(cpu)) indices.add(i % ptrs);
    expect(indices.size).toBe(ptrs);
  });

  test('is counted with its own kind and CPU', () => {
    const startNs = nowNs();
    now += 3;
    recordFaultLatency(cpu, startNs);
    const fault = cpu.block + PERCPU.faultLatency;
    expect(buckets(fault)).toEqual([[latencySlot(3e6), 1]]);
    expect(longestNs(fault)).toBe(3e6);
    expect(buckets(cpu.block + PERCPU.madviseLatency)).toEqual([]);
    expect(buckets(other.block + PERCPU.faultLatency)).toEqual([]);
  });
});

describe('the longest duration', () => {
  const madvise = cpu.block + PERCPU.madviseLatency;
  const record = (ms: number): void => {
    const startNs = nowNs();
    now += ms;
    recordMadviseLatency(cpu, startNs);
  };

  test.each([
    ['of some below a second', [3, 999, 20], 999e6],
    ['is of the most seconds first', [1500, 2100, 1900, 999], 2100e6],
    ['does not wrap in minutes', [5000, 150_000], 150e9],
  ])('%s', (_name, durations, longest) => {
    for (const ms of durations) record(ms);
    expect(longestNs(madvise)).toBe(longest);
    const counted = buckets(madvise).reduce((sum, [, count]) => sum + count, 0);
    expect(counted).toBe(durations.length);
  });
});

const durations = fc.oneof(
  fc.nat(2000),
  fc.maxSafeNat().map((n) => n % 120_000_000_000),
);

property([durations])('a duration is known to 25 %, from below, up to two minutes', (ns) => {
  const floor = histogramValue(latencySlot(ns));
  expect(floor).toBeLessThanOrEqual(ns);
  expect(ns - floor).toBeLessThanOrEqual(0.25 * floor);
});

test('what is longer than two minutes has the last bucket', () => {
  const last = LATENCY_WORDS - 1;
  expect(histogramValue(last)).toBe(7 * 2 ** 34);
  expect(latencySlot(7 * 2 ** 34)).toBe(last);
  expect(latencySlot(7 * 2 ** 34 - 32)).toBe(last - 1);
  expect(latencySlot(1e15)).toBe(last);
});

test('the real clock tells nanoseconds apart, as the shared clock does not', () => {
  setClock(null);
  const sharedTickNs = 1e6 / 4096;
  const offTicks: number[] = [];
  for (let i = 0, before = nowNs(); i < 1000; i++) {
    const ns = nowNs();
    const ticks = (ns - before) / sharedTickNs;
    offTicks.push(Math.abs(ticks - Math.round(ticks)) * sharedTickNs);
    before = ns;
    expect(Number.isSafeInteger(ns)).toBe(true);
  }
  expect(Math.max(...offTicks)).toBeGreaterThan(50);
});
