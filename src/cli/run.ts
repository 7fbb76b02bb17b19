/** `pttorture run`: one scenario under one or several protocols, on real threads, in rounds. */
import type { Command } from 'commander';
import { UserError } from '#base/user-error';
import type { PlanRequest } from '#scenario/build-plan';
import { commandText, runCampaign } from './campaign.ts';
import { choose } from './choices.ts';
import type { Act, Context } from './command-line.ts';
import type { BrokenVersion, LoadedScenario } from './engine.ts';
import type { ExitCode } from './exit-code.ts';
import { durationFlag, integerFlag, type LockChoices, lockFlag, settingFlag } from './flags.ts';
import { openJsonOutput } from './json-output.ts';
import { printReport } from './print-report.ts';
import { optionsByProtocol, scenarioCalled } from './scenario-choice.ts';

export function addRun(program: Command, context: Context, act: Act): void {
  program
    .command('run')
    .description('run a scenario on real threads and judge it')
    .argument('[scenario]', 'a shipped scenario (see list) or the path of a .yaml file')
    .option('--protocol <names>', 'protocols, separated by commas, or all', 'all')
    .option('--broken <name>', 'run a broken version; scenario and protocol come with it')
    .option('--cpus <n>', 'simulated CPUs', integerFlag('--cpus', 1))
    .option('--duration <time>', 'length of the main phase, e.g. 10s', durationFlag('--duration'))
    .option(
      '--ops <n>',
      "rounds of the CPUs' loops, instead of a duration",
      integerFlag('--ops', 1),
    )
    .option('--seed <n>', 'seed of all chance', integerFlag('--seed', 0, 2 ** 32 - 1), 1)
    .option('-p, --parameter <name=value>', 'set NAME, or PROTOCOL.OPTION', settingFlag)
    .option('--lock <class=name>', 'lock algorithms, e.g. ptl=mcs,pml=ticket', lockFlag)
    .option('--no-split-locks', 'one page-table lock for the whole mm')
    .option('--rcu <form>', 'qsbr or announced', (form) => choose('RCU form', form, RCU_FORMS))
    .option('--gather <n>', 'pages that one mmu gather holds', integerFlag('--gather', 1))
    .option(
      '--alloc-fail <n>',
      'allocations that fail, per million',
      integerFlag('--alloc-fail', 0, 1_000_000),
    )
    .option('--table-free <how>', TABLE_FREE_SUMMARY, (how) =>
      choose('way to free a table', how, TABLE_FREE),
    )
    .option('--walkers <form>', WALKERS_SUMMARY, (form) => choose('form of walkers', form, WALKERS))
    .option('--noise <n>', 'random delays, 0 to 100', integerFlag('--noise', 0, 100))
    .option(
      '--rounds <n>',
      'run each protocol so often, in alternating order; report the median',
      integerFlag('--rounds', 1, 20),
      1,
    )
    .option('--deadline <time>', 'give a run up after so long', durationFlag('--deadline'))
    .option('--json <file>', 'write the result document; - for stdout, and nothing else there')
    .action((scenario: string | undefined, options: RunOptions, command: Command) => {
      const isProtocolGiven = command.getOptionValueSource('protocol') === 'cli';
      return act(() => run(context, scenario, options, isProtocolGiven));
    });
}

const RCU_FORMS = ['qsbr', 'announced'] as const;
const TABLE_FREE = ['rcu', 'ipi', 'sync', 'now'] as const;
const TABLE_FREE_SUMMARY = 'a table alone, where its batch finds no memory: rcu, ipi, sync or now';
const WALKERS = ['fixed', 'as-posted'] as const;
const WALKERS_SUMMARY = 'what walkers do without a table: fixed, or as-posted, with the flaws';

interface RunOptions {
  readonly protocol: string;
  readonly broken?: string;
  readonly cpus?: number;
  readonly duration?: number;
  readonly ops?: number;
  readonly seed: number;
  readonly parameter?: Readonly<Record<string, string>>;
  readonly lock?: LockChoices;
  readonly splitLocks: boolean;
  readonly rcu?: 'qsbr' | 'announced';
  readonly gather?: number;
  readonly allocFail?: number;
  readonly tableFree?: (typeof TABLE_FREE)[number];
  readonly walkers?: (typeof WALKERS)[number];
  readonly noise?: number;
  readonly rounds: number;
  readonly deadline?: number;
  readonly json?: string;
}

async function run(
  context: Context,
  scenarioWord: string | undefined,
  options: RunOptions,
  isProtocolGiven: boolean,
): Promise<ExitCode> {
  if (options.duration !== undefined && options.ops !== undefined) {
    throw new UserError('--duration and --ops exclude each other; give one of them');
  }
  const broken = await brokenCalled(context, options.broken);
  const word = scenarioWord ?? broken?.scenario;
  if (word === undefined) {
    throw new UserError('no scenario given; choose one (pttorture list scenarios) or a --broken');
  }
  const scenario = await scenarioCalled(context, word);
  const wanted = isProtocolGiven || broken === null ? options.protocol : broken.protocol;
  const protocolOptions = await optionsByProtocol(context.engine);
  const protocols = protocolsCalled(Object.keys(protocolOptions), wanted);
  const request = requestOf(scenario, broken, options);
  const plans = protocols.map((protocol) =>
    scenario.buildPlan({ ...request, protocol, protocolOptions }),
  );

  const json = options.json === undefined ? null : openJsonOutput(context.io, options.json);
  try {
    const { result, code, failure } = await runCampaign(context, {
      plans,
      broken,
      command: commandText(context.words),
      deadlineMs: options.deadline ?? null,
      rounds: options.rounds,
    });
    if (failure === null || result.runs.length > 0) {
      if (options.json !== '-') await printReport(context, result);
      json?.write(result);
    }
    if (failure !== null) throw failure;
    return code;
  } finally {
    json?.discard();
  }
}

async function brokenCalled(
  { engine }: Context,
  name: string | undefined,
): Promise<BrokenVersion | null> {
  if (name === undefined) return null;
  const versions = await engine.brokenVersions();
  const known = choose(
    'broken version',
    name,
    versions.map((version) => version.name),
  );
  return versions.find((version) => version.name === known)!;
}

/** `all`, or names separated by commas; each once. */
function protocolsCalled(known: readonly string[], wanted: string): string[] {
  const chosen = new Set(
    wanted.split(',').map((name) => choose('protocol', name, [...known, 'all'])),
  );
  return chosen.has('all') ? [...known] : [...chosen];
}

/** What all plans have in common: same seed, same everything but the protocol. */
function requestOf(
  scenario: LoadedScenario,
  broken: BrokenVersion | null,
  options: RunOptions,
): Omit<PlanRequest, 'protocol' | 'protocolOptions'> {
  // Another scenario than its own has other parameters.
  const ofBroken = broken?.scenario === scenario.name ? broken.parameters : {};
  return {
    seed: options.seed,
    cpus: options.cpus,
    durationMs: options.duration,
    ops: options.ops,
    parameters: { ...ofBroken, ...options.parameter },
    locks: options.lock,
    splitLocks: options.splitLocks,
    noise: options.noise ?? broken?.noise,
    gather: options.gather,
    gatherFallback: options.tableFree,
    allocFail: options.allocFail,
    walkers: options.walkers,
    rcu: options.rcu,
    broken: broken?.name,
  };
}
