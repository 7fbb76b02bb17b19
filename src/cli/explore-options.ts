/** What `explore` is told of how to search: the strategy, how long, on how many threads. */
import { availableParallelism } from 'node:os';
import { UserError } from '#base/user-error';
import type { ExploreRequest } from '#explore/explore';
import type { StrategyName } from '#explore/strategies/registry';
import type { Plan } from '#scenario/plan';
import { choose } from './choices.ts';
import type { Context } from './command-line.ts';
import type { PlanFlags } from './plan-flags.ts';

export const FORMATS = ['text', 'markdown', 'json'] as const;
export type Format = (typeof FORMATS)[number];

export interface ExploreOptions extends PlanFlags {
  readonly from?: string;
  readonly protocol?: string;
  readonly broken?: string;
  readonly controls?: true;
  readonly strategy?: string;
  readonly depth?: number;
  readonly bound?: number;
  readonly executions?: number;
  readonly duration?: number;
  readonly exhaust?: true;
  readonly keepGoing?: true;
  readonly shrink?: number;
  readonly searchers?: number;
  readonly format: Format;
  readonly json?: string;
  readonly html?: string;
}

export const DURATION_MS = 60_000;

export function limitsOf({
  executions,
  duration,
  exhaust,
}: ExploreOptions): Pick<ExploreRequest, 'executionsMax' | 'durationMs'> {
  const isUnlimited = executions !== undefined || exhaust !== undefined;
  return {
    executionsMax: executions ?? null,
    durationMs: isUnlimited ? null : (duration ?? DURATION_MS),
  };
}

export function searchersOf({ searchers }: ExploreOptions): number {
  return searchers ?? availableParallelism();
}

export function checkLimits({ executions, duration, exhaust }: ExploreOptions): void {
  const given = [executions, duration, exhaust].filter((limit) => limit !== undefined);
  if (given.length > 1)
    throw new UserError(
      '--executions, --duration and --exhaust exclude each other; give one of them',
    );
}

export async function strategyOf(
  { engine }: Context,
  options: ExploreOptions,
): Promise<ExploreRequest['strategy']> {
  const strategies = await engine.strategies();
  const names = strategies.map(({ name }) => name);
  const wanted = options.strategy ?? (options.exhaust ? 'dpor' : 'pos');
  const name = choose('strategy', wanted, names) as StrategyName;
  const entry = strategies.find((each) => each.name === name)!;
  if (options.exhaust && !entry.isSystematic) {
    const systematic = strategies.filter((each) => each.isSystematic).map((each) => each.name);
    throw new UserError(
      `--exhaust: ${name} draws by chance for ever; choose from ${systematic.join(', ')}`,
    );
  }
  for (const option of ['depth', 'bound'] as const) {
    if (options[option] === undefined || entry.options[option] !== undefined) continue;
    const having = strategies.find((each) => each.options[option] !== undefined)!.name;
    throw new UserError(`--${option} is no option of the strategy ${name}, but of ${having}`);
  }
  return { name, depth: options.depth, bound: options.bound };
}

/** A recording has more steps than anybody can wait for, and no smaller form. */
export function refuseRecording({ scenario, columns }: Plan): void {
  if (columns.flat().some(({ op }) => op === 'recorded'))
    throw new UserError(`"${scenario}" is a recording, which can only be run; explore a scenario`);
}
