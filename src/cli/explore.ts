/** `pttorture explore`: searches the interleavings of a scenario for one that goes wrong. */
import type { Command } from 'commander';
import { UserError } from '#base/user-error';
import type { Exploration } from '#result/exploration';
import { choose } from './choices.ts';
import type { Act, Context } from './command-line.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { ALL, exploreCatalogue } from './explore-catalogue.ts';
import { explorationFrom, refuseBeside, replayLines } from './explore-from.ts';
import { exploration } from './explore-one.ts';
import { checkLimits, type ExploreOptions, FORMATS, type Format } from './explore-options.ts';
import { durationFlag, integerFlag } from './flags.ts';
import { type HtmlOutput, openHtmlOutput } from './html-output.ts';
import { openJsonOutput } from './json-output.ts';
import { addPlanFlags } from './plan-flags.ts';
import { printExploration } from './print-report.ts';
import { brokenCalled } from './scenario-choice.ts';

export function addExplore(program: Command, context: Context, act: Act): void {
  const command = program
    .command('explore')
    .description('search the interleavings of a scenario, one step at a time')
    .argument('[scenario]', 'a shipped scenario (see list) or the path of a .yaml file')
    .option('--from <file>', 'look for the violation of a result that run --json wrote')
    .option('--protocol <name>', 'the protocol (default: that of --broken, or pt-reclaim)')
    .option('--broken <name>', 'search a broken version, with its scenario and protocol, or all')
    .option('--controls', 'with --broken all: the same searches without the flaws too')
    .option('--strategy <name>', 'pos, pct, random, dfs or dpor (default: pos, or dpor to exhaust)')
    .option('--depth <n>', 'of pct: orderings that a bug may need', integerFlag('--depth', 1, 16))
    .option('--bound <n>', 'of dfs: preemptions of a schedule', integerFlag('--bound', 0, 64))
    .option('--executions <n>', 'stop after so many', integerFlag('--executions', 1))
    .option('--duration <time>', 'stop after so long (default: 60s)', durationFlag('--duration'))
    .option('--exhaust', 'go on until the strategy has tried all that it can try')
    .option('--keep-going', 'collect different violations instead of stopping at the first')
    .option(
      '--shrink <time>',
      'time to shrink each violation (default: 8s)',
      durationFlag('--shrink'),
    )
    .option('--searchers <n>', 'threads (default: one a core)', integerFlag('--searchers', 1, 256))
    .option('--format <form>', 'text, markdown or json', format, 'text')
    .option('--json <file>', 'write the document; - for stdout, and nothing else there')
    .option('--html <file>', 'write the report as a page, which opens without a network');
  addPlanFlags(command).action((scenario: string | undefined, options: ExploreOptions) =>
    act(() => explore(context, scenario, options, command)),
  );
}

function format(form: string): Format {
  return choose('format', form, FORMATS);
}

async function explore(
  context: Context,
  scenario: string | undefined,
  options: ExploreOptions,
  command: Command,
): Promise<ExitCode> {
  checkLimits(options);
  const { from, broken, seed } = options;
  if (from !== undefined) {
    refuseBeside('--from', scenario, command);
    const isSeedGiven = command.getOptionValueSource('seed') === 'cli';
    const search = await explorationFrom(context, { ...options, from }, isSeedGiven ? seed : null);
    return report(context, options, search);
  }
  if (broken === ALL) {
    refuseBeside(`--broken ${ALL}`, scenario, command);
    return exploreCatalogue(context, options);
  }
  if (options.controls) throw new UserError(`--controls belongs to --broken ${ALL}`);
  return report(context, options, await ofScenario(context, scenario, options));
}

async function ofScenario(
  context: Context,
  word: string | undefined,
  options: ExploreOptions,
): Promise<() => Promise<Exploration>> {
  const broken = await brokenCalled(context, options.broken);
  const scenario = word ?? broken?.scenario;
  if (scenario === undefined)
    throw new UserError('no scenario given; choose one (pttorture list scenarios) or a --broken');
  return exploration(context, { scenario, broken }, options);
}

/** Carries out `search`, writes what it comes to, and tells the exit code. */
async function report(
  context: Context,
  { json: target, html: page, format: form, from }: ExploreOptions,
  search: () => Promise<Exploration>,
): Promise<ExitCode> {
  const json = target === undefined ? null : openJsonOutput(context.io, target);
  let html: HtmlOutput | null = null;
  try {
    if (page !== undefined) html = openHtmlOutput(context, page, target);
    const explored = await search();
    if (target !== '-') await print(context, explored, form);
    json?.write(explored);
    await html?.write(explored);
    const isTold = form === 'text' && target !== '-' && explored.violations.length > 0;
    if (from !== undefined && isTold) context.io.stdout.write(replayLines(from, target));
    return exitCode(explored);
  } finally {
    json?.discard();
    html?.discard();
  }
}

async function print(context: Context, explored: Exploration, form: Format): Promise<void> {
  const { stdout } = context.io;
  if (form === 'text') return printExploration(context, explored);
  const { explorationMarkdown } = await import('#report/exploration');
  if (form === 'markdown') stdout.write(explorationMarkdown(explored));
  else stdout.write(`${JSON.stringify(explored, null, 2)}\n`);
}

/** What the scenario expects to be seen must have been seen, unless the search was cut short. */
function exitCode({ violations, outcomes, isInterrupted }: Exploration): ExitCode {
  if (violations.length > 0) return EXIT.found;
  if (isInterrupted) return EXIT.interrupted;
  return outcomes.every(({ met }) => met) ? EXIT.well : EXIT.found;
}
