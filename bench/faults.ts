/**
 * The group `faults`: what one page costs, from its fault to its zap, on the code path of
 * `pttorture run` with all checks on, beside the native twin and the live kernel.
 */
import type { BenchOptions, Figure, Group, Prepared } from './harness.ts';
import { prepareNative } from './native/group.ts';
import { EIGHT, HOT, LOADS, liveName, nameOf, ONE, SHARED, TWO, twinName } from './native/load.ts';
import { simulatorVariant } from './simulator.ts';

const PROTOCOLS = ['none', 'pt-reclaim'];

export const faults: Group = {
  summary:
    'a page touched and zapped: wall time by the simulator, the native twin, the live kernel',
  prepare(options: BenchOptions): Prepared {
    const native = prepareNative(options);
    const simulated = PROTOCOLS.flatMap((protocol) =>
      LOADS.map((load) => simulatorVariant(protocol, load, options.ms)),
    );
    return {
      variants: [...simulated, ...native.variants],
      figures: [...PROTOCOLS.flatMap(figuresOf), ...native.figures],
      notes: native.notes,
    };
  },
};

function figuresOf(protocol: string): Figure[] {
  return [
    {
      name: `${protocol}: time to twin seq_cst`,
      of: nameOf(protocol, ONE),
      over: twinName('seq_cst', ONE),
      goal: { bound: 'at most', limit: 5, aim: 3.5 },
      profile: nameOf(protocol, ONE),
    },
    {
      name: `${protocol}: throughput to live kernel`,
      of: liveName(ONE),
      over: nameOf(protocol, ONE),
      goal: { bound: 'at least', limit: 10, aim: 16 },
      profile: nameOf(protocol, ONE),
    },
    {
      name: `${protocol}: 2 CPUs to one`,
      of: nameOf(protocol, ONE),
      over: nameOf(protocol, TWO),
      goal: { bound: 'at least', limit: 1.8, aim: 1.9 },
      profile: nameOf(protocol, TWO),
    },
    {
      name: `${protocol}: 8 CPUs to 2`,
      of: nameOf(protocol, TWO),
      over: nameOf(protocol, EIGHT),
      goal: { bound: 'at least', limit: 0.8 },
      profile: nameOf(protocol, EIGHT),
    },
    {
      name: `${protocol}: hot, time to twin seq_cst`,
      of: nameOf(protocol, HOT),
      over: twinName('seq_cst', HOT),
      goal: { bound: 'at most', limit: 2 },
      profile: nameOf(protocol, HOT),
    },
    {
      name: `${protocol}: shared, time to twin seq_cst`,
      of: nameOf(protocol, SHARED),
      over: twinName('seq_cst', SHARED),
    },
    {
      name: `${protocol}: shared, throughput to live kernel`,
      of: liveName(SHARED),
      over: nameOf(protocol, SHARED),
    },
  ];
}
