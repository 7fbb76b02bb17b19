/** The strategies by name, with their options as the command line may set them. */
import { UserError } from '#base/user-error';
import type { Strategy } from '../strategy.ts';
import { BoundedDfsStrategy } from './bounded-dfs.ts';
import { DporStrategy } from './dpor.ts';
import { PctStrategy } from './pct.ts';
import { PosStrategy } from './pos.ts';
import { RandomStrategy } from './random.ts';

export type StrategyName = 'random' | 'pct' | 'pos' | 'dfs' | 'dpor';

export interface StrategyOption {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly summary: string;
}

export interface StrategyEntry {
  readonly name: StrategyName;
  readonly summary: string;
  /** The paper that it follows. */
  readonly source: string;
  /** Whether it comes to an end by itself and takes no seed, or draws by chance for ever. */
  readonly isSystematic: boolean;
  readonly options: Readonly<Partial<Record<'depth' | 'bound', StrategyOption>>>;
}

export interface StrategySettings {
  readonly seed: number;
  readonly depth?: number | undefined;
  readonly bound?: number | undefined;
}

const DEPTH: StrategyOption = {
  default: 3,
  min: 1,
  max: 16,
  summary: 'orderings between steps that a bug may need',
};
const BOUND: StrategyOption = {
  default: 2,
  min: 0,
  max: 64,
  summary: 'preemptions that a schedule may have',
};

export const STRATEGIES: readonly StrategyEntry[] = [
  {
    name: 'random',
    summary: 'at each step another CPU goes on, or not, by chance',
    source: 'none; the base line',
    isSystematic: false,
    options: {},
  },
  {
    name: 'pct',
    summary: 'random priorities that change at a few random steps; silence has a known worth',
    source: 'Burckhardt, Kothari, Musuvathi, Nagarakatti, ASPLOS 2010',
    isSystematic: false,
    options: { depth: DEPTH },
  },
  {
    name: 'pos',
    summary: 'random priorities of steps, drawn anew where steps race',
    source: 'Yuan, Yang, Gu, "Partial Order Aware Concurrency Sampling", CAV 2018',
    isSystematic: false,
    options: {},
  },
  {
    name: 'dfs',
    summary: 'all schedules with at most so many preemptions, the fewest first',
    source: 'Musuvathi and Qadeer, "Iterative Context Bounding", PLDI 2007',
    isSystematic: true,
    options: { bound: BOUND },
  },
  {
    name: 'dpor',
    summary: 'one schedule of each trace: those that differ only in what does not conflict are one',
    source: 'Abdulla, Aronis, Jonsson, Sagonas, "Optimal Dynamic POR", POPL 2014',
    isSystematic: true,
    options: {},
  },
];

/** Throws a `UserError` on an option out of its range; those of other strategies mean nothing. */
export function makeStrategy(name: StrategyName, settings: StrategySettings): Strategy {
  const { seed } = settings;
  switch (name) {
    case 'random':
      return new RandomStrategy(seed);
    case 'pct':
      return new PctStrategy(seed, inRange('depth', settings.depth, DEPTH));
    case 'pos':
      return new PosStrategy(seed);
    case 'dfs':
      return new BoundedDfsStrategy(inRange('bound', settings.bound, BOUND));
    case 'dpor':
      return new DporStrategy();
  }
}

/** Whether the strategy comes to an end by itself and takes no seed. */
export function isSystematic(name: StrategyName): boolean {
  return STRATEGIES.some((entry) => entry.name === name && entry.isSystematic);
}

function inRange(name: string, value: number | undefined, option: StrategyOption): number {
  const { min, max } = option;
  const given = value ?? option.default;
  if (Number.isInteger(given) && given >= min && given <= max) return given;
  throw new UserError(`--${name} ${given}: expected an integer from ${min} to ${max}`);
}
