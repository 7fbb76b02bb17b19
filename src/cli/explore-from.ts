/** `pttorture explore --from FILE`: a saved result as what is to be explored. */

import type { Command } from 'commander';
import { UserError } from '#base/user-error';
import type { BrokenVersion } from '#catalogue/broken-version';
import type { Origin } from '#explore/from-result';
import type { Plan } from '#scenario/plan';
import type { Context } from './command-line.ts';

import { brokenCalled } from './scenario-choice.ts';

/** What a run is called by that was saved. */
export interface SavedRun {
  readonly origin: Origin;
  readonly broken: BrokenVersion | null;
}

/** Options that say what is explored, which the result says already, or how long, without end. */
const EXCLUDED: Readonly<Record<string, string>> = {
  ...{ protocol: '--protocol', broken: '--broken', cpus: '--cpus', parameter: '-p' },
  ...{ lock: '--lock', splitLocks: '--no-split-locks', gather: '--gather' },
  ...{ allocFail: '--alloc-fail', tableFree: '--table-free', walkers: '--walkers' },
  ...{ exhaust: '--exhaust', keepGoing: '--keep-going' },
};

/** Throws a `UserError` that names what `--from` excludes. */
export function refuseBeside(scenario: string | undefined, command: Command): void {
  const given = Object.entries(EXCLUDED).flatMap(([option, flag]) =>
    command.getOptionValueSource(option) === 'cli' ? [flag] : [],
  );
  const refused = [...(scenario === undefined ? [] : [`the scenario "${scenario}"`]), ...given];
  if (refused.length > 0)
    throw new UserError(`--from says what is explored; leave out ${refused.join(', ')}`);
}

/** Throws a `UserError` where there is nothing to look for. `seed`: null: the run's. */
export async function savedRun(
  context: Context,
  path: string,
  seed: number | null,
): Promise<SavedRun> {
  const { parseResult } = await import('#result/schema');
  const { originOf } = await import('#explore/from-result');
  const result = parseResult(context.io.readText(path), path);
  const plan = result.plan as Plan;
  if (!Array.isArray(plan?.columns)) throw new UserError(`"${path}" has no plan to go by`);
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
