/** `pttorture explore`: searches the interleavings of a scenario for one that goes wrong. */

import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { UserError } from '#base/user-error';
import { type BrokenVersion, lineEditOf } from '#catalogue/broken-version';
import type { Explored, ExploreRequest } from '#explore/explore';
import type { StrategyName } from '#explore/strategies/registry';
import type { Exploration } from '#result/exploration';
import type { Plan } from '#scenario/plan';
import { commandText } from './campaign.ts';
import { choose } from './choices.ts';
import type { Act, Context } from './command-line.ts';

import { EXIT, type ExitCode } from './exit-code.ts';
import { refuseBeside, replayLines, savedRun } from './explore-from.ts';
import { durationFlag, integerFlag } from './flags.ts';
import { openJsonOutput } from './json-output.ts';
import { addPlanFlags, type PlanFlags, requestOf, settingsOf } from './plan-flags.ts';
import { paintFor } from './print-report.ts';
import { explorationLine } from './progress.ts';
import { brokenCalled, optionsByProtocol, scenarioCalled } from './scenario-choice.ts';

export function addExplore(program: Command, context: Context, act: Act): void {
  const command = program
    .command('explore')
    .description('search the interleavings of a scenario, one step at a time')
    .argument('[scenario]', 'a shipped scenario (see list) or the path of a .yaml file')
    .option('--from <file>', 'look for the violation of a result that run --json wrote')
    .option('--protocol <name>', `the protocol (default: that of --broken, or ${PROTOCOL})`)
    .option('--broken <name>', 'search a broken version; scenario and protocol come with it')
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
    .option('--json <file>', 'write the document; - for stdout, and nothing else there');
  addPlanFlags(command).action((scenario: string | undefined, options: ExploreOptions) =>
    act(() =>
      options.from === undefined
        ? explore(context, scenario, options)
        : exploreFrom(context, scenario, { ...options, from: options.from }, command),
    ),
  );
}

const PROTOCOL = 'pt-reclaim';
/** Sets of CPUs are bit masks. */
const CPUS_MAX = 16;
const DURATION_MS = 60_000;
const SHRINK_MS = 8_000;
/** What came of a free run is wanted soon. */
const SHRINK_FROM_MS = 4_000;
const FORMATS = ['text', 'markdown', 'json'] as const;

type Format = (typeof FORMATS)[number];

export interface ExploreOptions extends PlanFlags {
  readonly from?: string;
  readonly protocol?: string;
  readonly broken?: string;
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
}

function format(form: string): Format {
  return choose('format', form, FORMATS);
}

async function explore(
  context: Context,
  scenarioWord: string | undefined,
  options: ExploreOptions,
): Promise<ExitCode> {
  checkLimits(options);
  const broken = await brokenCalled(context, options.broken);
  const word = scenarioWord ?? broken?.scenario;
  if (word === undefined)
    throw new UserError('no scenario given; choose one (pttorture list scenarios) or a --broken');
  const scenario = await scenarioCalled(context, word);
  const protocolOptions = await optionsByProtocol(context.engine);
  const wanted = options.protocol ?? broken?.protocol ?? PROTOCOL;
  const protocol = choose('protocol', wanted, Object.keys(protocolOptions));
  const common = requestOf(scenario, broken, options);
  const plan = scenario.buildPlan({
    ...{ ...common, protocol, protocolOptions },
    // How long a run would take says nothing here.
    durationMs: DURATION_MS,
  });
  if (plan.cpus > CPUS_MAX)
    throw new UserError(`${plan.cpus} CPUs cannot be explored; allowed: up to ${CPUS_MAX}`);
  const strategy = await strategyOf(context, options);
  return report(context, options, () => exploreTo(context, plan, broken, options, strategy, word));
}

/** What a run ended in, looked for in small plans that are made of it. */
async function exploreFrom(
  context: Context,
  scenarioWord: string | undefined,
  options: ExploreOptions & { from: string },
  command: Command,
): Promise<ExitCode> {
  refuseBeside(scenarioWord, command);
  checkLimits(options);
  const isSeedGiven = command.getOptionValueSource('seed') === 'cli';
  const { origin, broken } = await savedRun(
    context,
    options.from,
    isSeedGiven ? options.seed : null,
  );
  const strategy = options.strategy === undefined ? null : await strategyOf(context, options);
  return report(context, options, async () => {
    const line = explorationLine(context.io.stderr);
    try {
      const explored = await context.engine.exploreFrom(
        {
          ...{
            origin,
            edit: broken === null ? null : lineEditOf(broken),
            strategy,
            ...limitsOf(options),
          },
          searchers: searchersOf(options),
          shrinkMs: options.shrink ?? SHRINK_FROM_MS,
        },
        { onProgress: (progress) => line.show(origin.plan, progress), signal: context.signal },
      );
      return documentOf(context, origin.plan, explored);
    } finally {
      line.clear();
    }
  });
}

/** Carries out `work`, writes what it comes to, and tells the exit code. */
async function report(
  context: Context,
  { json: target, format: form, from }: ExploreOptions,
  work: () => Promise<Exploration>,
): Promise<ExitCode> {
  const json = target === undefined ? null : openJsonOutput(context.io, target);
  try {
    const exploration = await work();
    if (target !== '-') await print(context, exploration, form);
    json?.write(exploration);
    const isTold = form === 'text' && target !== '-' && exploration.violations.length > 0;
    if (from !== undefined && isTold) context.io.stdout.write(replayLines(from, target));
    return exitCode(exploration);
  } finally {
    json?.discard();
  }
}

function limitsOf({
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

function searchersOf({ searchers }: ExploreOptions): number {
  return searchers ?? availableParallelism();
}

function checkLimits({ executions, duration, exhaust }: ExploreOptions): void {
  const given = [executions, duration, exhaust].filter((limit) => limit !== undefined);
  if (given.length > 1)
    throw new UserError(
      '--executions, --duration and --exhaust exclude each other; give one of them',
    );
}

async function strategyOf(
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
  for (const option of ['depth', 'bound'] as const)
    if (options[option] !== undefined && entry.options[option] === undefined)
      throw new UserError(`--${option} is no option of the strategy ${name}`);
  return { name, depth: options.depth, bound: options.bound };
}

async function exploreTo(
  context: Context,
  plan: Plan,
  broken: BrokenVersion | null,
  options: ExploreOptions,
  strategy: ExploreRequest['strategy'],
  scenarioWord: string,
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
            ...{ scenario: scenarioWord, protocol: plan.protocol, broken: plan.broken },
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

function documentOf({ io, words }: Context, plan: Plan, explored: Explored): Exploration {
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

async function print({ io }: Context, exploration: Exploration, form: Format): Promise<void> {
  const { stdout } = io;
  if (form === 'json') {
    stdout.write(`${JSON.stringify(exploration, null, 2)}\n`);
    return;
  }
  const { explorationMarkdown, explorationText } = await import('#report/exploration');
  const options = { width: stdout.columns, paint: paintFor(stdout) };
  stdout.write(
    form === 'markdown' ? explorationMarkdown(exploration) : explorationText(exploration, options),
  );
}

/** What the scenario expects to be seen must have been seen, unless the search was cut short. */
function exitCode({ violations, outcomes, isInterrupted }: Exploration): ExitCode {
  if (violations.length > 0) return EXIT.found;
  if (isInterrupted) return EXIT.interrupted;
  return outcomes.every(({ met }) => met) ? EXIT.well : EXIT.found;
}
