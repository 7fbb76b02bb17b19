/** `pttorture explore --from FILE`: a saved result as what is to be explored. */

import type { Command } from 'commander';
import { UserError } from '#base/user-error';
import { type BrokenVersion, lineEditOf } from '#catalogue/broken-version';
import type { Origin } from '#explore/from-result';
import type { Exploration } from '#result/exploration';
import type { Plan } from '#scenario/plan';
import type { Context } from './command-line.ts';

import { documentOf } from './explore-one.ts';
import {
  type ExploreOptions,
  limitsOf,
  refuseRecording,
  searchersOf,
  strategyOf,
} from './explore-options.ts';
import { explorationLine } from './progress.ts';
import { brokenCalled } from './scenario-choice.ts';

/** What came of a free run is wanted soon. */
const SHRINK_MS = 4_000;

/** What a run is called by that was saved. */
interface SavedRun {
  readonly origin: Origin;
  readonly broken: BrokenVersion | null;
}

/** Options that say what is explored, which the result says already, or how long, without end. */
const EXCLUDED: Readonly<Record<string, string>> = {
  ...{ protocol: '--protocol', broken: '--broken', cpus: '--cpus', parameter: '-p' },
  ...{ lock: '--lock', splitLocks: '--no-split-locks', gather: '--gather' },
  ...{ allocFail: '--alloc-fail', tableFree: '--table-free', walkers: '--walkers' },
  ...{ pwc: '--pwc', shootdown: '--shootdown' },
  ...{ exhaust: '--exhaust', keepGoing: '--keep-going' },
};

/** Throws a `UserError` that names what `flag` excludes, since it says what is explored. */
export function refuseBeside(flag: string, scenario: string | undefined, command: Command): void {
  const given = Object.entries(EXCLUDED).flatMap(([option, name]) => {
    const isGiven = command.getOptionValueSource(option) === 'cli';
    return isGiven && !flag.startsWith(name) ? [name] : [];
  });
  const refused = [...(scenario === undefined ? [] : [`the scenario "${scenario}"`]), ...given];
  if (refused.length > 0)
    throw new UserError(`${flag} says what is explored; leave out ${refused.join(', ')}`);
}

/** What was searched for the violation of the run that `from` names; `seed`: null: the run's. */
export async function explorationFrom(
  context: Context,
  options: ExploreOptions & { from: string },
  seed: number | null,
): Promise<() => Promise<Exploration>> {
  const { origin, broken } = await savedRun(context, options.from, seed);
  const strategy = options.strategy === undefined ? null : await strategyOf(context, options);
  const edit = broken === null ? null : lineEditOf(broken);
  return async () => {
    const line = explorationLine(context.io.stderr);
    try {
      const explored = await context.engine.exploreFrom(
        {
          ...{ origin, edit, strategy, ...limitsOf(options) },
          searchers: searchersOf(options),
          shrinkMs: options.shrink ?? SHRINK_MS,
        },
        { onProgress: (progress) => line.show(origin.plan, progress), signal: context.signal },
      );
      return documentOf(context, origin.plan, explored);
    } finally {
      line.clear();
    }
  };
}

/** Throws a `UserError` where there is nothing to look for. */
async function savedRun(context: Context, path: string, seed: number | null): Promise<SavedRun> {
  const { parseResult } = await import('#result/schema');
  const { originOf } = await import('#explore/from-result');
  const result = parseResult(context.io.readText(path), path);
  const plan = result.plan as Plan;
  if (!Array.isArray(plan?.columns)) throw new UserError(`"${path}" has no plan to go by`);
  refuseRecording(plan);
  const origin = originOf(seed === null ? plan : { ...plan, seed }, result.runs);
  if (origin === null)
    throw new UserError(`"${path}" has no violation to look for; a run of it must end in one`);
  return { origin, broken: await brokenCalled(context, result.broken ?? undefined) };
}

/** What a report on it ends in: the command that replays what was found. */
export function replayLines(from: string, json: string | undefined): string {
  if (json !== undefined) return `\npttorture replay ${json}\n`;
  return (
    '\nTo replay it, write it down:\n' +
    `pttorture explore --from ${from} --json race.json; pttorture replay race.json\n`
  );
}
