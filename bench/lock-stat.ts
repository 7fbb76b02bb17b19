/**
 * The group `lock-stat`: what lock statistics cost a page, from its fault to its zap, beside the
 * same run without. That a run without has none of their code is a test of the derive room.
 */
import type { BenchOptions, Figure, Group, Prepared, Variant } from './harness.ts';
import { HOT, type Load, nameOf, ONE, TWO } from './native/load.ts';
import { planOf, planVariant } from './simulator.ts';

const PROTOCOL = 'pt-reclaim';
const LOADS = [ONE, TWO, HOT];

export const lockStat: Group = {
  summary: 'a page touched and zapped, with lock statistics and without: wall time',
  prepare: ({ ms }: BenchOptions): Prepared => ({
    variants: LOADS.flatMap((load) => [variant(load, ms, false), variant(load, ms, true)]),
    figures: LOADS.map(figureOf),
    notes: [],
  }),
};

function variant(load: Load, ms: number, lockStat: boolean): Variant {
  return planVariant(named(load, lockStat), load, { ...planOf(PROTOCOL, load, ms), lockStat });
}

function named(load: Load, lockStat: boolean): string {
  return `${nameOf(PROTOCOL, load)}${lockStat ? ', --lock-stat' : ''}`;
}

/** A quarter of the throughput is a third of the time. */
function figureOf(load: Load): Figure {
  const figure = {
    name: `${nameOf('time with to without', load)}`,
    ...{ of: named(load, true), over: named(load, false) },
  };
  return load === ONE ? { ...figure, goal: { bound: 'at most', limit: 1.33, aim: 1.2 } } : figure;
}
