/** The group `native`: the floor and the live kernel by themselves, without the simulator. */
import type { BenchOptions, Figure, Group, Prepared } from '../harness.ts';
import { compileNative, LIVE, TWIN } from './compile.ts';
import {
  HOT,
  LOADS,
  liveName,
  liveVariant,
  ONE,
  ORDERS,
  SHARED,
  TWO,
  twinName,
  twinVariant,
} from './load.ts';

export const native: Group = {
  summary: 'a page touched and zapped: wall time by the native twin and by the live kernel',
  prepare: prepareNative,
};

/** Compiles both programs; what cannot be had becomes a note. */
export function prepareNative({ ms }: BenchOptions): Prepared {
  const nativeMs = Math.ceil(ms / 4);
  const twin = compileNative(TWIN);
  const live = compileNative(LIVE);
  const notes = [twin, live].flatMap((program) => ('missing' in program ? [program.missing] : []));
  const twins =
    'path' in twin
      ? ORDERS.flatMap((order) =>
          LOADS.map((load) => twinVariant(twin.path, order, load, nativeMs)),
        )
      : [];
  const lives = 'path' in live ? LOADS.map((load) => liveVariant(live.path, load, nativeMs)) : [];
  return { variants: [...twins, ...lives], figures: FIGURES, notes };
}

/** What the machine itself gives: no goals, but goals for the simulator are read beside them. */
const FIGURES: readonly Figure[] = [
  {
    name: 'this machine: twin, 2 CPUs to one',
    of: twinName('seq_cst', ONE),
    over: twinName('seq_cst', TWO),
  },
  { name: 'this machine: live kernel, 2 CPUs to one', of: liveName(ONE), over: liveName(TWO) },
  { name: 'twin: hot to 2 disjoint', of: twinName('seq_cst', HOT), over: twinName('seq_cst', TWO) },
  {
    name: 'twin: shared to 2 disjoint',
    of: twinName('seq_cst', SHARED),
    over: twinName('seq_cst', TWO),
  },
  { name: 'live kernel: shared to 2 disjoint', of: liveName(SHARED), over: liveName(TWO) },
  {
    name: 'twin: throughput to live kernel',
    of: liveName(ONE),
    over: twinName('seq_cst', ONE),
  },
];
