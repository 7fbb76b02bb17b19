/** One exploration: of a scenario, living or broken. */
import { UserError } from '#base/user-error';
import { type BrokenVersion, lineEditOf } from '#catalogue/broken-version';
import type { Explored, ExploreRequest } from '#explore/explore';
import type { Exploration } from '#result/exploration';
import type { Plan } from '#scenario/plan';
import { commandText } from './campaign.ts';
import { choose } from './choices.ts';
import type { Context } from './command-line.ts';
import {
  DURATION_MS,
  type ExploreOptions,
  limitsOf,
  refuseRecording,
  searchersOf,
  strategyOf,
} from './explore-options.ts';
import { requestOf, settingsOf } from './plan-flags.ts';
import { explorationLine } from './progress.ts';
import { optionsByProtocol, scenarioCalled } from './scenario-choice.ts';

/** What is explored; `options` say how, and may set what is set of it otherwise. */
export interface ExploreTarget {
  /** Name or path of the scenario. */
  readonly scenario: string;
  readonly broken: BrokenVersion | null;
}

const PROTOCOL = 'pt-reclaim';
/** Sets of CPUs are bit masks. */
const CPUS_MAX = 16;
const SHRINK_MS = 8_000;

/** Throws a `UserError` before anything is run where it cannot be explored so. */
export async function exploration(
  context: Context,
  target: ExploreTarget,
  options: ExploreOptions,
): Promise<() => Promise<Exploration>> {
  const plan = await planFor(context, target, options);
  const strategy = await strategyOf(context, options);
  return () => search(context, target, plan, options, strategy);
}

async function planFor(
  context: Context,
  { scenario: word, broken }: ExploreTarget,
  options: ExploreOptions,
): Promise<Plan> {
  const scenario = await scenarioCalled(context, word);
  const protocolOptions = await optionsByProtocol(context.engine);
  const wanted = options.protocol ?? broken?.protocol ?? scenario.protocol ?? PROTOCOL;
  const protocol = choose('protocol', wanted, Object.keys(protocolOptions));
  const plan = scenario.buildPlan({
    ...{ ...requestOf(scenario, broken, options), protocol, protocolOptions },
    // How long a run would take says nothing here.
    durationMs: DURATION_MS,
  });
  refuseRecording(plan);
  if (plan.cpus > CPUS_MAX)
    throw new UserError(`${plan.cpus} CPUs cannot be explored; allowed: up to ${CPUS_MAX}`);
  return plan;
}

async function search(
  context: Context,
  { scenario, broken }: ExploreTarget,
  plan: Plan,
  options: ExploreOptions,
  strategy: ExploreRequest['strategy'],
): Promise<Exploration> {
  const { engine, io, signal } = context;
  const { formatReplayWord } = await import('#explore/replay-word');
  const line = explorationLine(io.stderr);
  try {
    const explored = await engine.explore(
      {
        ...{ plan, edit: broken === null ? null : lineEditOf(broken), strategy },
        ...limitsOf(options),
        keepGoing: options.keepGoing ?? false,
        kind: broken?.oracle ?? null,
        searchers: searchersOf(options),
        shrinkMs: options.shrink ?? SHRINK_MS,
        nameReplay: (planSeed, reduction, schedule, check) =>
          formatReplayWord({
            ...{ scenario, protocol: plan.protocol, broken: plan.broken },
            settings: settingsOf(options, planSeed),
            ...{ reduction, schedule, check },
          }),
      },
      { onProgress: (progress) => line.show(plan, progress), signal },
    );
    return documentOf(context, plan, explored);
  } finally {
    line.clear();
  }
}

/** With who asked for it, and where. */
export function documentOf({ io, words }: Context, plan: Plan, explored: Explored): Exploration {
  return {
    pttorture: io.version,
    schema: 1,
    kind: 'exploration',
    command: commandText(words),
    ...{ scenario: plan.scenario, broken: plan.broken, parameters: plan.parameters },
    machine: io.machine,
    ...explored,
  };
}
